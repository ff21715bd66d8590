"""A merge laid out: which layers of the merged result each input brought.

A merge's result holds the layers of its inputs, one input after the other. Inputs with a loadable result are found in
it; an input without one brought what its neighbours leave, where that is exactly one gap.

Source: BuildKit ``cache/refs.go`` (``mergeParents``) and ``cache/remote.go`` (``GetRemotes``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachegraph.core.spans import Span, locate

if TYPE_CHECKING:
    from cachegraph.core.graph import ExportGraph

__all__ = ["Merge", "Slot", "lay_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One input of a merge.

    Attributes
    ----------
    alternatives : tuple of (int, Span or None)
        Record and where its best loadable result stands in the merged result; None without a loadable result.
    start, stop : int or None
        Positions of the slot's layers in the merged result; None where unknown.
    inferred : bool
        Whether the positions follow from the neighbours alone.
    """

    alternatives: tuple[tuple[int, Span | None], ...]
    start: int | None
    stop: int | None
    inferred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """A merge record laid out.

    Attributes
    ----------
    record : int
    blobs : tuple of str, or None
        Layers of the merged result, bottom first; None if none can be loaded, and then no slot has positions.
    slots : tuple of Slot
    """

    record: int
    blobs: tuple[str, ...] | None
    slots: tuple[Slot, ...]


def lay_out(graph: ExportGraph, record: int, known: dict[int, tuple[str, ...]]) -> Merge:
    """Lay a merge out.

    Parameters
    ----------
    graph : ExportGraph
    record : int
        A merge record.
    known : dict of int to tuple of str
        Layers of records that have no loadable result, as far as they were proven otherwise.

    Returns
    -------
    Merge
    """
    slots = graph.export.config.records[record].inputs
    links = [[a.link for a in slot if 0 <= a.link < len(graph)] for slot in slots]
    newest = graph.newest_result(record)
    if newest is None:
        empty = tuple(
            Slot(alternatives=tuple((link, None) for link in slot), start=None, stop=None, inferred=False)
            for slot in links
        )
        return Merge(record=record, blobs=None, slots=empty)

    whole = graph.result_blobs(newest)
    places: list[tuple[int, int] | None] = []
    inferred = []
    alternatives = []
    expected = 0
    for slot in links:
        spans = [(link, _best_span(graph, link, whole, expected)) for link in slot]
        place = next((s for _, s in spans if s and s.relation in ("prefix", "subset")), None)
        inferred.append(place is None)
        if place is None:  # layers proven otherwise serve to place it, but are no result
            guesses = [locate(known[link], whole, expected) for link in slot if link in known]
            place = next((s for s in guesses if s.relation in ("prefix", "subset")), None)
        bounds = (place.start, place.stop) if place else None
        places.append(bounds)
        expected = bounds[1] if bounds else expected
        alternatives.append(tuple(spans))
    _fill_gaps(places, len(whole))
    return Merge(
        record=record,
        blobs=whole,
        slots=tuple(
            Slot(
                alternatives=spans,
                start=place[0] if place else None,
                stop=place[1] if place else None,
                inferred=bool(place) and guessed,
            )
            for spans, place, guessed in zip(alternatives, places, inferred, strict=True)
        ),
    )


def _best_span(graph: ExportGraph, record: int, whole: tuple[str, ...], expected: int) -> Span | None:
    """Locate a record's results in the merged one, and keep the most telling."""
    spans = [locate(graph.result_blobs(result), whole, expected) for result in graph.loadable_results(record)]
    rank = ("prefix", "subset", "scattered", "absent")
    return min(spans, key=lambda span: (rank.index(span.relation), span.start != expected), default=None)


def _fill_gaps(places: list[tuple[int, int] | None], length: int) -> None:
    """Give a slot that stands alone between two placed neighbours what they leave."""
    for index, place in enumerate(list(places)):
        if place is not None:
            continue
        before = places[index - 1] if index else (0, 0)
        after = places[index + 1] if index + 1 < len(places) else (length, length)
        if before is not None and after is not None and before[1] <= after[0]:
            places[index] = (before[1], after[0])
