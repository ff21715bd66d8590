"""Where the layers of one result stand in those of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Relation", "Span", "locate"]

Relation = Literal["prefix", "subset", "scattered", "absent"]


@dataclass(frozen=True, slots=True)
class Span:
    """Where a sequence of layers stands in another.

    Attributes
    ----------
    relation : Relation
    start, stop : int
        Half-open positions; of ``scattered`` layers, from the first to behind the last; of ``absent`` ones, 0 and 0.
    """

    relation: Relation
    start: int
    stop: int


def locate(part: Sequence[str], whole: Sequence[str], expected: int = 0) -> Span:
    """Find the layers of a merge's input among those of the merged result.

    Parameters
    ----------
    part, whole : sequence of str
        Blob digests, bottom first.
    expected : int
        Where the part stands if nothing is left out between it and the inputs before it; of several places, the
        first from there on is taken.

    Returns
    -------
    Span
    """
    part, whole = tuple(part), tuple(whole)
    width = len(part)
    if whole[expected : expected + width] == part and expected + width <= len(whole):  # nearly always
        starts = [expected]
    else:
        starts = [at for at in range(len(whole) - width + 1) if whole[at : at + width] == part]
    if starts:
        start = next((start for start in starts if start >= expected), starts[0])
        return Span("prefix" if start == 0 else "subset", start, start + width)
    positions: list[int] = []
    for blob in part:
        try:
            positions.append(whole.index(blob, positions[-1] + 1 if positions else 0))
        except ValueError:
            return Span("absent", 0, 0)
    return Span("scattered", positions[0], positions[-1] + 1)
