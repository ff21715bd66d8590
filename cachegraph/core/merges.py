"""A merge laid out: which layers of the merged result each input brought.

A merge's result holds the layers of its inputs, one input after the other. Inputs with a loadable result are found in
it; an input without one brought what its neighbours leave, where that is exactly one gap.

Source: BuildKit ``cache/refs.go`` (``mergeParents``) and ``cache/remote.go`` (``GetRemotes``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cachegraph.core.resolved import ResolvedExport
from cachegraph.core.spans import Span, locate

__all__ = ["Merge", "Slot", "lay_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One input of a merge.

    Attributes
    ----------
    alternatives : tuple of (int, Span or None)
        Record and where its best loadable result stands in the merged result; None without a loadable result.
    place : tuple of (int, int), or None
        Half-open positions of the slot's layers in the merged result; None where unknown.
    inferred : bool
        Whether the positions follow from the neighbours alone.
    """

    alternatives: tuple[tuple[int, Span | None], ...]
    place: tuple[int, int] | None
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

    def gap(self, slot: int) -> tuple[int, int] | None:
        """Give the positions that the other slots leave for this one; None where they leave no single gap."""
        if self.blobs is None:
            return None
        if self.slots[slot].place and self.slots[slot].inferred:
            return self.slots[slot].place
        return _gap([slot.place for slot in self.slots], slot, len(self.blobs))


def lay_out(graph: ResolvedExport, record: int, known: dict[int, tuple[str, ...]]) -> Merge:
    """Lay a merge out.

    Parameters
    ----------
    graph : ResolvedExport
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
    # A daemon's results are snapshots of its own, not layers that could be compared.
    newest = None if graph.export.kind == "daemon" else graph.newest_result(record)
    if newest is None:
        empty = tuple(
            Slot(alternatives=tuple((link, None) for link in slot), place=None, inferred=False) for slot in links
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
    places = [place or _gap(places, slot, len(whole)) for slot, place in enumerate(places)]
    return Merge(
        record=record,
        blobs=whole,
        slots=tuple(
            Slot(
                alternatives=spans,
                place=place,
                inferred=bool(place) and guessed,
            )
            for spans, place, guessed in zip(alternatives, places, inferred, strict=True)
        ),
    )


def _best_span(graph: ResolvedExport, record: int, whole: tuple[str, ...], expected: int) -> Span | None:
    """Locate a record's results in the merged one, and keep the most telling."""
    spans = [locate(graph.result_blobs(result), whole, expected) for result in graph.loadable_results(record)]
    rank = ("prefix", "subset", "scattered", "absent")
    return min(spans, key=lambda span: (rank.index(span.relation), span.start != expected), default=None)


def _gap(places: Sequence[tuple[int, int] | None], slot: int, length: int) -> tuple[int, int] | None:
    """Give what the neighbours of a slot leave between them; None unless both are placed."""
    before = places[slot - 1] if slot else (0, 0)
    after = places[slot + 1] if slot + 1 < len(places) else (length, length)
    return (before[1], after[0]) if before and after and before[1] <= after[0] else None
