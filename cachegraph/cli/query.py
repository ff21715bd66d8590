"""``cachegraph query`` and ``cachegraph queries``: one question, and the list of them."""

from __future__ import annotations

import sys
from typing import Any

import click

from cachegraph.cli.check import fails
from cachegraph.cli.options import (
    FORMATS,
    fail_on_option,
    format_option,
    neo4j_options,
    open_store,
    source_options,
)
from cachegraph.cli.output import print_rows
from cachegraph.cli.reading import read_specs
from cachegraph.queries.catalogue import QUERIES, get

__all__ = ["queries", "query"]


@click.command(
    epilog="\b\nExamples:\n  cachegraph query missing-results ./cache --format json\n"
    "  cachegraph query missing-results --neo4j"
)
@click.argument("name", shell_complete=lambda _c, _p, start: [q.name for q in QUERIES if q.name.startswith(start)])
@source_options
@format_option()
@fail_on_option("never")
@neo4j_options
@click.option("--export", help="With --neo4j: id of one export, or source of current ones.")
def query(
    name: str,
    specs: tuple[str, ...],
    format_: str,
    fail_on: str,
    neo4j: str | None,
    database: str | None,
    export: str | None,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Ask the question NAME of every export that the SPECs name.

    `cachegraph queries` lists the questions. With --neo4j the server answers, for the exports that were loaded into it.
    """
    question = get(name)
    if neo4j is not None:
        if specs or how["files"]:
            raise click.UsageError("--neo4j asks what was loaded: give no SPEC, or load it first")
        with open_store(neo4j or None, database) as store:
            findings, code, anything = store.ask(name, export), 0, True
    else:
        read = read_specs(specs, how)
        findings, code, anything = read.graph.query(name), read.exit_code, bool(read.graph.graphs)
    if anything:
        columns = [column for column in question.columns if column not in ("query", "export", "digest")]
        rows = [finding.to_dict() for finding in findings]
        print_rows(rows, columns if format_ == "table" else question.columns, format_, title=question.title)
    sys.exit(code or fails(findings, fail_on))


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
