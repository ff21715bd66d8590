"""Layers that no loadable result uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole
from cachegraph.text.words import size_text

__all__ = ["QUERY", "OrphanLayer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanLayer(Finding):
    """A layer that no loadable result uses.

    Attributes
    ----------
    layer : int
        Index in the export's ``layers``.
    bytes : int or None
        Size of its blob.
    """

    layer: int
    bytes: int | None


def ask(graph: ExportGraph) -> Iterator[OrphanLayer]:
    """Find the layers that no loadable result uses.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    OrphanLayer
        By layer index.
    """
    blobs = graph.columns.layer_blob
    for layer, used, size in whole(graph, "Layer").each("index", "used", "bytes"):
        if not used:
            yield OrphanLayer(
                query=QUERY.name,
                severity=_SEVERITIES.of(),
                export=graph.id,
                digest=blobs[layer],
                layer=layer,
                bytes=size,
            )


_SEVERITIES = Severities(otherwise="note")


def _sentence(finding: OrphanLayer, title: Title) -> str:  # noqa: ARG001 - about no record
    blob = (finding.digest or "")[:19]
    return (
        f"layer {finding.layer} ({blob}, {size_text(finding.bytes)}) is part of no cached result, so no build can load "
        "it: it only takes room. In an image with inline cache it may still be a layer of the image."
    )


QUERY = Query(
    name="orphan-layers",
    title="Which layers are part of no cached result?",
    meaning=(
        "No build can load such a layer from this export. In an exported cache it only takes room; in an image with "
        "inline cache it is a layer of the image for which no record was kept, such as that of a lost root."
    ),
    severity="note",
    finding=OrphanLayer,
    heading="Layers that no loadable result uses",
    severities=_SEVERITIES,
    order=("layer",),
    ask=ask,
    sentence=_sentence,
    example="A layer that a RUN on scratch made, in an image with inline cache: the record of the RUN has no result.",
    cure="Nothing to do, unless it takes much room: then export to a new place.",
)
