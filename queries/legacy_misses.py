"""Records that builders before BuildKit 0.10 miss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
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
        f"{title(finding.record or 0)} can be loaded as {plural(finding.chains, 'chain')} only. Builders before "
        "BuildKit 0.10 skip chains and run the step again: update them, or export with mode=max instead of inline."
    )


QUERY = Query(
    name="legacy-misses",
    title="Which steps do builders before BuildKit 0.10 run again?",
    meaning=(
        "Chains (results of exactly these layers, without the layers below) came with BuildKit 0.10. An older builder "
        "skips them, sees a step without a result, and runs it."
    ),
    severity="note",
    finding=LegacyMiss,
    ask=ask,
    sentence=_sentence,
    example="The layer of a COPY --link in an image with inline cache: its record has one chain, and nothing else.",
    cure="Update the builders. If that cannot be, export with mode=max to a registry, a directory or a bucket.",
)
