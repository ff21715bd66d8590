"""``cachegraph records``: what an export holds, record by record."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from cachegraph.cli.options import format_option, source_options
from cachegraph.cli.output import print_json, print_rows
from cachegraph.cli.reading import read_specs
from cachegraph.core.graph import ExportGraph

__all__ = ["record_rows", "records"]


@click.command(epilog="\b\nExample:\n  cachegraph records ./cache --format json")
@source_options
@format_option()
def records(specs: tuple[str, ...], format_: str, **how: Any) -> None:  # noqa: ANN401
    """List the records of every export that the SPECs name: inputs, results, and what BuildKit can load."""
    read = read_specs(specs, how)
    if format_ == "json":
        if read.graph.graphs:
            print_json([row for graph in read.graph for row in record_rows(graph)])
    else:
        for graph in read.graph:
            rows = [_flat(row) for row in record_rows(graph)]
            print_rows(
                rows, ("record", "state", "op", "name", "digest", "inputs", "results"), format_, title=_title(graph)
            )
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


def _title(graph: ExportGraph) -> str:
    return f"{graph.export.source} {graph.export.platform or ''}".strip()
