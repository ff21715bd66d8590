"""Facts about layers and the blobs that hold them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any, get_args

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Blob, Fault
from cachegraph.core.times import known_times
from cachegraph.schema.properties import Column, Ends, Node, Property, Relationship, keys, once

__all__ = ["BLOB", "BLOB_OF", "HAS_LAYER", "HAS_STRAY", "LAYER", "LISTS", "PARENT"]


def _count(graph: ExportGraph) -> int:
    return len(graph.export.config.layers)


def _created_at(graph: ExportGraph) -> Column:
    layers, history = graph.export.config.layers, graph.export.layer_history
    annotated = [layer.annotations.created_at if layer.annotations else None for layer in layers]
    return known_times([history[i][0] if i < len(history) else annotated[i] for i in range(len(layers))])


def _created_by(graph: ExportGraph) -> Column:
    history = graph.export.layer_history
    return [history[index][1] if index < len(history) else None for index in range(_count(graph))]


LAYER = Node(
    "Layer",
    "A layer of an export: a blob upon a parent.",
    (
        Property("id", "string", "<export id>/l<index>.", keys("l", _count)),
        Property(
            "index", "integer", "Index in the export's own layers.", lambda g: range(_count(g)), column="layer_index"
        ),
        Property("created_at", "time", "When it was made; null where unknown.", _created_at, column="layer_created_at"),
        Property(
            "created_by", "string", "The step that made it, from the image's history; null elsewhere.", _created_by
        ),
        Property(
            "bytes",
            "integer",
            "Bytes of its blob, as the export's manifest says; null where it does not.",
            lambda g: [g.sizes.get(layer.blob) for layer in g.export.config.layers],
            column="layer_bytes",
        ),
        Property(
            "used",
            "boolean",
            "Whether some loadable result uses it.",
            lambda g: [bool(used) for used in g.used_layers],
        ),
    ),
)


# --- Blobs ------------------------------------------------------------------------------------------------------------


@once
def _blobs(graph: ExportGraph) -> dict[str, int]:
    """Give each blob a number: those that are listed, those of layers, strays."""
    listed = (blob.digest for blob in graph.export.blobs or ())
    strays = (stray.digest for stray in graph.export.strays or ())
    digests = dict.fromkeys([*listed, *(layer.blob for layer in graph.export.config.layers), *strays])
    return {digest: row for row, digest in enumerate(digests)}


@once
def _listed(graph: ExportGraph) -> dict[str, Blob]:
    return {blob.digest: blob for blob in graph.export.blobs or ()}


def _said(value: Callable[[Blob], Any]) -> Callable[[ExportGraph], Column]:
    def column(graph: ExportGraph) -> Column:
        listed = _listed(graph)
        return [value(listed[digest]) if digest in listed else None for digest in _blobs(graph)]

    return column


def _size(graph: ExportGraph) -> Column:
    listed, strays = _listed(graph), {stray.digest: stray.size for stray in graph.export.strays or ()}
    return [listed[digest].size if digest in listed else strays.get(digest) for digest in _blobs(graph)]


BLOB = Node(
    "Blob",
    "A blob, shared by all exports.",
    (
        Property("digest", "string", "Digest of the blob.", lambda g: list(_blobs(g))),
        Property("size", "integer", "Bytes; null where unknown.", _size, column="blob_bytes"),
        Property("media_type", "string", "Media type; null where unknown.", _said(lambda b: b.media_type)),
        Property(
            "diff_id", "string", "Digest of its uncompressed bytes; null where unknown.", _said(lambda b: b.diff_id)
        ),
    ),
)


# --- Relationships ----------------------------------------------------------------------------------------------------


def _lists(graph: ExportGraph) -> Ends:
    rows, blobs = _blobs(graph), graph.export.blobs
    # Without a manifest every layer's blob counts as listed.
    digests = [blob.digest for blob in blobs] if blobs is not None else dict.fromkeys(_layer_blobs(graph))
    ends = [rows[digest] for digest in digests]
    return (0, len(ends)), ends


def _present(graph: ExportGraph) -> Column:
    blobs = graph.export.blobs
    return [None] * len(_lists(graph)[1]) if blobs is None else [blob.present for blob in blobs]


def _listed_bytes(graph: ExportGraph) -> Column:
    blobs = graph.export.blobs
    return [None] * len(_lists(graph)[1]) if blobs is None else [blob.size for blob in blobs]


def _faults(graph: ExportGraph) -> Column:
    blobs = graph.export.blobs
    return [None] * len(_lists(graph)[1]) if blobs is None else [blob.fault for blob in blobs]


def _strays(graph: ExportGraph) -> Ends:
    rows = _blobs(graph)
    ends = [rows[stray.digest] for stray in graph.export.strays or ()]
    return (0, len(ends)), ends


def _layer_blobs(graph: ExportGraph) -> list[str]:
    return [layer.blob for layer in graph.export.config.layers]


def _parents(graph: ExportGraph) -> Ends:
    count = _count(graph)
    parents = [layer.parent if 0 <= layer.parent < count else -1 for layer in graph.export.config.layers]
    return list(accumulate((parent >= 0 for parent in parents), initial=0)), [one for one in parents if one >= 0]


def _blob_of(graph: ExportGraph) -> Ends:
    rows = _blobs(graph)
    return range(_count(graph) + 1), [rows[blob] for blob in _layer_blobs(graph)]


HAS_LAYER = Relationship(
    "HAS_LAYER",
    "Export",
    "Layer",
    "The export holds the layer.",
    lambda graph: ((0, _count(graph)), range(_count(graph))),
)
PARENT = Relationship("PARENT", "Layer", "Layer", "The layer is on top of the other.", _parents)
BLOB_OF = Relationship("BLOB", "Layer", "Blob", "The layer's blob.", _blob_of)
LISTS = Relationship(
    "LISTS",
    "Export",
    "Blob",
    "The export's manifest lists the blob.",
    _lists,
    (
        Property("present", "boolean", "Whether the store has it; null when the loader did not look.", _present),
        Property(
            "bytes",
            "integer",
            "Bytes of the blob, as this export's manifest says; null where it does not.",
            _listed_bytes,
            column="bytes_listed",
        ),
        Property(
            "fault",
            "string",
            "Why it cannot be loaded although it is there: wrong-size, wrong-digest, no-diff-id, wrong-media-type or "
            "wrong-diff-id; null where nothing is known to be wrong.",
            _faults,
            words=get_args(Fault),
        ),
    ),
)
HAS_STRAY = Relationship(
    "HAS_STRAY",
    "Export",
    "Blob",
    "The export's store holds the blob, and no manifest there reaches it.",
    _strays,
    (
        Property(
            "bytes",
            "integer",
            "Its bytes in that store.",
            lambda g: [stray.size for stray in g.export.strays or ()],
            column="stray_bytes",
        ),
        Property(
            "modified_at",
            "string",
            "When it was written, in the store's words; null where it does not tell.",
            lambda g: [stray.modified_at for stray in g.export.strays or ()],
        ),
    ),
)
