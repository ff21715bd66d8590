"""Facts about inputs: which alternative of which slot, and which layers of a merge each of them brought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from cachegraph.core.graph import ExportGraph
from cachegraph.core.merges import Merge
from cachegraph.core.spans import Span
from cachegraph.schema.properties import Column, Property, Relationship, once

__all__ = ["INPUT", "Compared", "MergeRelation", "compared_inputs"]

MergeRelation = Literal["prefix", "subset", "scattered", "absent", "no-result"]


class Compared(NamedTuple):
    """An alternative of a merge's slot, compared with the merged result.

    Attributes
    ----------
    merge, slot, alternative : int
        Index of the merge record, and which alternative of which slot.
    input : int
        Index of the alternative's record.
    relation : str or None
        None where the merge itself has no loadable result.
    start, stop : int or None
        Half-open positions in the merged result.
    inferred : bool
        Whether they are what the other slots leave.
    """

    merge: int
    slot: int
    alternative: int
    input: int
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
def compared_inputs(graph: ExportGraph) -> list[Compared]:
    """Compare every alternative of every merge with the merged result.

    Parameters
    ----------
    graph : ExportGraph

    Returns
    -------
    list of Compared
        By record, slot and alternative; links out of range are left out.
    """
    records, count, found = graph.export.config.records, len(graph), []
    for merge in graph.merge_layouts:
        for number, (slot, inputs) in enumerate(zip(merge.slots, records[merge.record].inputs, strict=True)):
            places = [place for place, alternative in enumerate(inputs) if 0 <= alternative.link < count]
            for place, (link, span) in zip(places, slot.alternatives, strict=True):
                relation, (start, stop), inferred = _compare(merge, number, span)
                found.append(Compared(merge.record, number, place, link, relation, start, stop, inferred))
    return found


def _compare(
    merge: Merge, slot: int, span: Span | None
) -> tuple[MergeRelation | None, tuple[int, int] | tuple[None, None], bool]:
    """Give relation, positions, and whether they are inferred."""
    if merge.blobs is None:
        return None, (None, None), False
    if span is None:
        gap = merge.gap(slot)
        return "no-result", gap or (None, None), gap is not None
    if span.relation == "absent":
        return "absent", (None, None), False
    return span.relation, (span.start, span.stop), False


def _of_merges(value: Callable[[Compared], Any]) -> Callable[[ExportGraph], Column]:
    def column(graph: ExportGraph) -> Column:
        inputs = _inputs(graph)
        made: list[Any] = [None] * len(inputs.links)
        row = merge = -1
        for compared in compared_inputs(graph):  # in the order of the rows
            row = row + 1 if compared.merge == merge else inputs.bounds[compared.merge]
            merge = compared.merge
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
