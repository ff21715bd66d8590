"""Facts about steps without a loadable result: which cause they share, so that it can be told once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.core.results import State
from cachegraph.schema.properties import once

__all__ = ["Uncached", "UncachedCause", "asked", "uncached"]

UncachedCause = Literal[
    "lost-blob", "damaged-blob", "unlisted-blob", "inline-link", "inline", "final-image", "earlier-build", "unknown"
]
"""Why a step has no loadable result.

lost-blob, damaged-blob, unlisted-blob: a blob that its result needs is gone, is there and cannot be loaded, or is not
among those that the manifest lists.
inline-link: an inline cache of a build that ends in COPY --link, which keeps no merge.
inline, final-image: the export keeps the layers of the final image only. That is what mode=min does; a build that
imported such a cache, and did not need to run the other steps, exports it like that too.
earlier-build: a key that an earlier build asked for, carried along; this build asked for another in its place.
unknown: the builder had no result when it exported, and the export does not say why.
"""


@dataclass(frozen=True, slots=True)
class Uncached:
    """Why one step has no loadable result.

    Attributes
    ----------
    cause : str
    blob : str or None
        Digest of the blob that its first result lacks, or cannot load, the lowest one; None where none is the cause.
    """

    cause: UncachedCause
    blob: str | None = None


@once
def uncached(graph: ExportGraph) -> dict[int, Uncached]:
    """Say of each step without a loadable result why it has none.

    Parameters
    ----------
    graph : ExportGraph

    Returns
    -------
    dict of int to Uncached
        By record.
    """
    found: dict[int, Uncached] = {}
    left = []
    listed = graph.listed
    for record in graph.missing:
        states = {graph.state(result): result for result in reversed(graph.results(record))}
        if (result := states.get(State.BLOB_DAMAGED)) is not None:
            blobs = (blob for blob in graph.result_blobs(result) if blob in graph.faults)
            found[record] = Uncached("damaged-blob", next(blobs, None))
        elif (result := states.get(State.BLOB_MISSING)) is not None:
            blobs = (blob for blob in graph.result_blobs(result) if blob in graph.missing_blobs)
            found[record] = Uncached("lost-blob", next(blobs, None))
        elif (result := states.get(State.BLOB_NOT_LISTED)) is not None:
            blobs = (blob for blob in graph.result_blobs(result) if listed is not None and blob not in listed)
            found[record] = Uncached("unlisted-blob", next(blobs, None))
        else:
            left.append(record)
    earlier = _earlier(graph, left)
    shared = Uncached(_systematic(graph)) if len(earlier) < len(left) else None
    for record in left:
        if record in earlier:
            found[record] = Uncached("earlier-build")
        elif shared is not None:
            found[record] = shared
    return dict(sorted(found.items()))


@once
def asked(graph: ExportGraph) -> list[int]:
    """List the steps that an export's own build asked for: keys of earlier builds, carried along, are left out.

    Parameters
    ----------
    graph : ExportGraph
    """
    causes = uncached(graph)
    return [
        index
        for index in range(len(graph))
        if not graph.is_root(index) and (index not in causes or causes[index].cause != "earlier-build")
    ]


def _systematic(graph: ExportGraph) -> UncachedCause:
    """Say how an export came to keep no result for steps that it asked for."""
    if graph.export.kind == "inline":
        return "inline-link" if _ends_in_merge(graph) else "inline"
    if graph.export.kind == "daemon":
        return "unknown"
    steps = [record for record in range(len(graph)) if not graph.is_root(record)]
    targets = [record for record in steps if not graph.links.dependents[record]]
    final = _layers(graph, targets)
    return "final-image" if final and _layers(graph, steps) <= final else "unknown"


def _ends_in_merge(graph: ExportGraph) -> bool:
    """Tell whether what was built is a merge that has no result: nothing of it is loaded as long as nothing changes."""
    return any(not graph.links.dependents[merge] and not graph.loadable[merge] for merge in graph.merges)


def _layers(graph: ExportGraph, records: list[int]) -> set[int]:
    return {
        layer
        for record in records
        for result in graph.loadable_results(record)
        for layer in graph.result_layers(result)
    }


def _earlier(graph: ExportGraph, missing: list[int]) -> set[int]:
    """Find the steps that only an earlier build asked for.

    Such a key is exported because a step that is cached took it in an earlier build: it stands beside the loadable step
    that took its place. What only such keys take was asked for by that build alone, too.
    """
    asked = set(missing)
    slots: dict[int, list[tuple[int, bool]]] = {record: [] for record in asked}
    for taker, record in enumerate(graph.export.config.records) if asked else ():
        for slot in record.inputs:
            links = {a.link for a in slot if 0 <= a.link < len(graph)}  # an export that is refused may have others
            lacking = links & asked
            replaced = bool(lacking) and any(graph.loadable[other] for other in links if not graph.is_root(other))
            for link in lacking:
                slots[link].append((taker, replaced))
    found: set[int] = set()
    for index in reversed(graph.links.order):
        if index in asked and slots[index] and all(taker in found or replaced for taker, replaced in slots[index]):
            found.add(index)
    return found
