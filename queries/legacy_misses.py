"""Records that builders before BuildKit 0.10 miss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title, plural

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
    is_chain = graph.columns.is_chain.tolist()
    for record in range(len(graph)):
        if not graph.loadable[record]:
            continue
        loadable = list(graph.loadable_results(record))
        if all(is_chain[result] for result in loadable):
            yield LegacyMiss(
                query=QUERY.name,
                severity="note",
                export=graph.id,
                record=record,
                digest=graph.export.config.records[record].digest,
                chains=len(loadable),
            )


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
    ask=ask,
    sentence=_sentence,
)
