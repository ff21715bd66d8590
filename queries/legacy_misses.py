"""Records that builders before BuildKit 0.10 miss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title, plural
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole

__all__ = ["QUERY", "LegacyMiss"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyMiss(Finding):
    """A record that only chains make loadable.

    Attributes
    ----------
    chains : int
        Number of its loadable chains.
    """

    chains: int


def ask(graph: ExportGraph) -> Iterator[LegacyMiss]:
    """Find the records that only chains make loadable.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    LegacyMiss
        By record index.
    """
    for chains, record, digest in whole(graph, "Record").each("legacy_chains", "index", "digest"):
        if chains is not None:
            yield LegacyMiss(
                query=QUERY.name,
                severity=_SEVERITIES.of(),
                export=graph.id,
                record=record,
                digest=digest,
                chains=chains,
            )


_SEVERITIES = Severities(otherwise="note")


def _sentence(finding: LegacyMiss, title: Title) -> str:
    return (
        f"{title(finding.record or 0)} is loadable by {plural(finding.chains, 'chain')} only: builders before BuildKit "
        "0.10 skip chains and run the step again; update them, or export with mode=max instead of inline."
    )


QUERY = Query(
    name="legacy-misses",
    title="Which records do old builders miss?",
    meaning=(
        "Chains (results of exactly these layers, without parents) came with BuildKit 0.10. Older builders skip the "
        "field, see the record as a key without a result, and run the step."
    ),
    severity="note",
    finding=LegacyMiss,
    heading="Records that old builders miss",
    severities=_SEVERITIES,
    ask=ask,
    sentence=_sentence,
)
