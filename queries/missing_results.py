"""Records that are not roots and have no loadable result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole
from cachegraph.schema.records import MissingReason
from cachegraph.text.words import capital, plural

__all__ = ["QUERY", "MissingResult"]

_CAUSE = {
    "blob-damaged": "one of its blobs is not what the manifest says, so loading it fails",
    "not-exported": "the export left it out",
    "blob-not-listed": "the manifest does not list one of its blobs, so BuildKit ignores the result and says nothing",
    "blob-missing": "the store no longer has one of its blobs, so loading it fails",
}
_REMEDY = {
    "blob-damaged": "Export again, to a new place, and find out what rewrites manifests or blobs there",
    "not-exported": "Unless it belongs to an earlier build, mode=max keeps it (an inline cache has no such mode)",
    "blob-not-listed": "Export again, to a new place",
    "blob-missing": "Export again, and find out what deletes blobs there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingResult(Finding):
    """A record that is not a root and has no loadable result.

    Attributes
    ----------
    reason : {"not-exported", "blob-not-listed", "blob-missing", "blob-damaged"}
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
    downstream = graph.downstream_loadable
    for reason, record, digest, bridged in whole(graph, "Record").each("missing_reason", "index", "digest", "bridged"):
        if reason is not None:
            impact: Literal["bridged", "dead-end"] = "bridged" if bridged else "dead-end"
            yield MissingResult(
                query=QUERY.name,
                severity=_SEVERITIES.of(),
                export=graph.id,
                record=record,
                digest=digest,
                reason=reason,
                impact=impact,
                downstream_loadable=downstream[record],
            )


_SEVERITIES = Severities(otherwise="note")
"""What it costs a build is told once for each cause, by `cachegraph.queries.uncached_steps`."""


def _sentence(finding: MissingResult, title: Title) -> str:
    start = f"{title(finding.record or 0)} has no cached result: {_CAUSE[finding.reason]}."
    bridged, needed = finding.impact == "bridged", finding.reason == "blob-missing"
    if bridged:
        count = finding.downstream_loadable
        behind = f"{plural(count, 'later record')} {'is' if count == 1 else 'are'}" if count else "a later record is"
        when = "a build needs it only" if needed else "the step runs again only"
        cost = f"{behind} cached, so {when} when a step after it changes"
    else:
        when = "every build needs it" if needed else "the step runs in every build"
        cost = f"nothing after it is cached either, so {when}"
    return f"{start} {capital(cost)}. {_REMEDY[finding.reason]}."


QUERY = Query(
    name="missing-results",
    title="Which steps have no cached result?",
    meaning=(
        "BuildKit still recognises a step that has no result, and so finds the steps after it. The step itself runs "
        "again as soon as a step after it changes (bridged), or in every build if nothing after it is cached "
        "(dead-end). Records without inputs are left out: exports never hold their results. Steps that share a cause "
        "are one finding of uncached-steps, which has its severity; here is each by itself."
    ),
    severity="note: uncached-steps has the causes, and what they cost",
    finding=MissingResult,
    heading="Records without a loadable result",
    severities=_SEVERITIES,
    ask=ask,
    sentence=_sentence,
    example=(
        "An inline cache holds the layers of the final image only. RUN npm ci in an earlier stage keeps no result "
        "(not-exported).\nThe COPY --from that takes its files is cached, so npm ci runs again only when that COPY "
        "must run again."
    ),
    cure=(
        "not-exported: --cache-to with mode=max, to a registry, a directory or a bucket (inline has no mode=max).\n"
        "blob-not-listed: export again to a new place.\n"
        "blob-missing: export again, and stop what deletes blobs there (clean-up of the registry, life cycle rule of "
        "the bucket). Until then, a build that exports its cache as well fails, unless it says ignore-error=true."
    ),
)
