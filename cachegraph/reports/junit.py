"""JUnit XML, which CI servers read: a suite for each subject, a case for each rule; it fails as the run does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cachegraph.reports.model import Entry, Report, Unread
from cachegraph.text.clean import xml

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

__all__ = ["junit"]


def junit(report: Report) -> str:
    """Write JUnit XML.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        XML. A case fails if the run fails for one of its findings; other findings are its output. A source that could
        not be read is an error, or is skipped if the run does not fail for it.
    """
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name=f"cachegraph {report.command}")
    entries = report.by_subject()
    for subject in report.subjects:
        suite = ET.SubElement(root, "testsuite", name=xml(subject.name), tests=str(len(report.rules)), errors="0")
        own: dict[str, list[Entry]] = {}
        for entry in entries[subject.key]:
            own.setdefault(entry.rule, []).append(entry)
        failed = 0
        for rule in report.rules:
            case = ET.SubElement(suite, "testcase", classname=f"cachegraph.{rule.code}", name=rule.name)
            found = own.get(rule.name, [])
            bad = [entry for entry in found if report.fails(entry)]
            if bad:
                failed += 1
                failure = ET.SubElement(case, "failure", message=xml(bad[0].message), type=bad[0].severity)
                failure.text = "\n".join(map(_line, bad))
            if rest := [entry for entry in found if not report.fails(entry)]:
                ET.SubElement(case, "system-out").text = "\n".join(map(_line, rest))
        suite.set("failures", str(failed))
    if report.unread:
        _sources(ET.SubElement(root, "testsuite", name="sources"), report.unread)
    if report.remarks:
        suite = ET.SubElement(root, "testsuite", name="settings", tests="0", errors="0", failures="0")
        ET.SubElement(suite, "system-out").text = "\n".join(map(xml, report.remarks))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _sources(suite: ET.Element, unread: Sequence[Unread]) -> None:
    from xml.etree import ElementTree as ET

    failing = sum(one.fails for one in unread)
    suite.attrib |= {"tests": str(len(unread)), "errors": str(failing), "failures": "0"}
    suite.set("skipped", str(len(unread) - failing))
    for one in unread:
        case = ET.SubElement(suite, "testcase", classname="cachegraph.sources", name=xml(one.source))
        if one.fails:
            ET.SubElement(case, "error", message=xml(one.message), type=one.error).text = xml(one.text)
        else:
            ET.SubElement(case, "skipped", message=xml(one.text))


def _line(entry: Entry) -> str:
    at = "".join(f" ({place.file}:{place.line})" for place in entry.places[:1] if place.line)
    known = "known " if entry.known else ""
    return xml(f"{known}{entry.severity}: {entry.code} {entry.message}{at}")
