"""Where the marks of a drawing stand: in layers from top to bottom, every input above what takes it.

The steps of Sugiyama's method: layers by longest path, with what is taken late placed late; stand-ins where a link
passes a layer; order by the mean of the neighbours, with the fewest crossings kept; then places along the layer that
keep the order and come nearest to the neighbours. Each step is linear in what it looks at, or nearly so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cachegraph.views.drawing.ordering import STAND_IN, Part

__all__ = ["LAYER", "Layout", "lay_out"]

LAYER = 64
"""Pixels from one layer to the next."""
_APART = 40.0
"""Pixels between parts that nothing links."""
_ASPECT = 1.6
"""Width to height that such parts are packed to."""
_MOST_STAND_INS = 60_000
"""Links get no more stand-ins than these together: the longest go straight."""

_WIDE = 1_400.0
"""Pixels that every layer may be wide."""
_BEND = 4.0
"""Pixels."""

_Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Places of marks and courses of links.

    Attributes
    ----------
    layers : list of int, length marks
        From the top.
    xs : list of float, length marks
        Pixels to the centre.
    courses : dict of (int, int) to tuple of float
        By (input, taker): where the line between them passes each layer from the one to the other, both included; the
        two ends alone where it goes straight over several, or upwards.
    width : float
        Pixels.
    depth : int
        Layers.
    """

    layers: list[int]
    xs: list[float]
    courses: dict[_Pair, tuple[float, ...]]
    width: float
    depth: int


def lay_out(inputs: Sequence[Sequence[int]], widths: Sequence[float]) -> Layout:
    """Lay marks out.

    Parameters
    ----------
    inputs : sequence of sequence of int, length marks
        What each takes. Of a loop, one link goes upwards.
    widths : sequence of float, length marks
        Pixels.

    Returns
    -------
    Layout
    """
    count = len(inputs)
    links = [list(dict.fromkeys(link for link in own if link != mark)) for mark, own in enumerate(inputs)]
    order = _order(links)
    rank = [0] * count
    for position, mark in enumerate(order):
        rank[mark] = position
    forward = [(link, mark) for mark in order for link in links[mark] if rank[link] < rank[mark]]
    layers = _layers(order, forward, widths)
    whole = Layout(layers=layers, xs=[0.0] * count, courses={}, width=0.0, depth=1 + max(layers, default=-1))
    parts = _placed(count, forward, layers, widths)
    width, depth = _pack(parts, whole)
    for mark, own in enumerate(links):
        for link in own:
            whole.courses.setdefault((link, mark), (whole.xs[link], whole.xs[mark]))
    courses = _at_ports(whole.courses, widths)
    return Layout(layers=layers, xs=whole.xs, courses=courses, width=width, depth=depth)


def _order(links: Sequence[Sequence[int]]) -> list[int]:
    """Order marks, inputs first; where a loop leaves none to take, the first one left goes ahead of its inputs."""
    takers: list[list[int]] = [[] for _ in links]
    waiting = [len(own) for own in links]
    for mark, own in enumerate(links):
        for link in own:
            takers[link].append(mark)
    order = [mark for mark, count in enumerate(waiting) if not count]
    taken = bytearray(len(links))
    for mark in order:
        taken[mark] = 1
    position, left = 0, 0
    while True:
        while position < len(order):
            for taker in takers[order[position]]:
                waiting[taker] -= 1
                if not waiting[taker] and not taken[taker]:
                    taken[taker] = 1
                    order.append(taker)
            position += 1
        while left < len(links) and taken[left]:
            left += 1
        if left == len(links):
            return order
        taken[left] = 1
        order.append(left)


def _layers(order: Sequence[int], forward: Sequence[_Pair], widths: Sequence[float]) -> list[int]:
    """Give each mark the length of the longest way to it; then move down what only hangs on what comes later.

    Where a layer gets wider than a picture should be, what ends there goes further down, and what begins there goes up.
    """
    above: list[list[int]] = [[] for _ in order]
    below: list[list[int]] = [[] for _ in order]
    for link, mark in forward:
        above[mark].append(link)
        below[link].append(mark)
    layers = [0] * len(order)
    for mark in order:
        layers[mark] = 1 + max((layers[link] for link in above[mark]), default=-1)
    for mark in reversed(order):
        if below[mark] and len(above[mark]) <= len(below[mark]):
            layers[mark] = min(layers[taker] for taker in below[mark]) - 1
    limit = max(_WIDE, math.sqrt(sum(widths) * LAYER * _ASPECT))
    _narrow(layers, [mark for mark in order if not below[mark]], widths, limit, 1)
    _narrow(layers, [mark for mark in order if not above[mark] and below[mark]], widths, limit, -1)
    return layers


def _narrow(layers: list[int], free: Sequence[int], widths: Sequence[float], limit: float, way: int) -> None:
    """Move marks that may stand further on out of layers that are too wide."""
    total: dict[int, float] = {}
    for mark, layer in enumerate(layers):
        total[layer] = total.get(layer, 0.0) + widths[mark]
    movable: dict[int, list[int]] = {}
    for mark in free:
        movable.setdefault(layers[mark], []).append(mark)
    if not movable:
        return
    layer, last = (min(movable), max(movable)) if way > 0 else (max(movable), min(movable))
    while (layer - last) * way <= 0:
        own, wide = movable.get(layer, []), total.get(layer, 0.0)
        if len(own) > 1 and wide > limit:
            taken = sum(widths[mark] for mark in own)
            room = max(limit - (wide - taken), taken / len(own))
            rows = math.ceil(taken / room)
            # Every so many stay, so that the lines to the others find room between them.
            moved = [mark for number, mark in enumerate(own) if number % rows]
            for mark in moved:
                layers[mark] = layer + way
            size = sum(widths[mark] for mark in moved)
            total[layer] = wide - size
            total[layer + way] = total.get(layer + way, 0.0) + size
            movable[layer + way] = sorted([*movable.get(layer + way, []), *moved])
            last = max(last, layer + way) if way > 0 else min(last, layer + way)
        layer += way


def _placed(count: int, forward: Sequence[_Pair], layers: list[int], widths: Sequence[float]) -> list[Part]:
    """Lay out each part that hangs together by itself, in layers of its own without gaps."""
    root = list(range(count))

    def find(mark: int) -> int:
        while root[mark] != mark:
            root[mark] = root[root[mark]]
            mark = root[mark]
        return mark

    for link, mark in forward:
        root[find(link)] = find(mark)
    marks: dict[int, list[int]] = {}
    pairs: dict[int, list[_Pair]] = {}
    for mark in range(count):
        marks.setdefault(find(mark), []).append(mark)
    for pair in forward:
        pairs.setdefault(find(pair[0]), []).append(pair)
    for part in marks.values():
        rank = {layer: number for number, layer in enumerate(sorted({layers[mark] for mark in part}))}
        for mark in part:
            layers[mark] = rank[layers[mark]]
    longest = _longest(forward, layers)
    return [Part(marks[key], pairs.get(key, []), layers, widths, longest) for key in marks]


def _longest(forward: Sequence[_Pair], layers: Sequence[int]) -> int:
    """Say over how many layers a link may go before it goes straight, so that stand-ins stay few enough."""
    spans = sorted(layers[mark] - layers[link] for link, mark in forward)
    total, limit = 0, max(spans, default=0)
    for span in spans:
        total += span - 1
        if total > _MOST_STAND_INS:
            return max(1, span - 1)
    return limit


def _pack(parts: list[Part], whole: Layout) -> tuple[float, int]:
    """Put the parts beside and below each other; the large ones first."""
    area = sum((part.width + _APART) * part.depth * LAYER for part in parts)
    limit = max([math.sqrt(area * _ASPECT), *(part.width for part in parts)], default=0.0)
    x, top, floor, width = 0.0, 0, 0, 0.0
    for part in sorted(parts, key=lambda part: (-part.depth, -len(part.marks), part.marks[0])):
        if x and x + part.width > limit:
            x, top = 0.0, floor
        for mark in part.marks:
            whole.xs[mark] = part.xs[mark] + x
            whole.layers[mark] += top - part.top
        for pair, course in part.courses.items():
            whole.courses[pair] = tuple(at + x for at in course)
        floor = max(floor, top + part.depth)
        x += part.width + _APART
        width = max(width, x - _APART)
    return width, floor


def _at_ports(courses: Mapping[_Pair, tuple[float, ...]], widths: Sequence[float]) -> dict[_Pair, tuple[float, ...]]:
    """Let lines that meet at a mark end side by side, in the order in which they come."""
    coming: dict[int, list[tuple[float, _Pair]]] = {}
    going: dict[int, list[tuple[float, _Pair]]] = {}
    for pair, course in courses.items():
        going.setdefault(pair[0], []).append((course[1], pair))
        coming.setdefault(pair[1], []).append((course[-2], pair))
    ends = {pair: [course[0], *course[1:-1], course[-1]] for pair, course in courses.items()}
    for position, sides in ((0, going), (-1, coming)):
        for mark, met in sides.items():
            step = min(STAND_IN, (widths[mark] - 16) / max(1, len(met)))
            for number, (_, pair) in enumerate(sorted(met)):
                ends[pair][position] += step * (number - (len(met) - 1) / 2)
    return {pair: _unbent(course) for pair, course in ends.items()}


def _unbent(course: list[float]) -> tuple[float, ...]:
    """Take out bends that are too small to mean anything."""
    for position in range(1, len(course)):
        if abs(course[position] - course[position - 1]) < _BEND:
            course[position] = course[position - 1]
    return tuple(course)
