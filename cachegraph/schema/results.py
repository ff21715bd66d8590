"""Facts about results: what BuildKit can load of them, their layers, their bytes."""

from __future__ import annotations

from itertools import accumulate, chain, pairwise

from cachegraph.core.graph import ExportGraph
from cachegraph.core.results import State
from cachegraph.core.times import known
from cachegraph.schema.properties import Column, Ends, Node, Property, Relationship, once

__all__ = ["HAS_RESULT", "RESULT", "USES"]

_REASONS = [state.reason for state in State]


def _ids(graph: ExportGraph) -> Column:
    return [
        f"{graph.id}/r{index}/{kind}{number}"
        for index, record in enumerate(graph.export.config.records)
        for kind, results in (("layers", record.layers), ("chains", record.chains))
        for number in range(len(results))
    ]


@once
def _layers(graph: ExportGraph) -> list[list[int]]:
    """List the layers of each result, bottom first."""
    return [graph.result_layers(result) for result in range(len(graph.columns.is_chain))]


def _bytes(graph: ExportGraph) -> Column:
    sizes = [graph.sizes.get(layer.blob) for layer in graph.export.config.layers]
    if None not in sizes:  # nearly always, or none is known
        return [sum(sizes[layer] or 0 for layer in layers) for layers in _layers(graph)]
    return [
        None if any(sizes[layer] is None for layer in layers) else sum(sizes[layer] or 0 for layer in layers)
        for layers in _layers(graph)
    ]


RESULT = Node(
    "Result",
    "What a record's operation made, as far as the export holds it.",
    (
        Property("id", "string", "<record id>/<layers or chains><n>.", _ids),
        Property(
            "kind",
            "string",
            "layer (a layer with all of its parents) or chain (exactly these layers).",
            lambda g: ["chain" if chained else "layer" for chained in g.columns.is_chain],
            words=("layer", "chain"),
            column="result_kind",
        ),
        Property(
            "created_at",
            "time",
            "When it was made; null where unknown, or outside of the years 1678 to 2261.",
            lambda g: [known(ns) for ns in g.result_times],
        ),
        Property(
            "bytes", "integer", "Bytes of its blobs together; null where one is unknown.", _bytes, column="result_bytes"
        ),
        Property(
            "loadable",
            "boolean",
            "Whether BuildKit can load it.",
            lambda g: [state == State.LOADABLE for state in g.resolved.result],
            column="result_loadable",
        ),
        Property(
            "reason",
            "string",
            "Why not: blob-damaged, blob-missing, blob-not-listed or invalid; null if it can.",
            lambda g: [_REASONS[state] for state in g.resolved.result],
            words=("blob-damaged", "blob-missing", "blob-not-listed", "invalid"),
        ),
    ),
)


def _uses(graph: ExportGraph) -> Ends:
    layers = _layers(graph)
    return list(accumulate(map(len, layers), initial=0)), list(chain.from_iterable(layers))


HAS_RESULT = Relationship(
    "HAS_RESULT",
    "Record",
    "Result",
    "The record has the result.",
    lambda graph: (graph.columns.result_ptr, range(len(graph.columns.is_chain))),
    (
        Property(
            "position",
            "integer",
            "Order in which BuildKit reads it: layers before chains.",
            lambda g: [position for low, high in pairwise(g.columns.result_ptr) for position in range(high - low)],
        ),
    ),
)
USES = Relationship(
    "USES",
    "Result",
    "Layer",
    "The result holds the layer.",
    _uses,
    (
        Property(
            "position",
            "integer",
            "From the bottom, 0 first.",
            lambda g: [position for layers in _layers(g) for position in range(len(layers))],
            column="layer_position",
        ),
    ),
)
