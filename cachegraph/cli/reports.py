"""The formats of ``cachegraph check``: for people, for other programs, for the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from cachegraph import __version__
from cachegraph.cli.answer import Answer, where
from cachegraph.cli.output import ROWS, Output, json_text
from cachegraph.cli.summary import summary
from cachegraph.queries.base import Finding
from cachegraph.queries.catalogue import QUERIES
from cachegraph.queries.findings import Findings
from cachegraph.text.clean import markdown, xml
from cachegraph.text.render import render
from cachegraph.verdict.words import headline

__all__ = ["REPORTS", "html", "junit", "sarif"]


def sarif(answer: Answer) -> str:
    """Write SARIF 2.1.0, which code scanning services read.

    Parameters
    ----------
    answer : Answer

    Returns
    -------
    str
        JSON. Locations are logical, an export and a record; with names from a Dockerfile they have its line as well.
    """
    exports = {export.id: export for export in answer.exports}
    rules = [
        {
            "id": query.name,
            "name": query.rule.code,
            "shortDescription": {"text": query.title},
            "fullDescription": {"text": query.meaning},
            "help": {"text": f"{query.meaning}\n\n{query.cure}\n\nSeverity: {query.severity}."},
            "properties": {"code": query.rule.code},
        }
        for query in QUERIES
    ]
    results = [
        {
            "ruleId": finding.query,
            "level": finding.severity,
            "message": {"text": finding.message},
            "locations": _locations(answer, finding, where(exports[finding.export], finding)),
            "partialFingerprints": {
                "cachegraph/v1": f"{finding.query}/{finding.export}/{finding.record}/{finding.digest}"
            },
            "properties": {"code": finding.code},
        }
        for finding in answer.findings
    ]
    invocation = {
        "executionSuccessful": not answer.failures,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": f"{failure.spec}: {failure.error}"}} for failure in answer.failures
        ],
    }
    driver = {"name": "cachegraph", "version": __version__, "rules": rules}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    runs = [{"tool": {"driver": driver}, "invocations": [invocation], "results": results}]
    return json_text({"$schema": schema, "version": "2.1.0", "runs": runs})


def _locations(answer: Answer, finding: Finding, place: str) -> list[dict[str, Any]]:
    logical = {"logicalLocations": [{"fullyQualifiedName": place, "kind": "object"}]}
    lines = answer.places.get(finding.digest or "", ())
    return [
        {
            "physicalLocation": {"artifactLocation": {"uri": quote(file)}, "region": {"startLine": line}},
            **logical,
        }
        for file, line in lines
    ] or [logical]


def junit(answer: Answer) -> str:
    """Write JUnit XML, which CI servers read: a suite for each export, a case for each question.

    Parameters
    ----------
    answer : Answer

    Returns
    -------
    str
        XML. Errors and warnings fail a case, notes are its output; a source that could not be read is an error.
    """
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name="cachegraph")
    findings = answer.findings.by_export()
    for export in answer.exports:
        suite = ET.SubElement(root, "testsuite", name=xml(export.name), tests=str(len(QUERIES)))
        own: Mapping[str, Findings[Any]] = findings[export.id].by_query() if export.id in findings else {}
        failed = 0
        for query in QUERIES:
            case = ET.SubElement(suite, "testcase", classname="cachegraph", name=query.name)
            found = own.get(query.name)
            if found is None:
                continue
            if bad := list(found.of("error", "warning")):
                failed += 1
                failure = ET.SubElement(case, "failure", message=xml(bad[0].message), type=bad[0].severity)
                failure.text = "\n".join(map(_junit_line, bad))
            if notes := list(found.of("note")):
                ET.SubElement(case, "system-out").text = "\n".join(map(_junit_line, notes))
        suite.set("failures", str(failed))
    if answer.failures:
        count = str(len(answer.failures))
        suite = ET.SubElement(root, "testsuite", name="sources", tests=count, errors=count, failures="0")
        for broken in answer.failures:
            case = ET.SubElement(suite, "testcase", classname="cachegraph", name=xml(broken.spec))
            ET.SubElement(case, "error", message=xml(str(broken.error)), type=type(broken.error).__name__)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _junit_line(finding: Finding) -> str:
    return xml(f"{finding.severity}: {finding.code} {finding.message}")


def html(answer: Answer) -> str:
    """Write one page that needs nothing else, for people.

    Parameters
    ----------
    answer : Answer

    Returns
    -------
    str
        HTML; every text of an export is escaped.
    """
    return render(
        "cachegraph.cli/report.html.jinja",
        exports=answer.exports,
        findings=answer.findings.by_export(),
        failures=answer.failures,
        questions={query.name: query for query in QUERIES},
        verdicts={export.id: verdict for export, verdict in zip(answer.exports, answer.verdicts, strict=True)},
        headline=headline,
        version=__version__,
    )


def _rows(answer: Answer, output: Output) -> str:
    """Write a row for each finding; the source is named beside the id that stands for it."""
    names = {export.id: export.name for export in answer.exports}
    rows = [{**finding.to_dict(), "source": names[finding.export]} for finding in answer.findings]
    columns = (*Finding.__dataclass_fields__, "code", "source")
    return ROWS[output.format](rows, columns, "", output)


def _markdown(answer: Answer, output: Output) -> str:
    lines = [_rows(answer, output).rstrip("\n")]
    if answer.failures:
        lines += ["", "Could not be read:", ""]
        lines += [f"- {markdown(failure.spec)}: {markdown(str(failure.error))}" for failure in answer.failures]
    return "\n".join(lines)


REPORTS: Mapping[str, Callable[[Answer, Output, bool], str]] = {
    "table": lambda answer, output, everything: summary(answer, output, everything=everything),
    "json": lambda answer, *_: json_text(answer.to_dict()),
    "csv": lambda answer, output, _: _rows(answer, output),
    "markdown": lambda answer, output, _: _markdown(answer, output),
    "sarif": lambda answer, *_: sarif(answer),
    "junit": lambda answer, *_: junit(answer),
    "html": lambda answer, *_: html(answer),
}
"""How the answer is written, by the name of the format; the last argument is whether everything is shown."""
