"""Roots that can give nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.core.merges import Merge
from cachegraph.queries.base import Finding, Query, Severity, plural

__all__ = ["QUERY", "UnreachableRoot"]

Reason = Literal["orphan", "dead", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachableRoot(Finding):
    """A root that can give nothing.

    Attributes
    ----------
    reason : {"orphan", "dead", "lost"}
    merge : int or None
        For ``lost``: the merge record that holds its layers.
    slot : int or None
        For ``lost``: the slot of that merge.
    layers : tuple of int, or None
        For ``lost``: positions in the merged result; None where the other slots do not leave exactly one gap.
    """

    reason: Reason
    merge: int | None = None
    slot: int | None = None
    layers: tuple[int, ...] | None = None


def ask(graph: ExportGraph) -> Iterator[UnreachableRoot]:
    """Find the roots that can give nothing.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    UnreachableRoot
        By record index; one for each root and reason.
    """
    lost = _lost(graph)
    for root in graph.roots:
        if not graph.links.dependents[root]:
            known = graph.is_source(root)
            yield _finding(graph, root, "orphan", "note" if known else "warning", _orphan(graph, root, known=known))
        elif not graph.bridged[root]:
            yield _finding(graph, root, "dead", "warning", _dead(graph, root))
        if root in lost:
            yield lost[root]


def _lost(graph: ExportGraph) -> dict[int, UnreachableRoot]:
    """Find the roots whose layers stand in a merged result and nowhere else, each in the merge that says most."""
    found: dict[int, UnreachableRoot] = {}
    for merge in graph.merge_layouts:
        for number, slot in enumerate(merge.slots):
            if any(graph.loadable[link] for link, _ in slot.alternatives):
                continue
            for root in dict.fromkeys(link for link, _ in slot.alternatives if graph.is_root(link)):
                if not graph.is_source(root) and (root not in found or found[root].layers is None):
                    found[root] = _lost_in(graph, root, merge, number)
    return found


def _lost_in(graph: ExportGraph, root: int, merge: Merge, number: int) -> UnreachableRoot:
    slot = merge.slots[number]
    layers = None if slot.place is None else tuple(range(*slot.place))
    if merge.blobs is None:
        where = f"and {graph.title(merge.record)}, which takes it in slot {number}, cannot be loaded either"
    elif layers is None:
        where = f"its layers are somewhere in {graph.title(merge.record)} (slot {number}) and cannot be loaded apart"
    else:
        span = f"layer {layers[0]}" if len(layers) == 1 else f"{plural(len(layers), 'layer')} ({_span(layers)})"
        where = f"it brought {span} of {graph.title(merge.record)} (slot {number}), which cannot be loaded apart"
    return _finding(
        graph,
        root,
        "lost",
        "warning",
        f"{graph.title(root)} is a root, so nothing was exported for it: {where}; when another input of the merge "
        "changes, it runs again and makes new layers. Give it an input (copy from a base image instead of starting on "
        "scratch), or name it with --names if it is a source.",
        merge=merge.record,
        slot=number,
        layers=layers,
    )


def _span(layers: tuple[int, ...]) -> str:
    return f"{layers[0]} to {layers[-1]}" if layers else "none"


def _orphan(graph: ExportGraph, root: int, *, known: bool) -> str:
    if known:
        return (
            f"{graph.title(root)} is a key of a base image that no record uses: the same image is used under its other "
            "key, so this costs nothing."
        )
    return f"{graph.title(root)} is used by no record: it can give nothing and only takes room in the config."


def _dead(graph: ExportGraph, root: int) -> str:
    return (
        f"{graph.title(root)} leads to nothing: no record that depends on it is loadable, so every build runs these "
        "steps; export with mode=max to keep them."
    )


def _finding(
    graph: ExportGraph,
    root: int,
    reason: Reason,
    severity: Severity,
    message: str,
    *,
    merge: int | None = None,
    slot: int | None = None,
    layers: tuple[int, ...] | None = None,
) -> UnreachableRoot:
    return UnreachableRoot(
        query=QUERY.name,
        severity=severity,
        export=graph.id,
        record=root,
        digest=graph.export.config.records[root].digest,
        message=message,
        reason=reason,
        merge=merge,
        slot=slot,
        layers=layers,
    )


QUERY = Query(
    name="unreachable-roots",
    title="Which roots can give nothing?",
    meaning=(
        "Exports leave out the results of roots by design: sources are fetched from where they came from. A root can "
        "give nothing when no record takes it (orphan), when nothing that depends on it is loadable (dead), or when it "
        "is an operation on scratch whose layers stand in a merged result and cannot be loaded apart (lost): then it "
        "runs again as soon as another input of the merge changes."
    ),
    severity="note for the orphan key of a recognised base image, else warning",
    finding=UnreachableRoot,
    ask=ask,
)
