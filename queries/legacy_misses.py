"""Records that builders before BuildKit 0.10 miss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.core.versions import NO_CHAINS
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole
from cachegraph.text.words import plural

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
        f"{title(finding.record or 0)} has {plural(finding.chains, 'chain')} and no other result to load. Builders "
        "before BuildKit 0.10 skip chains and run the step again: update them, or export with mode=max instead of "
        "inline."
    )


QUERY = Query(
    name="legacy-misses",
    title="Which steps do builders before BuildKit 0.10 run again?",
    meaning=(
        "Chains (results of exactly these layers, without the layers below) came with BuildKit 0.10. An older builder "
        "skips them, sees a step without a result, and runs it. Asked only for such a builder (--buildkit 0.9)."
    ),
    severity="note",
    finding=LegacyMiss,
    heading="Records that old builders miss",
    severities=_SEVERITIES,
    ask=ask,
    sentence=_sentence,
    builders=NO_CHAINS,
    example="The layer of a COPY --link in an image with inline cache: its record has one chain, and nothing else.",
    cure="Update the builders. If that cannot be, export with mode=max to a registry, a directory or a bucket.",
)
