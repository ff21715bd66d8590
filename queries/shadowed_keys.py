"""Keys that one cache holds without a result and another with one: which of them answers is a race."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole
from cachegraph.text.words import plural, some_of

__all__ = ["QUERY", "ShadowedKeys"]

_NAMED = 3
"""Steps and sources that the sentence names; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowedKeys(Finding):
    """Keys of one export that can hide results of others.

    Attributes
    ----------
    records : tuple of int
        Indexes of the records that have no result here and one elsewhere.
    loadable_in : tuple of str
        Sources that hold them with a result.
    """

    records: tuple[int, ...]
    loadable_in: tuple[str, ...]


def ask_together(graphs: Sequence[ExportGraph]) -> Iterator[ShadowedKeys]:
    """Find the keys of each export that can hide a result of another.

    Parameters
    ----------
    graphs : sequence of ExportGraph
        That one build imports.

    Yields
    ------
    ShadowedKeys
        At most one for each export, in their order. Keys are the same if their ``key_id`` is: where an export carries
        inherited alternatives, some collisions are not seen.
    """
    asked = [graph for graph in graphs if graph.import_error is None and graph.export.results_known]
    holders: dict[str, list[int]] = {}
    for place, graph in enumerate(asked if len(asked) > 1 else ()):
        for key, loadable, root in whole(graph, "Record").each("key_id", "loadable", "is_root"):
            if loadable and not root:
                holders.setdefault(key, []).append(place)
    for place, graph in enumerate(asked if holders else ()):
        records: list[int] = []
        sources: set[str] = set()
        for record, key, reason in whole(graph, "Record").each("index", "key_id", "missing_reason"):
            others = [other for other in holders.get(key, ()) if other != place] if reason is not None else []
            if others:
                records.append(record)
                sources |= {asked[other].export.source for other in others}
        if records:
            yield ShadowedKeys(
                query=QUERY.name,
                severity=_SEVERITIES.of(),
                export=graph.id,
                records=tuple(records),
                loadable_in=tuple(sorted(sources)),
            )


def _none(graph: ExportGraph) -> Iterator[ShadowedKeys]:  # noqa: ARG001 - one alone hides nothing
    return iter(())


_SEVERITIES = Severities(otherwise="warning")


def _sentence(finding: ShadowedKeys, title: Title) -> str:
    names = some_of(map(title, finding.records[:_NAMED]), len(finding.records))
    sources = some_of(finding.loadable_in[:_NAMED], len(finding.loadable_in))
    return (
        f"this cache holds {plural(len(finding.records), 'step')} without a result that {sources} can load: "
        f"{names}. In a build that imports both, which one answers is a race, and the step may run although it "
        "is cached. Import one of them, or put the one that fits best last."
    )


QUERY = Query(
    name="shadowed-keys",
    title="Which keys can one cache hide from another, if a build imports both?",
    meaning=(
        "BuildKit keeps one cache for each key, and where several hold it, a race decides which. If that one has no "
        "result, the step runs although another cache has one. Asked of several exports together: the SPECs of one "
        "command, or the entries of one file. Platforms of one image, branches of one scope and several names count as "
        "several caches too."
    ),
    severity="warning",
    finding=ShadowedKeys,
    heading="Keys that one cache has with a result and another without",
    severities=_SEVERITIES,
    ask=_none,
    ask_together=ask_together,
    sentence=_sentence,
    example=(
        "The cache of the branch is an inline one and holds RUN npm ci as a key alone; the cache of main has its "
        "result. With both in cache-from, RUN npm ci runs in some builds."
    ),
    cure=(
        "Import one cache, the one that fits best; if it must be several, put that one last. Export all of them with "
        "mode=max, so that no key is without its result."
    ),
)
