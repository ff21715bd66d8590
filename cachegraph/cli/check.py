"""``cachegraph check``: the main job. Read exports, ask everything, say what is wrong and what to do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from cachegraph.cli.described import Described, described, described_in_store
from cachegraph.cli.options import (
    FAIL_ON,
    fail_on_option,
    format_option,
    neo4j_options,
    open_store,
    source_options,
)
from cachegraph.cli.output import print_json, print_rows
from cachegraph.cli.reading import read_specs
from cachegraph.queries.base import SEVERITIES, Finding
from cachegraph.queries.findings import Findings

__all__ = ["check", "fails"]


@click.command(
    epilog="\b\nExamples:\n  cachegraph check ./cache\n  cachegraph check app:latest --format sarif > cache.sarif\n"
    "  cachegraph check --neo4j"
)
@source_options
@format_option("sarif", "junit", "html")
@fail_on_option("error")
@click.option("--all", "everything", is_flag=True, help="Show every finding in the table, notes included.")
@neo4j_options
@click.option("--export", help="With --neo4j: id of one export, or source of current ones.")
def check(
    specs: tuple[str, ...],
    format_: str,
    fail_on: str,
    neo4j: str | None,
    database: str | None,
    export: str | None,
    *,
    everything: bool,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Read every export that the SPECs name, ask every question, say what is wrong and what to do.

    A SPEC is what buildx takes for --cache-from (type=local,src=DIR, type=registry,ref=REF, ...), a path, or an image
    reference. With --neo4j the exports that were loaded into the server are asked instead.
    """
    if neo4j is not None:
        if specs or how["files"]:
            raise click.UsageError("--neo4j asks what was loaded: give no SPEC, or load it first")
        with open_store(neo4j or None, database) as store:
            findings = store.check(export)
            stored = store.exports(history=export is not None)
        asked = [e for e in stored if e.id == export or (e.current and export in (None, e.source))]
        exports, code = [described_in_store(found) for found in asked], 0
    else:
        read = read_specs(specs, how)
        findings, exports, code = read.graph.check(), [described(graph) for graph in read.graph], read.exit_code
    _print(exports, findings, format_, everything=everything)
    sys.exit(code or fails(findings, fail_on))


def fails(findings: Findings, fail_on: str) -> int:
    """Give the exit code that the findings mean: 1 if one is at least as severe as `fail_on`, else 0."""
    worst = findings.worst()
    if fail_on == "never" or worst is None:
        return 0
    return int(SEVERITIES.index(worst) <= FAIL_ON.index(fail_on))


def _print(exports: Sequence[Described], findings: Findings, format_: str, *, everything: bool) -> None:
    match format_:
        case "json":
            rows = [{name: value for name, value in asdict(e).items() if name != "verdict"} for e in exports]
            print_json({"exports": rows, "findings": [finding.to_dict() for finding in findings]})
        case "csv" | "markdown":
            columns = tuple(Finding.__dataclass_fields__)
            print_rows([finding.to_dict() for finding in findings], columns, format_)
        case "table":
            from cachegraph.cli.summary import print_summary

            print_summary(exports, findings, everything=everything)
        case _:
            from cachegraph.cli.reports import REPORTS

            click.echo(REPORTS[format_](exports, findings))
