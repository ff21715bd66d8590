"""Records that are not roots and have no loadable result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.core.results import State
from cachegraph.queries.base import Finding, Query, Severity, Title, plural

__all__ = ["QUERY", "MissingResult", "reason_of"]

Reason = Literal["not-exported", "blob-not-listed", "blob-missing"]

_CAUSE = {
    "not-exported": "nothing was exported for it",
    "blob-not-listed": "the manifest lacks a blob of it, so BuildKit drops it without a word",
    "blob-missing": "the store has lost a blob of it, so loading it fails",
}
_REMEDY = {
    "not-exported": "unless it is a key of an earlier build, export with mode=max to keep it",
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
    for record in graph.missing:
        reason = reason_of(graph, record)
        bridged = bool(graph.bridged[record])
        yield MissingResult(
            query=QUERY.name,
            severity=_severity(reason, bridged=bridged),
            export=graph.id,
            record=record,
            digest=graph.export.config.records[record].digest,
            reason=reason,
            impact="bridged" if bridged else "dead-end",
            downstream_loadable=graph.downstream_loadable[record],
        )


def reason_of(graph: ExportGraph, record: int) -> Reason:
    """Say why a record has no loadable result; of several reasons, the one nearest to loading.

    Parameters
    ----------
    graph : ExportGraph
    record : int
        One without a loadable result.
    """
    states = [graph.state(result) for result in graph.results(record)]
    if State.BLOB_MISSING in states:
        return "blob-missing"
    return "blob-not-listed" if State.BLOB_NOT_LISTED in states else "not-exported"


def _severity(reason: Reason, *, bridged: bool) -> Severity:
    if reason == "blob-missing":
        return "error"
    return "note" if bridged and reason == "not-exported" else "warning"


def _sentence(finding: MissingResult, title: Title) -> str:
    start = f"{title(finding.record or 0)} cannot be loaded: {_CAUSE[finding.reason]}; "
    count = finding.downstream_loadable
    if finding.impact == "bridged":
        behind = f"{plural(count, 'later record')} {'is' if count == 1 else 'are'}" if count else "a later record is"
        cost = f"{behind} loadable, so this step runs again only when a step after it changes"
    else:
        cost = "nothing after it is loadable either, so this step runs in every build"
    return f"{start}{cost}; {_REMEDY[finding.reason]}."


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
    sentence=_sentence,
)
