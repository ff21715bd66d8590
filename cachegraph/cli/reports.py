"""Reports of ``cachegraph check`` for other programs and for the browser: SARIF, JUnit XML, HTML."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from xml.etree import ElementTree as ET

from cachegraph import __version__
from cachegraph.cli.described import Described
from cachegraph.queries.base import Finding
from cachegraph.queries.catalogue import QUERIES
from cachegraph.queries.findings import Findings
from cachegraph.text.render import legal, render

__all__ = ["REPORTS", "html", "junit", "sarif"]


def sarif(exports: Sequence[Described], findings: Findings) -> str:
    """Write SARIF 2.1.0, which code scanning services read.

    Parameters
    ----------
    exports : sequence of Described
    findings : Findings

    Returns
    -------
    str
        JSON. Locations are logical: an export and a record, not a file and a line.
    """
    sources = {export.id: export for export in exports}
    rules = [
        {
            "id": query.name,
            "shortDescription": {"text": query.title},
            "fullDescription": {"text": query.meaning},
            "help": {"text": f"{query.meaning} Severity: {query.severity}."},
        }
        for query in QUERIES
    ]
    results = [
        {
            "ruleId": finding.query,
            "level": finding.severity,
            "message": {"text": finding.message},
            "locations": [
                {
                    "logicalLocations": [
                        {"fullyQualifiedName": _where(sources[finding.export], finding), "kind": "object"}
                    ]
                }
            ],
            "partialFingerprints": {
                "cachegraph/v1": f"{finding.query}/{finding.export}/{finding.record}/{finding.digest}"
            },
        }
        for finding in findings
    ]
    driver = {"name": "cachegraph", "version": __version__, "rules": rules}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    runs = [{"tool": {"driver": driver}, "results": results}]
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": runs}, indent=2)


def junit(exports: Sequence[Described], findings: Findings) -> str:
    """Write JUnit XML, which CI servers read: a suite for each export, a case for each question.

    Parameters
    ----------
    exports : sequence of Described
    findings : Findings

    Returns
    -------
    str
        XML. Errors and warnings fail a case, notes are its output.
    """
    root = ET.Element("testsuites", name="cachegraph")
    for export in exports:
        suite = ET.SubElement(root, "testsuite", name=legal(export.name), tests=str(len(QUERIES)))
        failed = 0
        for query in QUERIES:
            own = [f for f in findings if f.export == export.id and f.query == query.name]
            case = ET.SubElement(suite, "testcase", classname="cachegraph", name=query.name)
            bad = [f for f in own if f.severity != "note"]
            if bad:
                failed += 1
                failure = ET.SubElement(case, "failure", message=legal(bad[0].message), type=bad[0].severity)
                failure.text = legal("\n".join(f"{f.severity}: {f.message}" for f in bad))
            if notes := [f.message for f in own if f.severity == "note"]:
                ET.SubElement(case, "system-out").text = legal("\n".join(notes))
        suite.set("failures", str(failed))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def html(exports: Sequence[Described], findings: Findings) -> str:
    """Write one page that needs nothing else, for people.

    Parameters
    ----------
    exports : sequence of Described
    findings : Findings

    Returns
    -------
    str
        HTML; every text of an export is escaped.
    """
    asked = [(export, [f for f in findings if f.export == export.id]) for export in exports]
    questions = {query.name: query for query in QUERIES}
    return render("cachegraph.cli/report.html.jinja", exports=asked, queries=questions, version=__version__)


def _where(export: Described, finding: Finding) -> str:
    return export.name if finding.record is None else f"{export.name}#records[{finding.record}]"


REPORTS: Mapping[str, Callable[[Sequence[Described], Findings], str]] = {"html": html, "junit": junit, "sarif": sarif}
"""Reports by the name of their format."""
