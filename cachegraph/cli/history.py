"""``cachegraph history``: a cache over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from cachegraph.cli.findings import folded
from cachegraph.cli.formats import output_options
from cachegraph.cli.naming import known_names
from cachegraph.cli.options import SOURCE_OPTIONS, neo4j_options, not_with, source_options, split_neo4j
from cachegraph.cli.output import ROWS, Output, write, write_rows
from cachegraph.cli.sides import count, options_of, read_exports, write_answer
from cachegraph.cli.stored_sides import coverage, stored_history
from cachegraph.solver.history import history as follow
from cachegraph.solver.history_rows import History, Point
from cachegraph.solver.history_words import QUIET
from cachegraph.text.clean import one_line
from cachegraph.text.words import ended, size_text

__all__ = ["history"]

_COLUMNS = (
    "source",
    "platform",
    "at",
    "records",
    "steps",
    "loadable",
    "carried",
    "bytes",
    "new_bytes",
    "ran",
    "kept",
    "unknown",
    "cause",
    "keys_gained",
    "keys_lost",
    "results_lost",
    "same_as",
    "said",
)

_TABLE = ("export", "newest result", "ran", "loadable", "size", "new")


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
    """Follow a cache through its exports, oldest first: what each build ran and why, growth, results that went.

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
    _write(follow(known.graphs(exports), texts=known.plaintexts, references=known.references), outputs)


def _write(found: History, outputs: tuple[Output, ...]) -> None:
    for output in outputs:
        if output.format == "table":
            lines = [folded(line, output, before=0, indent=2) for line in _said(found)]
            write("\n".join([ROWS["table"](_short(found), _TABLE, "", output), "", *lines]), output)
        else:
            answer = {
                "summary": found.summary,
                "exports": found.to_dicts(),
                "changes": found.changes.to_dicts(),
                "events": found.events.to_dicts(),
            }
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
    """Give the table's row for each export."""
    return [
        {
            "export": label,
            "newest result": (point.at or "unknown")[:16].replace("T", " "),
            "ran": _ran(point),
            "loadable": f"{point.loadable:,} of {point.steps:,}",
            "size": size_text(point.bytes),
            "new": "" if not point.new_bytes else size_text(point.new_bytes),
        }
        for label, point in zip(found.labels, found, strict=True)
    ]


def _ran(point: Point) -> str:
    """Say how many steps ran; a range where that cannot be told of some."""
    if point.ran is None:
        return ""
    most = point.ran + (point.unknown or 0)
    return f"{point.ran:,}{f' to {most:,}' if point.unknown else ''} of {point.steps:,}"


def _said(found: History) -> Iterator[str]:
    """Say what happened at each export, but where nothing did, and in the end what that comes to."""
    for label, point in zip(found.labels, found, strict=True):
        if point.said != QUIET:
            yield one_line(ended(f"{label}: {point.said}"))
    yield ""
    yield found.summary
    if any(not change.name for change in found.changes):
        yield "Not all steps have names: --names tells what they do (the provenance of an image, or a Dockerfile)."
