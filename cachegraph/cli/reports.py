"""Reports of ``cachegraph check`` for other programs and for the browser: SARIF, JUnit XML, HTML."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import resources
from xml.etree import ElementTree as ET

from cachegraph import __version__
from cachegraph.core.graph import ExportGraph
from cachegraph.graph import CacheGraph
from cachegraph.queries.base import Finding
from cachegraph.queries.catalogue import QUERIES
from cachegraph.queries.findings import Findings

__all__ = ["REPORTS", "html", "junit", "sarif"]


def sarif(graph: CacheGraph, findings: Findings) -> str:
    """Write SARIF 2.1.0, which code scanning services read.

    Parameters
    ----------
    graph : CacheGraph
    findings : Findings

    Returns
    -------
    str
        JSON. Locations are logical: an export and a record, not a file and a line.
    """
    sources = {export.id: export for export in graph}
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


def junit(graph: CacheGraph, findings: Findings) -> str:
    """Write JUnit XML, which CI servers read: a suite for each export, a case for each question.

    Parameters
    ----------
    graph : CacheGraph
    findings : Findings

    Returns
    -------
    str
        XML. Errors and warnings fail a case, notes are its output.
    """
    root = ET.Element("testsuites", name="cachegraph")
    for export in graph:
        suite = ET.SubElement(root, "testsuite", name=_name(export), tests=str(len(QUERIES)))
        failed = 0
        for query in QUERIES:
            own = [f for f in findings if f.export == export.id and f.query == query.name]
            case = ET.SubElement(suite, "testcase", classname="cachegraph", name=query.name)
            bad = [f for f in own if f.severity != "note"]
            if bad:
                failed += 1
                failure = ET.SubElement(case, "failure", message=_legal(bad[0].message), type=bad[0].severity)
                failure.text = _legal("\n".join(f"{f.severity}: {f.message}" for f in bad))
            if notes := [f.message for f in own if f.severity == "note"]:
                ET.SubElement(case, "system-out").text = _legal("\n".join(notes))
        suite.set("failures", str(failed))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def html(graph: CacheGraph, findings: Findings) -> str:
    """Write one page that needs nothing else, for people.

    Parameters
    ----------
    graph : CacheGraph
    findings : Findings

    Returns
    -------
    str
        HTML; every text of an export is escaped.
    """
    from jinja2 import Environment

    from cachegraph.cli.summary import verdict

    template = resources.files("cachegraph.cli").joinpath("report.html.jinja").read_text("utf-8")
    exports = [(_name(e), verdict(e), [f for f in findings if f.export == e.id]) for e in graph]
    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(template)
    return page.render(exports=exports, queries={q.name: q for q in QUERIES}, version=__version__)


def _name(graph: ExportGraph) -> str:
    return _legal(f"{graph.export.source} {graph.export.platform or ''}".strip())


def _where(graph: ExportGraph, finding: Finding) -> str:
    return _name(graph) if finding.record is None else f"{_name(graph)}#records[{finding.record}]"


def _legal(text: str) -> str:
    """Replace what XML cannot hold."""
    return "".join(c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


REPORTS: Mapping[str, Callable[[CacheGraph, Findings], str]] = {"html": html, "junit": junit, "sarif": sarif}
"""Reports by the name of their format."""
