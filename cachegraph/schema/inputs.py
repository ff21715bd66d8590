"""Facts about inputs: which alternative of which slot, and which layers of a merge each of them brought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.core.merges import Merge
from cachegraph.core.spans import Span
from cachegraph.schema.properties import Column, Property, Relationship, once

__all__ = ["INPUT", "Compared", "MergeRelation"]

MergeRelation = Literal["prefix", "subset", "scattered", "absent", "no-result"]


@dataclass(frozen=True, slots=True)
class Compared:
    """An alternative of a merge's slot, compared with the merged result.

    Attributes
    ----------
    relation : str or None
        None where the merge itself has no loadable result.
    start, stop : int or None
        Half-open positions in the merged result.
    inferred : bool
        Whether they are what the other slots leave.
    """

    relation: MergeRelation | None
    start: int | None
    stop: int | None
    inferred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inputs:
    """Columns of the inputs whose link is in range, by record."""

    bounds: list[int]
    links: list[int]
    slots: list[int]
    alternatives: list[int]
    selectors: list[str | None]


@once
def _inputs(graph: ExportGraph) -> _Inputs:
    made = _Inputs(bounds=[0], links=[], slots=[], alternatives=[], selectors=[])
    count = len(graph)
    for record in graph.export.config.records:
        for number, slot in enumerate(record.inputs):
            for place, alternative in enumerate(slot):
                if 0 <= alternative.link < count:
                    made.links.append(alternative.link)
                    made.slots.append(number)
                    made.alternatives.append(place)
                    made.selectors.append(alternative.selector or None)
        made.bounds.append(len(made.links))
    return made


@once
def _compared(graph: ExportGraph) -> dict[int, Compared]:
    """Compare every alternative of every merge with the merged result, by the row of the input."""
    bounds, found = _inputs(graph).bounds, {}
    for merge in graph.merge_layouts:
        row = bounds[merge.record]
        for number, slot in enumerate(merge.slots):
            for _, span in slot.alternatives:
                found[row] = _compare(merge, number, span)
                row += 1
    return found


def _compare(merge: Merge, slot: int, span: Span | None) -> Compared:
    if merge.blobs is None:
        return Compared(None, None, None, inferred=False)
    if span is None:
        start, stop = merge.gap(slot) or (None, None)
        return Compared("no-result", start, stop, inferred=start is not None)
    if span.relation == "absent":
        return Compared("absent", None, None, inferred=False)
    return Compared(span.relation, span.start, span.stop, inferred=False)


def _of_merges(value: Callable[[Compared], Any]) -> Callable[[ExportGraph], Column]:
    def column(graph: ExportGraph) -> Column:
        made: list[Any] = [None] * len(_inputs(graph).links)
        for row, compared in _compared(graph).items():
            made[row] = value(compared)
        return made

    return column


INPUT = Relationship(
    "INPUT",
    "Record",
    "Record",
    "The record depends on the other: one alternative of one slot.",
    lambda graph: (_inputs(graph).bounds, _inputs(graph).links),
    (
        Property(
            "slot",
            "integer",
            "Which dependency of the operation; all slots must match.",
            lambda g: _inputs(g).slots,
        ),
        Property(
            "alternative",
            "integer",
            "Which alternative of the slot; one must match.",
            lambda g: _inputs(g).alternatives,
        ),
        Property(
            "selector",
            "string",
            "Digest of the paths the input is narrowed to; null for all.",
            lambda g: _inputs(g).selectors,
        ),
        Property(
            "relation",
            "string",
            "Of a merge: prefix, subset, scattered, absent or no-result; null where nothing can be compared.",
            _of_merges(lambda one: one.relation),
            words=("prefix", "subset", "scattered", "absent", "no-result"),
        ),
        Property(
            "start",
            "integer",
            "Of a merge: first position of the input's layers in the merged result.",
            _of_merges(lambda one: one.start),
        ),
        Property("stop", "integer", "Of a merge: position behind the last.", _of_merges(lambda one: one.stop)),
        Property(
            "inferred",
            "boolean",
            "Of a merge: whether the positions follow from the other slots alone; null for others.",
            _of_merges(lambda one: one.inferred),
        ),
    ),
)
