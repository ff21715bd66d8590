"""``cachegraph diff``: what changed between two exports."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from cachegraph.cli.findings import folded
from cachegraph.cli.formats import output_options
from cachegraph.cli.naming import known_names
from cachegraph.cli.options import neo4j_options, not_with, source_options, split_neo4j, takes
from cachegraph.cli.output import ROWS, Output, write
from cachegraph.cli.sides import count, options_of, read_exports, write_answer
from cachegraph.cli.stored_sides import stored_before
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport
from cachegraph.solver.diff import Diff
from cachegraph.solver.diff import diff as compare
from cachegraph.solver.rows import as_json

__all__ = ["diff"]

_DIFFERS = {"instruction": "itself", "input": "what it takes", "result": "only its result"}
_COLUMNS = ("change", "old", "new", "name", "digest", "loadable", "cause", "begins", "slot")


@click.command(
    epilog="\b\nExamples:\n  cachegraph diff ./cache-before ./cache-now\n  cachegraph diff ./cache^1 ./cache\n"
    "  cachegraph diff registry.example.com/app:cache --neo4j\n"
    "  cachegraph diff app:cache-main app:cache-branch --fail-on lost-results"
)
@takes("[OLD] NEW")
@source_options
@neo4j_options
@output_options()
@click.option(
    "--fail-on",
    type=click.Choice(["never", "lost-results", "any"]),
    default="never",
    show_default=True,
    help="Exit with 1 when a result that could be loaded cannot be any more, or when anything differs.",
)
def diff(
    specs: tuple[str, ...],
    outputs: tuple[Output, ...],
    fail_on: str,
    neo4j: str | None,
    database: str | None,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Compare two exports, OLD and NEW: keys and results that are gained and lost, and where each difference begins.

    SPEC^1 is the export before in the same directory; with one SPEC alone, it is compared with that. With --neo4j OLD
    comes from there: the current export of the same source, or the one before if that is NEW itself.
    """
    uri = None
    if neo4j is None:
        not_with({"database": "--database"}, "the SPECs are read without a server", "Give --neo4j.")
    else:
        specs, uri = split_neo4j(specs, neo4j)
    count(specs, how, (1, 2), "OLD and NEW, or one SPEC to compare with the export before it")
    old, new = specs if len(specs) == 2 else (f"{specs[0]}^1", specs[0])
    olds: Sequence[CacheExport | ExportGraph]
    with options_of(how) as options:
        news = read_exports(new, options)
        if neo4j is not None:
            olds = stored_before([new if len(specs) == 1 else old], news, uri, database)
        else:
            olds = read_exports(old, options)
        known = known_names(how, options, [*olds, *news])
    found = compare(known.graphs(olds), known.graphs(news))
    for output in outputs:
        if output.format == "table":
            write("\n\n".join([*_groups(found, output), folded(found.summary, output, before=0, indent=2)]), output)
        else:
            answer = {
                "summary": found.summary,
                "old": as_json(found.old),
                "new": as_json(found.new),
                "same": found.same,
                "changes": found.to_dicts(),
            }
            write_answer(answer, found.to_dicts(), _COLUMNS, found.summary, output)
    lost = fail_on == "lost-results" and found.lost_results
    sys.exit(1 if lost or (fail_on == "any" and len(found)) else 0)


def _groups(found: Diff, output: Output) -> list[str]:
    """Write a line for each place where a difference begins, what follows from it folded."""
    rows = []
    for (change, _), members in found.groups.items():
        first = members[0]
        place = first.new if first.old is None or change.endswith("gained") else first.old
        rows.append(
            {
                "change": change,
                "begins with": first.name or first.digest[:19],
                "record": place,
                "what differs": _DIFFERS[first.cause],
                "records after it": len(members) - 1 or "",
            }
        )
    return (
        [ROWS["table"](rows, ("change", "begins with", "record", "what differs", "records after it"), "", output)]
        if rows
        else []
    )
