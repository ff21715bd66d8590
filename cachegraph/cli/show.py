"""``cachegraph show``: one record, whole."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from cachegraph.cli.answer import name_of
from cachegraph.cli.formats import output_options
from cachegraph.cli.options import source_options, takes
from cachegraph.cli.output import Output, json_text, styled, write
from cachegraph.cli.reading import read_specs
from cachegraph.cli.records import record_rows
from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UnknownNameError
from cachegraph.text.clean import one_line, plain
from cachegraph.text.words import size_text

__all__ = ["found_records", "show"]

_MOST = 20  # lines of inputs, dependents and layers each
_LIKE = 10  # records that are listed where several are meant


@click.command(
    epilog="\b\nExamples:\n  cachegraph show ./cache 7\n  cachegraph show app:cache 'npm ci'\n"
    "  cachegraph show ./cache sha256:745adc93 --format json"
)
@takes("SPEC RECORD")
@source_options
@output_options(only=("table", "json"))
def show(specs: tuple[str, ...], outputs: tuple[Output, ...], **how: Any) -> None:  # noqa: ANN401 - values of source_options
    """Show one record of the export SPEC: its command, what it takes, what takes it, its results.

    The record is given by its index, by the start of its digest, or by words of its name.
    """
    if len(specs) != 2 or how["files"]:
        raise click.UsageError("give SPEC and RECORD: an index, the start of a digest, or words of a name")
    read = read_specs(specs[:1], how)
    found = [(graph, record) for graph in read.graph for record in found_records(graph, specs[1])]
    if read.graph.graphs and not found:
        raise UnknownNameError(f"{specs[0]}: no record {specs[1]!r}", hint="cachegraph records lists them")
    for output in outputs if found else ():
        if output.format == "json":
            write(json_text([_object(graph, record) for graph, record in found]), output)
        else:
            write("\n\n".join("\n".join(_lines(graph, record, output)) for graph, record in found), output)
    sys.exit(read.exit_code)


def found_records(graph: ExportGraph, wanted: str) -> list[int]:
    """Find the record that is meant; none where the export has no such record.

    Parameters
    ----------
    graph : ExportGraph
    wanted : str
        An index, the start of a digest (with or without ``sha256:``), or words of a name.

    Raises
    ------
    UnknownNameError
        Several records have these words in their names, and one is wanted.
    """
    if wanted.isdecimal() and len(wanted) < 7:
        return [int(wanted)] if int(wanted) < len(graph) else []
    digest = wanted.removeprefix("sha256:").lower()
    records = graph.export.config.records
    if len(digest) > 3 and (by_digest := [i for i, r in enumerate(records) if r.digest[7:].startswith(digest)]):
        return by_digest
    words = wanted.casefold().split()
    named = [i for i, name in enumerate(graph.namings) if name.name and _has(name.name, words)]
    # The step itself, not the files that it takes.
    steps = [i for i in named if graph.namings[i].op not in ("content", "source")] or named
    if len(steps) > 1 and len({records[i].digest for i in steps}) > 1:
        listed = "; ".join(f"{i} ({one_line(graph.namings[i].name)[:50]})" for i in steps[:_LIKE])
        more = f" and {len(steps) - _LIKE} more" if len(steps) > _LIKE else ""
        raise UnknownNameError(f"{wanted!r} is in the names of several records", hint=f"give one: {listed}{more}")
    return steps


def _has(name: str, words: list[str]) -> bool:
    folded = name.casefold()
    return bool(words) and all(word in folded for word in words)


def _object(graph: ExportGraph, record: int) -> dict[str, Any]:
    row = next(row for index, row in enumerate(record_rows(graph)) if index == record)
    name = graph.namings[record]
    return {
        **row,
        "source": name_of(graph),
        "text": name.text or None,
        "places": [{"file": file, "line": line} for file, line in name.places],
        "dependents": list(dict.fromkeys(graph.links.dependents[record])),
    }


def _lines(graph: ExportGraph, record: int, output: Output) -> Iterator[str]:
    name, own = graph.namings[record], graph.record(record)
    yield styled(f"record {record} of {name_of(graph)}", output, bold=True)
    for line in (name.text or name.name or "no name is known").splitlines():
        yield f"  {plain(line)}"
    yield ""
    yield f"  digest    {own.digest}"
    yield f"  operation {name.op}"
    for file, line_number in name.places:
        yield f"  asked for in {file}:{line_number}"
    yield from _inputs(graph, record)
    takers = [f"    {graph.title(taker)}" for taker in dict.fromkeys(graph.links.dependents[record])]
    yield from _some("  taken by", takers, "    nothing: a build ends here")
    yield from _results(graph, record)


def _inputs(graph: ExportGraph, record: int) -> Iterator[str]:
    lines = []
    for number, slot in enumerate(graph.record(record).inputs):
        for place, alternative in enumerate(slot):
            start = f"    slot {number}" if place == 0 else "      or  "
            inside = 0 <= alternative.link < len(graph)
            title = graph.title(alternative.link) if inside else f"record {alternative.link}, which is not there"
            selector = alternative.selector
            path = graph.names.selectors.get(selector, selector[:19]) if selector else ""
            lines.append(f"{start}  {title}" + (f" at {one_line(path)}" if path else ""))
    yield from _some("  takes", lines, "    nothing: it is a source")


def _results(graph: ExportGraph, record: int) -> Iterator[str]:
    row = next(row for index, row in enumerate(record_rows(graph)) if index == record)
    if not row["results"]:
        yield "  results"
        yield "    none in this export"
    for result in row["results"]:
        state = "can be loaded" if result["loadable"] else f"cannot be loaded: {result['reason']}"
        yield f"  result of {result['created_at'] or 'an unknown time'}, {state}"
        sizes = graph.sizes
        blobs = [f"    {blob}  {size_text(sizes.get(blob))}" for blob in result["blobs"]]
        yield from _some(None, blobs, "    without layers")


def _some(title: str | None, lines: list[str], otherwise: str) -> Iterator[str]:
    if title is not None:
        yield title
    yield from lines[:_MOST] or [otherwise]
    if len(lines) > _MOST:
        yield f"    and {len(lines) - _MOST:,} more (--format json lists all)"
