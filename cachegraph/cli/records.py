"""``cachegraph records``: what an export holds, record by record."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from cachegraph.cli.answer import name_of
from cachegraph.cli.formats import output_options
from cachegraph.cli.options import source_options
from cachegraph.cli.output import ROWS, Output, write, write_rows
from cachegraph.cli.reading import read_specs
from cachegraph.core.graph import ExportGraph
from cachegraph.core.times import rfc3339
from cachegraph.schema.facts import whole

__all__ = ["record_rows", "records"]

_COLUMNS = ("record", "state", "op", "name", "digest", "inputs", "results")


@click.command(epilog="\b\nExample:\n  cachegraph records ./cache --format json")
@source_options
@output_options()
def records(specs: tuple[str, ...], outputs: tuple[Output, ...], **how: Any) -> None:  # noqa: ANN401
    """List the records of every export that the SPECs name: inputs, results, and what BuildKit can load."""
    read = read_specs(specs, how)
    for output in outputs if read.graph.graphs else ():
        if output.format == "table":
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
