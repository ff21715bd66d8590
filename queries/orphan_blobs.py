"""Blobs of a store that no manifest names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole
from cachegraph.text.words import size_text

__all__ = ["QUERY", "OrphanBlob"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanBlob(Finding):
    """A blob that no manifest of its store reaches.

    Attributes
    ----------
    store : str
        The directory, or the bucket and prefix.
    bytes : int
        Bytes of the blob.
    modified_at : str or None
        When it was written, where the store tells.
    """

    store: str
    bytes: int
    modified_at: str | None


def ask(graph: ExportGraph) -> Iterator[OrphanBlob]:
    """List the blobs of the export's store that no manifest reaches.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    OrphanBlob
        By digest; none where the loader did not look.
    """
    (store,) = whole(graph, "Export")["store"]
    for digest, size, modified_at in whole(graph, "HAS_STRAY").each("to", "bytes", "modified_at"):
        yield OrphanBlob(
            query=QUERY.name,
            severity=_SEVERITIES.of(),
            export=graph.id,
            digest=digest,
            store=store or "",
            bytes=size,
            modified_at=modified_at,
        )


_SEVERITIES = Severities(otherwise="note")


def _sentence(finding: OrphanBlob, title: Title) -> str:  # noqa: ARG001 - about no record
    return (
        f"no manifest in {finding.store} names blob {(finding.digest or '')[:19]} ({size_text(finding.bytes)}): an "
        "earlier export left it there. It can be deleted while no export is running."
    )


QUERY = Query(
    name="orphan-blobs",
    title="Which blobs does no manifest name?",
    meaning=(
        "An export writes new blobs and a new manifest and deletes nothing, so the blobs of earlier exports stay until "
        "somebody deletes them. An image or export that is being written to the same store may be about to use one: "
        "delete while nothing is being exported."
    ),
    severity="note",
    finding=OrphanBlob,
    heading="Blobs that no manifest reaches",
    severities=_SEVERITIES,
    order=("digest",),
    ask=ask,
    sentence=_sentence,
    scope="store",
    example="A directory that 30 builds wrote to holds the blobs of 30 exports, and index.json names the last.",
    cure="Delete them while nothing is being exported, or export to a new place and delete the old one.",
)
