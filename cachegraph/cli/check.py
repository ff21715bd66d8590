"""``cachegraph check``: the main job. Read exports, ask everything, say what is wrong and what to do."""

from __future__ import annotations

import sys
from typing import Any

import click

from cachegraph.cli.options import FAIL_ON, fail_on_option, format_option, read_specs, source_options
from cachegraph.cli.output import print_json, print_rows
from cachegraph.graph import CacheGraph
from cachegraph.queries.base import SEVERITIES, Finding
from cachegraph.queries.findings import Findings

__all__ = ["check", "export_rows", "fails"]


@click.command(
    epilog="\b\nExamples:\n  cachegraph check ./cache\n  cachegraph check app:latest --format sarif > cache.sarif"
)
@source_options
@format_option("sarif", "junit", "html")
@fail_on_option("error")
@click.option("--all", "everything", is_flag=True, help="Show every finding in the table, notes included.")
def check(specs: tuple[str, ...], format_: str, fail_on: str, *, everything: bool, **how: Any) -> None:  # noqa: ANN401
    """Read every export that the SPECs name, ask every question, say what is wrong and what to do.

    A SPEC is what buildx takes for --cache-from (type=local,src=DIR, type=registry,ref=REF, ...), a path, or an image
    reference.
    """
    read = read_specs(specs, how)
    findings = read.graph.check()
    _print(read.graph, findings, format_, everything=everything)
    sys.exit(read.exit_code or fails(findings, fail_on))


def fails(findings: Findings, fail_on: str) -> int:
    """Give the exit code that the findings mean: 1 if one is at least as severe as `fail_on`, else 0."""
    worst = findings.worst()
    if fail_on == "never" or worst is None:
        return 0
    return int(SEVERITIES.index(worst) <= FAIL_ON.index(fail_on))


def export_rows(graph: CacheGraph) -> list[dict[str, Any]]:
    """Give the JSON object of each export."""
    return [
        {
            "id": export.id,
            "source": export.export.source,
            "kind": export.export.kind,
            "platform": export.export.platform,
            "records": len(export),
            "layers": len(export.export.config.layers),
            "importable": export.import_error is None,
            "import_error": export.import_error,
        }
        for export in graph
    ]


def _print(graph: CacheGraph, findings: Findings, format_: str, *, everything: bool) -> None:
    match format_:
        case "json":
            print_json({"exports": export_rows(graph), "findings": [finding.to_dict() for finding in findings]})
        case "csv" | "markdown":
            columns = tuple(Finding.__dataclass_fields__)
            print_rows([finding.to_dict() for finding in findings], columns, format_)
        case "table":
            from cachegraph.cli.summary import print_summary

            print_summary(graph, findings, everything=everything)
        case _:
            from cachegraph.cli.reports import REPORTS

            click.echo(REPORTS[format_](graph, findings))
