"""``cachegraph query`` and ``cachegraph queries``: one question, and the list of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from cachegraph.cli.answer import name_of
from cachegraph.cli.check import fails
from cachegraph.cli.findings import finding_lines, folded
from cachegraph.cli.formats import output_options
from cachegraph.cli.options import (
    SOURCE_OPTIONS,
    fail_on_option,
    neo4j_options,
    not_with,
    open_store,
    source_options,
)
from cachegraph.cli.output import Output, styled, write, write_rows
from cachegraph.cli.reading import read_specs
from cachegraph.queries.base import Query
from cachegraph.queries.catalogue import QUERIES, TOGETHER, get
from cachegraph.queries.findings import Findings
from cachegraph.text.clean import one_line, plain
from cachegraph.text.rules import CODES
from cachegraph.text.words import plural

__all__ = ["queries", "query"]


@click.command(
    epilog="\b\nExamples:\n  cachegraph query missing-results ./cache --format json\n"
    "  cachegraph query missing-results --neo4j"
)
@click.argument(
    "name", shell_complete=lambda _c, _p, start: [q.name for q in (*QUERIES, *TOGETHER) if q.name.startswith(start)]
)
@source_options
@output_options()
@fail_on_option("never")
@neo4j_options
@click.option("--export", help="With --neo4j: id of one export, or source of current ones.")
def query(
    name: str,
    specs: tuple[str, ...],
    outputs: tuple[Output, ...],
    fail_on: str,
    neo4j: str | None,
    database: str | None,
    export: str | None,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Ask the question NAME (or its code) of every export that the SPECs name.

    `cachegraph queries` lists the questions. With --neo4j the server answers, for the exports that were loaded into it.
    """
    question = get({code: one for one, code in CODES.items()}.get(name.upper(), name))
    name = question.name
    if neo4j is not None:
        not_with(SOURCE_OPTIONS, "--neo4j asks what was loaded", "Load the SPECs first: cachegraph load SPEC --neo4j.")
        with open_store(neo4j or None, database) as store:
            findings, code = store.ask(name, export), 0
            names = {one.id: one.name for one in store.exports(history=export is not None)}
        asked = True
    else:
        not_with(
            {"database": "--database", "export": "--export"}, "the SPECs are read without a server", "Give --neo4j."
        )
        read = read_specs(specs, how)
        findings, code = read.graph.query(name), read.exit_code
        names = {graph.id: name_of(graph) for graph in read.graph}
        asked = bool(names)
    for output in outputs if asked else ():
        if output.format == "table":
            write("\n".join(_lines(question, findings, names, output)), output)
        else:
            rows = [{**finding.to_dict(), "source": names.get(finding.export)} for finding in findings]
            write_rows(rows, (*question.columns, "code", "source"), output)
    sys.exit(code or fails(findings, fail_on))


def _lines(question: Query[Any], findings: Findings[Any], names: Mapping[str, str], output: Output) -> Iterator[str]:
    """Write the findings of each export under its name."""
    title = folded(f"{question.title} ({question.rule.code} {question.name})", output, before=0, indent=0)
    yield styled(title, output, bold=True)
    for export, own in findings.by_export().items():
        yield plain(one_line(names.get(export, export)))
        yield from finding_lines(own.worst_first(), output)
    if not findings:
        yield f"Nothing found in {plural(len(names), 'export')}."


@click.command(epilog="\b\nExample:\n  cachegraph queries --format markdown")
@output_options()
def queries(outputs: tuple[Output, ...]) -> None:
    """List the questions: what each asks, and how severe its findings are."""
    rows = [
        {
            "name": q.name,
            "code": q.rule.code,
            "question": q.title,
            "severity": q.severity,
            "meaning": q.meaning,
            "columns": list(q.columns),
        }
        for q in (*QUERIES, *TOGETHER)
    ]
    for output in outputs:
        shown = ("code", "name", "question") if output.format == "table" else tuple(rows[0])
        write_rows(rows, shown, output)
