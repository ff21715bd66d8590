"""``cachegraph records``: what an export holds, record by record."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from cachegraph.cli.answer import name_of
from cachegraph.cli.formats import output_options
from cachegraph.cli.options import not_with, source_options
from cachegraph.cli.output import ROWS, Output, styled, width, write, write_rows
from cachegraph.cli.reading import read_specs
from cachegraph.cli.tree import indent, tree_lines
from cachegraph.core.graph import ExportGraph
from cachegraph.core.times import rfc3339
from cachegraph.schema.facts import whole
from cachegraph.text.clean import one_line

__all__ = ["record_rows", "records"]

_COLUMNS = ("record", "state", "op", "name", "digest", "inputs", "results")


@click.command(
    epilog="\b\nExamples:\n  cachegraph records ./cache --format json\n  cachegraph records app:cache --tree"
)
@source_options
@output_options()
@click.option("--tree", is_flag=True, help="Show them in the order of a Dockerfile, what a step takes before it.")
def records(specs: tuple[str, ...], outputs: tuple[Output, ...], *, tree: bool, **how: Any) -> None:  # noqa: ANN401 - values of source_options
    """List the records of every export that the SPECs name: inputs, results, and what BuildKit can load."""
    if tree and any(output.format != "table" for output in outputs):
        not_with({"tree": "--tree"}, "only the table can be a tree", "The inputs are in every format.")
    read = read_specs(specs, how)
    for output in outputs if read.graph.graphs else ():
        if tree:
            write("\n\n".join("\n".join(_tree(graph, output)) for graph in read.graph), output)
        elif output.format == "table":
            tables = [ROWS["table"](_lines(graph), _COLUMNS, name_of(graph), output) for graph in read.graph]
            write("\n\n".join(tables), output)
        elif output.format == "json":
            write_rows([row for graph in read.graph for row in record_rows(graph)], (), output)
        else:
            rows = [row for graph in read.graph for row in _lines(graph)]
            write_rows(rows, (*_COLUMNS, "source"), output)
    sys.exit(read.exit_code)


def record_rows(graph: ExportGraph) -> Iterator[dict[str, Any]]:
    """Give the JSON object of each record.

    Parameters
    ----------
    graph : ExportGraph
    """
    results = [
        {
            "kind": kind,
            "blobs": list(graph.result_blobs(result)),
            "created_at": None if created_at is None else rfc3339(created_at),
            "loadable": loadable,
            "reason": reason,
        }
        for result, (kind, created_at, loadable, reason) in enumerate(
            whole(graph, "Result").each("kind", "created_at", "loadable", "reason")
        )
    ]
    records = whole(graph, "Record").each("index", "digest", "op", "name", "is_root")
    for (index, digest, op, name, is_root), record in zip(records, graph.export.config.records, strict=True):
        held = graph.results(index)
        yield {
            "export": graph.id,
            "record": index,
            "digest": digest,
            "op": op,
            "name": name,
            "is_root": is_root,
            "inputs": [[{"record": a.link, "selector": a.selector or None} for a in slot] for slot in record.inputs],
            "results": results[held.start : held.stop],
        }


def _tree(graph: ExportGraph, output: Output) -> Iterator[str]:
    """Give the lines of the tree: the state, the name under what it stands on, and the index."""
    yield styled(name_of(graph), output, bold=True)
    known = graph.export.results_known
    for line in tree_lines(graph):
        name = one_line(graph.namings[line.record].name) or graph.record(line.record).digest[:19]
        index = f"[{line.record}]"
        if line.again:
            yield f"  {'above':<10}{indent(line)}{_cut(name, output, line.depth)} {index}"
            continue
        source = graph.is_root(line.record)
        cached = "cached" if graph.loadable[line.record] else "source" if source else "no result"
        state = cached if known or source else "key"
        yield f"  {state:<10}{indent(line)}{_cut(name, output, line.depth)} {index}"


def _cut(name: str, output: Output, depth: int) -> str:
    """Keep a line within the terminal; elsewhere it stays whole."""
    room = max(width() - 22 - 2 * depth, 30)
    if not output.is_terminal or len(name) <= room:
        return name
    return f"{name[:room].rsplit(' ', 1)[0]}..."


def _lines(graph: ExportGraph) -> list[dict[str, Any]]:
    return [{**_flat(row), "source": name_of(graph)} for row in record_rows(graph)]


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Make a record fit a line: slots between commas, alternatives between bars."""
    loadable = any(result["loadable"] for result in row["results"])
    state = "loadable" if loadable else "root" if row["is_root"] else "key only"
    return {
        **row,
        "state": state,
        "name": row["name"] or "",
        "digest": row["digest"][:19],
        "inputs": ", ".join("|".join(str(a["record"]) for a in slot) for slot in row["inputs"]),
        "results": ", ".join(
            f"{result['kind']} of {len(result['blobs'])}" + (f" ({result['reason']})" if result["reason"] else "")
            for result in row["results"]
        ),
    }
