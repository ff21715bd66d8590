"""Records that are not roots and have no loadable result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.core.results import State
from cachegraph.queries.base import Finding, Query, Severity, plural

__all__ = ["QUERY", "MissingResult"]

Reason = Literal["not-exported", "blob-not-listed", "blob-missing"]

_CAUSE = {
    "not-exported": "nothing was exported for it",
    "blob-not-listed": "the manifest lacks a blob of it, so BuildKit drops it without a word",
    "blob-missing": "the store has lost a blob of it, so loading it fails",
}
_REMEDY = {
    "not-exported": "export with mode=max to keep it",
    "blob-not-listed": "export again to a fresh place",
    "blob-missing": "export again, and look what deletes blobs there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingResult(Finding):
    """A record that is not a root and has no loadable result.

    Attributes
    ----------
    reason : {"not-exported", "blob-not-listed", "blob-missing"}
    impact : {"bridged", "dead-end"}
        Whether some record that depends on it, directly or not, is loadable.
    downstream_loadable : int or None
        How many are; None where a loop makes it unknowable.
    """

    reason: Reason
    impact: Literal["bridged", "dead-end"]
    downstream_loadable: int | None


def ask(graph: ExportGraph) -> Iterator[MissingResult]:
    """Find the records that are not roots and have no loadable result.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    MissingResult
        By record index.
    """
    missing = [r for r in range(len(graph)) if not graph.loadable[r] and not graph.is_root(r)]
    if not missing:
        return
    bridged = graph.bridged
    counts = graph.links.count_above(missing, graph.loadable)
    for record in missing:
        reason = _reason(graph, record)
        yield MissingResult(
            query=QUERY.name,
            severity=_severity(reason, bridged=bool(bridged[record])),
            export=graph.id,
            record=record,
            digest=graph.export.config.records[record].digest,
            message=_message(graph, record, reason, counts[record], bridged=bool(bridged[record])),
            reason=reason,
            impact="bridged" if bridged[record] else "dead-end",
            downstream_loadable=counts[record],
        )


def _reason(graph: ExportGraph, record: int) -> Reason:
    states = [graph.state(result) for result in graph.results(record)]
    if State.BLOB_MISSING in states:
        return "blob-missing"
    return "blob-not-listed" if State.BLOB_NOT_LISTED in states else "not-exported"


def _severity(reason: Reason, *, bridged: bool) -> Severity:
    if reason == "blob-missing":
        return "error"
    return "note" if bridged and reason == "not-exported" else "warning"


def _message(graph: ExportGraph, record: int, reason: Reason, count: int | None, *, bridged: bool) -> str:
    start = f"{graph.title(record)} cannot be loaded: {_CAUSE[reason]}; "
    if bridged:
        behind = plural(count, "later record") + (" is" if count == 1 else " are") if count else "some later record is"
        cost = f"{behind} loadable, so this step runs again only when the step after it changes"
    else:
        cost = "nothing after it is loadable either, so this step runs in every build"
    return f"{start}{cost}; {_REMEDY[reason]}."


QUERY = Query(
    name="missing-results",
    title="Which records have no loadable result?",
    meaning=(
        "A record without a loadable result still matches as a key, so the record after it can be found. It costs a "
        "run of its own step as soon as the step after it changes (bridged), or in every build when nothing that "
        "depends on it is loadable (dead-end). Roots are left out: exports never hold their results."
    ),
    severity="error for blob-missing (the build fails or falls back), note for not-exported and bridged, else warning",
    finding=MissingResult,
    ask=ask,
)
