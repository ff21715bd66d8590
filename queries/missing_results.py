"""Records that are not roots and have no loadable result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title, plural
from cachegraph.queries.severity import OneOf, Severities
from cachegraph.schema.facts import whole
from cachegraph.schema.records import MissingReason

__all__ = ["QUERY", "MissingResult"]

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
        bridged: a record that depends on it, directly or not, is loadable; dead-end: none is.
    downstream_loadable : int or None
        How many are; None where a loop makes it unknowable.
    """

    reason: MissingReason
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
    columns = ("missing_reason", "index", "digest", "bridged", "downstream_loadable")
    for reason, record, digest, bridged, downstream in whole(graph, "Record").each(*columns):
        if reason is not None:
            impact: Literal["bridged", "dead-end"] = "bridged" if bridged else "dead-end"
            yield MissingResult(
                query=QUERY.name,
                severity=_SEVERITIES.of(reason=reason, impact=impact),
                export=graph.id,
                record=record,
                digest=digest,
                reason=reason,
                impact=impact,
                downstream_loadable=downstream,
            )


_SEVERITIES = Severities(
    ("error", OneOf("reason", "blob-missing")),
    ("note", OneOf("reason", "not-exported"), OneOf("impact", "bridged")),
    otherwise="warning",
)


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
    heading="Records without a loadable result",
    severities=_SEVERITIES,
    ask=ask,
    sentence=_sentence,
)
