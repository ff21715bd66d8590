"""``cachegraph query`` and ``cachegraph queries``: one question, and the list of them."""

from __future__ import annotations

import sys
from typing import Any

import click

from cachegraph.cli.check import fails
from cachegraph.cli.options import FORMATS, fail_on_option, format_option, read_specs, source_options
from cachegraph.cli.output import print_rows
from cachegraph.queries.catalogue import QUERIES, get

__all__ = ["queries", "query"]


@click.command(epilog="\b\nExample:\n  cachegraph query missing-results ./cache --format json")
@click.argument("name", shell_complete=lambda _c, _p, start: [q.name for q in QUERIES if q.name.startswith(start)])
@source_options
@format_option()
@fail_on_option("never")
def query(name: str, specs: tuple[str, ...], format_: str, fail_on: str, **how: Any) -> None:  # noqa: ANN401
    """Ask the question NAME of every export that the SPECs name.

    `cachegraph queries` lists the questions.
    """
    question = get(name)
    read = read_specs(specs, how)
    findings = read.graph.query(question.name)
    columns = [column for column in question.columns if column not in ("query", "export", "digest")]
    rows = [finding.to_dict() for finding in findings]
    if read.graph.graphs:
        print_rows(rows, columns if format_ == "table" else question.columns, format_, title=question.title)
    sys.exit(read.exit_code or fails(findings, fail_on))


@click.command(epilog="\b\nExample:\n  cachegraph queries --format markdown")
@click.option(
    "--format",
    "-f",
    "format_",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to write the list.",
)
def queries(format_: str) -> None:
    """List the questions: what each asks, and how severe its findings are."""
    rows = [
        {"name": q.name, "question": q.title, "severity": q.severity, "meaning": q.meaning, "columns": list(q.columns)}
        for q in QUERIES
    ]
    shown = ("name", "question", "severity") if format_ == "table" else tuple(rows[0])
    print_rows(rows, shown, format_)
