"""Roots that can give nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title, plural
from cachegraph.queries.severity import OneOf, Severities
from cachegraph.schema.facts import whole
from cachegraph.schema.records import RootReason

__all__ = ["QUERY", "UnreachableRoot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachableRoot(Finding):
    """A root that can give nothing.

    Attributes
    ----------
    reason : {"orphan", "dead", "lost"}
        orphan (no record takes it), dead (nothing above it is loadable) or lost (its layers stand only in a merge).
    merge : int or None
        For ``lost``: the merge record that holds its layers.
    slot : int or None
        For ``lost``: the slot of that merge.
    layers : tuple of int, or None
        For ``lost``: positions in the merged result; None where the other slots do not leave exactly one gap.
    """

    reason: RootReason
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
    columns = ("root_reasons", "index", "digest", "op", "lost_merge", "lost_slot", "lost_layers")
    for reasons, record, digest, op, merge, slot, layers in whole(graph, "Record").each(*columns):
        for reason in reasons or ():
            lost = reason == "lost"
            yield UnreachableRoot(
                query=QUERY.name,
                severity=_SEVERITIES.of(reason=reason, op=op),
                export=graph.id,
                record=record,
                digest=digest,
                reason=reason,
                merge=merge if lost else None,
                slot=slot if lost else None,
                layers=tuple(layers) if lost and layers is not None else None,
            )


_SEVERITIES = Severities(("note", OneOf("reason", "orphan"), OneOf("op", "source")), otherwise="warning")


def _sentence(finding: UnreachableRoot, title: Title) -> str:
    root = title(finding.record or 0)
    if finding.reason == "orphan" and finding.severity == "note":
        return (
            f"{root} is used by no record: a source often stands there under two keys, and only one is in use; this "
            "costs nothing."
        )
    if finding.reason == "orphan":
        return f"{root} is used by no record: it can give nothing and only takes room in the config."
    if finding.reason == "dead":
        return (
            f"{root} leads to nothing: no record that depends on it is loadable, so every build runs these steps; "
            "export with mode=max to keep them."
        )
    merge, layers = title(finding.merge or 0), finding.layers
    if layers is None:
        where = f"which layers it brought to {merge} in slot {finding.slot} is unknown, and none can be loaded apart"
    elif not layers:
        where = f"it brought no layer to {merge} in slot {finding.slot}"
    else:
        span = f"layer {layers[0]}" if len(layers) == 1 else f"layers {layers[0]} to {layers[-1]}"
        where = f"it brought {span} of {merge} in slot {finding.slot}, and nothing can load {_them(layers)} apart"
    remedy = (
        "give it an input (copy from a base image instead of starting on scratch)"
        if layers is None or len(layers) <= 1
        else f"with {plural(len(layers), 'layer')} it is probably a base image, which --names can tell"
    )
    return (
        f"{root} is a root, so nothing was exported for it: {where}; it runs again as soon as another input of the "
        f"merge changes; {remedy}."
    )


def _them(layers: tuple[int, ...]) -> str:
    return "it" if len(layers) == 1 else "them"


QUERY = Query(
    name="unreachable-roots",
    title="Which roots can give nothing?",
    meaning=(
        "Exports leave out the results of roots by design: sources are fetched from where they came from. A root can "
        "give nothing when no record takes it (orphan), when nothing that depends on it is loadable (dead), or when it "
        "is an operation on scratch whose layers stand in a merged result and cannot be loaded apart (lost): then it "
        "runs again as soon as another input of the merge changes."
    ),
    severity="note for an orphan that is a known source, else warning",
    finding=UnreachableRoot,
    heading="Roots that can give nothing",
    severities=_SEVERITIES,
    order=("record", "number"),
    ask=ask,
    sentence=_sentence,
)
