"""Blobs of a store that no manifest reaches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title, size_text
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole

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
        By digest; nothing where nobody looked.
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
        f"blob {(finding.digest or '')[:19]} ({size_text(finding.bytes)}) in {finding.store} is reached by no "
        "manifest: an earlier export left it there, and it can be deleted while no export is under way."
    )


QUERY = Query(
    name="orphan-blobs",
    title="Which blobs does no manifest reach?",
    meaning=(
        "An export writes new blobs and a new manifest and deletes nothing. Blobs of earlier exports stay until "
        "somebody deletes them. Another image or export in the same store may be about to use one, so delete while "
        "nothing is being exported."
    ),
    severity="note",
    finding=OrphanBlob,
    heading="Blobs that no manifest reaches",
    severities=_SEVERITIES,
    order=("digest",),
    ask=ask,
    sentence=_sentence,
    scope="store",
)
