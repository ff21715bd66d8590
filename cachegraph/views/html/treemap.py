"""Bytes as areas: a squarified treemap (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Area", "treemap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A rectangle.

    Attributes
    ----------
    position : int
        In the values that it was made of.
    x, y, width, height : float
    """

    position: int
    x: float
    y: float
    width: float
    height: float


def treemap(values: Sequence[float], width: float, height: float) -> list[Area]:
    """Divide a rectangle so that each value has its share, in shapes that are near to squares.

    Parameters
    ----------
    values : sequence of float
        Not negative; those of 0 get no area.
    width, height : float
        Of the whole.

    Returns
    -------
    list of Area
        Largest first.
    """
    order = sorted((position for position, value in enumerate(values) if value > 0), key=lambda p: (-values[p], p))
    total = sum(values[position] for position in order)
    if not order or width <= 0 or height <= 0:
        return []
    scale = width * height / total
    x = y = 0.0
    found: list[Area] = []
    while order:
        side = min(width, height)
        count, worst = 0, float("inf")
        area = 0.0
        while count < len(order):  # as many in a row as makes them squarer
            more = area + values[order[count]] * scale
            first, last = values[order[0]] * scale, values[order[count]] * scale
            shape = max(side * side * first / (more * more), more * more / (side * side * last))
            if shape > worst:
                break
            area, worst, count = more, shape, count + 1
        thick = area / side
        at = 0.0
        for position in order[:count]:
            long = values[position] * scale / thick
            if width >= height:
                found.append(Area(position=position, x=x, y=y + at, width=thick, height=long))
            else:
                found.append(Area(position=position, x=x + at, y=y, width=long, height=thick))
            at += long
        if width >= height:
            x, width = x + thick, width - thick
        else:
            y, height = y + thick, height - thick
        order = order[count:]
    return found
