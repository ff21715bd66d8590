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
    for index, record in enumerate(graph.export.config.records):
        name = graph.naming(index)
        texts = [result.created_at for result in record.layers] + [result.created_at for result in record.chains]
        yield {
            "export": graph.id,
            "record": index,
            "digest": record.digest,
            "op": name.op,
            "name": name.name or None,
            "is_root": graph.is_root(index),
            "inputs": [[{"record": a.link, "selector": a.selector or None} for a in slot] for slot in record.inputs],
            "results": [
                {
                    "kind": "chain" if graph.columns.is_chain[result] else "layer",
                    "blobs": list(graph.result_blobs(result)),
                    "created_at": None if text.startswith("0001-01-01T00:00:00") else text,
                    "loadable": graph.state(result).reason is None,
                    "reason": graph.state(result).reason,
                }
                for result, text in zip(graph.results(index), texts, strict=True)
            ],
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
