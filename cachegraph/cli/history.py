"""``cachegraph history``: a cache over time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import click

from cachegraph.cli.formats import output_options
from cachegraph.cli.naming import known_names
from cachegraph.cli.options import SOURCE_OPTIONS, neo4j_options, not_with, source_options, split_neo4j
from cachegraph.cli.output import ROWS, Output, write, write_rows
from cachegraph.cli.sides import count, options_of, read_exports, short_digests, write_answer
from cachegraph.cli.stored_sides import coverage, stored_history
from cachegraph.solver.history import History
from cachegraph.solver.history import history as follow
from cachegraph.text.clean import one_line

__all__ = ["history"]

_COLUMNS = (
    "source",
    "at",
    "records",
    "steps",
    "loadable",
    "bytes",
    "keys_gained",
    "keys_lost",
    "results_lost",
    "same_as",
)

_TABLE = ("export", "at", "steps", "loadable", "bytes", "keys_gained", "keys_lost", "same_as", "source")


@click.command(
    epilog="\b\nExamples:\n  cachegraph history ./cache\n  cachegraph history --neo4j\n"
    "  cachegraph history ./monday ./tuesday ./wednesday --format csv"
)
@source_options
@neo4j_options
@output_options()
def history(
    specs: tuple[str, ...],
    outputs: tuple[Output, ...],
    neo4j: str | None,
    database: str | None,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Follow a cache through its exports, oldest first: coverage, contents that take turns, results that went.

    With one SPEC that is a directory: all exports that the directory still has. With --neo4j all that were loaded of
    each SPEC; without a SPEC, the coverage of every source over time.
    """
    if neo4j is None:
        not_with({"database": "--database"}, "the SPECs are read without a server", "Give --neo4j.")
    else:
        specs, uri = split_neo4j(specs, neo4j)
        others = {name: shown for name, shown in SOURCE_OPTIONS.items() if name != "specs"}
        not_with(others, "--neo4j asks what was loaded", "Leave it out.")
        if specs:
            for spec in specs:
                _write(follow(stored_history(spec, uri, database)), outputs)
        else:
            _write_coverage(uri, database, outputs)
        return
    count(specs, how, range(1, 10_001), "at least one SPEC")
    with options_of(how) as options:
        if len(specs) == 1:
            from cachegraph.loaders.previous import versions

            exports = versions(specs[0], options)
        else:
            exports = [export for spec in specs for export in read_exports(spec, options)]
        known = known_names(how, options, exports)
    _write(follow(known.graphs(exports)), outputs)


def _write(found: History, outputs: tuple[Output, ...]) -> None:
    for output in outputs:
        if output.format == "table":
            write("\n".join([ROWS["table"](_short(found), _TABLE, "", output), "", *_said(found)]), output)
        else:
            answer = {"summary": found.summary, "exports": found.to_dicts(), "events": found.events.to_dicts()}
            write_answer(answer, found.to_dicts(), _COLUMNS, found.summary, output)


def _write_coverage(uri: str | None, database: str | None, outputs: tuple[Output, ...]) -> None:
    """Write a line for each export of each source."""
    columns, rows = coverage(uri, database)
    for output in outputs:
        if output.format != "table":
            write_rows(rows, columns, output)
            continue
        shown = []
        for row in rows:
            share = "" if row["coverage"] is None else f"{row['coverage']:.0%}"
            at = str(row["loaded_at"])[:19].replace("T", " ")
            name = f"{row['source']} {row['platform'] or ''}".rstrip()
            shown.append(
                {"source": name, "loaded": at, "steps": row["steps"], "loadable": row["loadable"], "coverage": share}
            )
        write_rows(shown, ("source", "loaded", "steps", "loadable", "coverage"), output)


def _short(found: History) -> list[dict[str, Any]]:
    """Make the points fit a line: times without fractions, sources without what they have in common."""
    rows = short_digests(found.to_dicts())
    fields = [row["source"].split(",") for row in rows]
    same = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*fields, strict=False)))
    kept = 0 if len({row["source"] for row in rows}) == 1 else same
    for number, row in enumerate(rows):
        row["export"] = number
        row["at"] = (row["at"] or "")[:19].replace("T", " ")
        row["source"] = ",".join(fields[number][kept:])
    return rows


def _said(found: History) -> Iterator[str]:
    for event in found.events:
        what = event.name or event.digest[:19]
        since = f" after {event.since}" if event.since else ""
        said = {
            "alternates": f"the same content as export {event.position - 2}",
            "result gone": f"the result of {what} went{since}, its key stayed",
            "result back": f"the result of {what} is there again",
        }[event.kind]
        yield one_line(f"export {event.position}: {said}")
    yield found.summary
