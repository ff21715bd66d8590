"""Facts about an export: where it came from, what it counts, what fills its config, whether BuildKit imports it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import msgspec

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport, Kind, Shape
from cachegraph.core.verdict import MAX_CONFIG_BYTES, SIZE_LIMITED
from cachegraph.schema.fragile import fragile
from cachegraph.schema.properties import Column, Node, Property, once
from cachegraph.schema.refs import short_ref
from cachegraph.schema.storage import breaks_builds, compressions, newest_at, store_type
from cachegraph.schema.uncached import uncached

__all__ = ["EXPORT", "Weights", "weigh"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Bytes of a config, by what they describe.

    Attributes
    ----------
    limit : int or None
        Bytes after which BuildKit refuses it; None where there is no limit.
    layers, inputs, results, other : int
        ``other`` is digests and the rest.
    """

    limit: int | None
    layers: int
    inputs: int
    results: int
    other: int


@once
def weigh(graph: ExportGraph) -> Weights | None:
    """Weigh an export's config; None for a daemon, which has none.

    Parameters
    ----------
    graph : ExportGraph
    """
    export = graph.export
    if export.kind == "daemon":
        return None
    # An inline cache is the records alone: its layers are the image's.
    own_layers = export.config.layers if export.kind != "inline" else ()
    layers = len(msgspec.json.encode(own_layers)) if own_layers else 0
    records = export.config.records
    inputs = sum(len(msgspec.json.encode(record.inputs)) for record in records if record.inputs)
    results = sum(
        len(msgspec.json.encode((record.layers, record.chains))) for record in records if record.layers or record.chains
    )
    return Weights(
        limit=MAX_CONFIG_BYTES if export.kind in SIZE_LIMITED else None,
        layers=layers,
        inputs=inputs,
        results=results,
        other=max(0, export.config_bytes - layers - inputs - results),
    )


def _records_left(graph: ExportGraph) -> int | None:
    """Say how many more records of the present average size fit."""
    weights, total = weigh(graph), graph.export.config_bytes
    if weights is None or weights.limit is None or not len(graph):
        return None
    return max(0, (weights.limit - total) * len(graph) // total)


def _one(value: Callable[[ExportGraph], Any]) -> Callable[[ExportGraph], Column]:
    return lambda graph: [value(graph)]


def _said(value: Callable[[CacheExport], Any]) -> Callable[[ExportGraph], Column]:
    return lambda graph: [value(graph.export)]


def _weighed(value: Callable[[Weights], Any]) -> Callable[[ExportGraph], Column]:
    return lambda graph: [None if (weights := weigh(graph)) is None else value(weights)]


EXPORT = Node(
    "Export",
    "One cache export: what one builder wrote in one go.",
    (
        Property(
            "id", "string", "sha256 over source, config digest and, for inline caches, platform.", _one(lambda g: g.id)
        ),
        Property(
            "source", "string", "The spec that names it, without credentials.", _said(lambda e: e.source), indexed=True
        ),
        Property(
            "title",
            "string",
            "Its short name: the last part of its source, and the platform.",
            _said(lambda e: short_ref(e.source, e.platform)),
            column="ref",
        ),
        Property(
            "kind",
            "string",
            "local, registry, inline, s3, azblob, gha, daemon or config.",
            _said(lambda e: e.kind),
            words=get_args(Kind),
        ),
        Property(
            "platform",
            "string",
            "os/arch[/variant] of an inline cache's image, else null.",
            _said(lambda e: e.platform),
        ),
        Property("config_digest", "string", "sha256 of the cache config's bytes.", _said(lambda e: e.config_digest)),
        Property(
            "manifest_digest",
            "string",
            "Digest of the manifest; null where there is none.",
            _said(lambda e: e.manifest_digest),
        ),
        Property(
            "bytes", "integer", "Bytes of the cache config.", _said(lambda e: e.config_bytes), column="config_bytes"
        ),
        Property(
            "bytes_limit",
            "integer",
            "Bytes after which BuildKit refuses it; null where there is no limit.",
            _weighed(lambda w: w.limit),
        ),
        Property("layers_bytes", "integer", "Bytes of it that describe layers.", _weighed(lambda w: w.layers)),
        Property(
            "inputs_bytes", "integer", "Bytes of it that describe inputs of records.", _weighed(lambda w: w.inputs)
        ),
        Property(
            "results_bytes", "integer", "Bytes of it that describe results of records.", _weighed(lambda w: w.results)
        ),
        Property("other_bytes", "integer", "Bytes of it for digests and the rest.", _weighed(lambda w: w.other)),
        Property(
            "records_left",
            "integer",
            "How many more records of the present average size fit; null without a limit or without records.",
            _one(_records_left),
        ),
        Property("records", "integer", "Number of its records.", _one(len)),
        Property("roots", "integer", "Number of its records without inputs.", _one(lambda g: len(g.roots))),
        Property(
            "loadable_steps",
            "integer",
            "Number of its records with inputs that have a loadable result.",
            _one(lambda g: sum(g.loadable) - sum(g.loadable[root] for root in g.roots)),
        ),
        Property(
            "earlier_steps",
            "integer",
            "Number of its records with inputs that only earlier builds asked for.",
            _one(lambda g: sum(found.cause == "earlier-build" for found in uncached(g).values())),
        ),
        Property(
            "newest_at",
            "time",
            "When its newest result was made, or where results carry no time, its newest layer; null where unknown.",
            _one(newest_at),
        ),
        Property(
            "shape",
            "string",
            "What lists its blobs: manifest (of an image) or index; null where there is no manifest.",
            _said(lambda e: e.shape),
            words=get_args(Shape),
            column="listed_by",
        ),
        Property(
            "compression",
            "strings",
            "How the blobs that it lists are compressed: gzip, zstd, none; empty where nothing tells.",
            _one(compressions),
        ),
        Property(
            "store_type",
            "string",
            "Type of the store that holds its blobs: for an inline cache that of the image.",
            _one(store_type),
        ),
        Property("layers", "integer", "Number of its layers.", _said(lambda e: len(e.config.layers))),
        Property(
            "listed_blobs",
            "integer",
            "Number of blobs that its manifest lists; without a manifest, those of its layers.",
            _said(lambda e: len({layer.blob for layer in e.config.layers} if e.blobs is None else e.blobs)),
        ),
        Property(
            "probed_blobs",
            "integer",
            "How many of these the store was asked for.",
            _said(lambda e: sum(blob.present is not None for blob in e.blobs or ())),
        ),
        Property(
            "lost_blobs",
            "integer",
            "How many of these the store is known to lack.",
            _one(lambda g: len(g.missing_blobs)),
        ),
        Property(
            "damaged_blobs",
            "integer",
            "How many of these are known to be unloadable although they are there.",
            _one(lambda g: len(g.faults.keys() - g.missing_blobs)),
        ),
        Property(
            "breaks_builds",
            "boolean",
            "Whether a build that needs what it lacks fails, where other caches would have it run the step.",
            _one(breaks_builds),
        ),
        Property(
            "listed_bytes",
            "integer",
            "Bytes of the blobs that its manifest lists, as far as known; null for none.",
            _one(lambda g: sum(g.sizes.values()) if g.sizes else None),
        ),
        Property(
            "results_known",
            "boolean",
            "False where the source tells keys only, such as a builder's address.",
            _said(lambda e: e.results_known),
        ),
        Property("importable", "boolean", "Whether BuildKit imports it.", _one(lambda g: g.import_error is None)),
        Property(
            "import_error", "string", "BuildKit's words for refusing it, else null.", _one(lambda g: g.import_error)
        ),
        Property(
            "fragile_known",
            "boolean",
            "Whether it is known which records builders of BuildKit 0.25 to 0.32 can miss; false where that takes too "
            "long to find out.",
            _one(lambda g: fragile(g) is not None),
        ),
        Property(
            "store",
            "string",
            "Where its stray blobs are, such as a directory; null where the loader did not look.",
            _said(lambda e: e.store or None),
        ),
        Property(
            "loaded_at", "time", "When it was read; in Neo4j, when its load was complete.", _one(lambda g: g.read_at)
        ),
    ),
)
