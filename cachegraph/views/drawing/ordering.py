"""One part of a drawing that hangs together: the order within its layers, and places along them."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["STAND_IN", "Part"]

STAND_IN = 14.0
"""Pixels that a link takes where it passes a layer."""
_GAP = 20.0
"""Pixels between neighbours."""
_SWEEPS = 24
_PLACING_SWEEPS = 14
_FAR = 1e9
_PATIENCE = 6
"""Sweeps without fewer crossings after which the best order so far is taken."""
_COUNTED = 30_000
"""Links whose crossings are counted; of more, sweeps are few and the last order is taken."""
_SWAPPED = 1_200
"""Stops among which neighbours are swapped one by one."""

_Pair = tuple[int, int]


class Part:
    """Marks that hang together, laid out.

    Parameters
    ----------
    marks : sequence of int
    pairs : sequence of (int, int)
        Inputs and their takers, all of them between these marks and downwards.
    layers : sequence of int
        Of all marks.
    widths : sequence of float
        Of all marks, pixels.
    longest : int
        Layers that a link may cross with stand-ins.

    Attributes
    ----------
    xs : dict of int to float
        By mark: pixels from the left of the part to the centre.
    courses : dict of (int, int) to tuple of float
        See `cachegraph.views.drawing.layout.Layout`.
    top : int
        First layer.
    depth : int
        Number of layers.
    width : float
        Pixels.
    """

    def __init__(
        self,
        marks: Sequence[int],
        pairs: Sequence[_Pair],
        layers: Sequence[int],
        widths: Sequence[float],
        longest: int,
    ) -> None:
        self.marks = marks
        self.top = min(layers[mark] for mark in marks)
        self.depth = 1 + max(layers[mark] for mark in marks) - self.top
        self._number = {mark: number for number, mark in enumerate(marks)}
        self._widths = [widths[mark] for mark in marks]
        self._layer = [layers[mark] - self.top for mark in marks]
        self._up: list[list[int]] = [[] for _ in marks]
        self._down: list[list[int]] = [[] for _ in marks]
        stops = {pair: self._stops(pair, longest) for pair in pairs}
        self._columns = self._first_order()
        self._position = [0] * len(self._layer)
        self._number_all()
        if self._up and any(self._up):
            self._sort()
        places = self._place()
        self._straighten(places, list(stops.values()))
        left = min((x - width / 2 for x, width in zip(places, self._widths, strict=True)), default=0.0)
        self.width = max((x + width / 2 for x, width in zip(places, self._widths, strict=True)), default=0.0) - left
        self.xs = {mark: places[number] - left for mark, number in self._number.items()}
        self.courses = {pair: tuple(places[stop] - left for stop in course) for pair, course in stops.items()}

    def _stops(self, pair: _Pair, longest: int) -> list[int]:
        """Give the stops of a link, stand-ins made for it; link neighbours with each other."""
        start, end = self._number[pair[0]], self._number[pair[1]]
        course = [start]
        if self._layer[end] - self._layer[start] <= longest:
            for layer in range(self._layer[start] + 1, self._layer[end]):
                course.append(len(self._layer))
                self._layer.append(layer)
                self._widths.append(STAND_IN)
                self._up.append([])
                self._down.append([])
        course.append(end)
        for before, after in pairwise(course):
            self._down[before].append(after)
            self._up[after].append(before)
        return course

    # --- Order -------------------------------------------------------------------------------------------------------

    def _first_order(self) -> list[list[int]]:
        """Order by a walk from what nothing takes upwards, so that what belongs together starts together."""
        columns: list[list[int]] = [[] for _ in range(self.depth)]
        seen = bytearray(len(self._layer))
        ends = [stop for stop, takers in enumerate(self._down) if not takers]
        for start in (*ends, *range(len(self._layer))):
            stack = [start]
            while stack:
                stop = stack.pop()
                if seen[stop]:
                    continue
                seen[stop] = 1
                columns[self._layer[stop]].append(stop)
                stack.extend(reversed(self._up[stop]))
        return columns

    def _number_all(self) -> None:
        for column in self._columns:
            for position, stop in enumerate(column):
                self._position[stop] = position

    def _sort(self) -> None:
        """Sweep down and up; keep the order with the fewest crossings."""
        links = sum(map(len, self._down))
        counted = links <= _COUNTED
        best, fewest, patience = [list(column) for column in self._columns], self._crossings() if counted else 0, 0
        for sweep in range(_SWEEPS if counted else 6):
            if counted and not fewest:
                break
            downwards = sweep % 2 == 0
            near = self._up if downwards else self._down
            for column in self._columns if downwards else reversed(self._columns):
                self._sort_column(column, near)
            if len(self._layer) <= _SWAPPED:
                self._swap()
            if counted:
                crossings = self._crossings()
                patience = 0 if crossings < fewest else patience + 1
                if crossings < fewest:
                    best, fewest = [list(column) for column in self._columns], crossings
                if patience >= _PATIENCE:
                    break
        if counted:
            self._columns = best
            self._number_all()

    def _sort_column(self, column: list[int], near: Sequence[Sequence[int]]) -> None:
        position = self._position
        wanted: dict[int, float] = {}
        for stop in column:
            others = near[stop]
            wanted[stop] = sum([position[other] for other in others]) / len(others) if others else position[stop]
        column.sort(key=wanted.__getitem__)
        for number, stop in enumerate(column):
            position[stop] = number

    def _crossings(self) -> int:
        total = 0
        for column in self._columns[:-1]:
            ends: list[int] = []
            for stop in column:
                own = sorted([self._position[other] for other in self._down[stop]])
                for end in own:
                    total += len(ends) - bisect_right(ends, end)
                for end in own:
                    insort(ends, end)
        return total

    def _swap(self) -> None:
        """Swap neighbours where that has fewer crossings."""
        position = self._position
        for _ in range(4):
            improved = False
            for column in self._columns:
                for number in range(len(column) - 1):
                    left, right = column[number], column[number + 1]
                    as_is = crossed = 0
                    for near in (self._up, self._down):
                        for one in near[left]:
                            for other in near[right]:
                                as_is += position[one] > position[other]
                                crossed += position[one] < position[other]
                    if crossed < as_is:
                        column[number], column[number + 1] = right, left
                        position[left], position[right] = number + 1, number
                        improved = True
            if not improved:
                return

    # --- Places ------------------------------------------------------------------------------------------------------

    def _place(self) -> list[float]:
        xs = [0.0] * len(self._layer)
        offsets: list[list[float]] = []  # of each layer: where each stop stands if all stand as near as they may
        for column in self._columns:
            at, own = 0.0, []
            for number, stop in enumerate(column):
                if number:
                    at += self._apart(column[number - 1], stop)
                own.append(at)
                xs[stop] = at
            middle = at / 2
            for stop in column:
                xs[stop] -= middle
            offsets.append(own)
        settled = False
        sweeps = 4 if len(self._layer) > _COUNTED else _PLACING_SWEEPS if len(self._layer) > _SWAPPED else 40
        for sweep in range(sweeps):
            last = sweep >= sweeps - 2
            order = range(self.depth) if sweep % 2 == 0 else range(self.depth - 1, -1, -1)
            moved = sum(
                [
                    self._settle(layer, xs, offsets[layer], up=last or sweep % 2 == 0, down=last or sweep % 2 == 1)
                    for layer in order
                ]
            )
            if settled and moved < 1.0:
                break
            settled = moved < 1.0
        return xs

    def _settle(self, layer: int, xs: list[float], offsets: Sequence[float], *, up: bool, down: bool) -> float:
        """Bring the stops of a layer as near to their neighbours as their order allows; say how far they moved."""
        count, column = len(self.marks), self._columns[layer]
        wanted, weights = [], []
        for stop in column:
            total = weight = 0.0
            for near in ((self._up[stop],) if up else ()) + ((self._down[stop],) if down else ()):
                for other in near:
                    pull = self._pull(stop, other, count)
                    total += pull * xs[other]
                    weight += pull
            wanted.append(total / weight if weight else xs[stop])
            weights.append(weight or 0.1)
        moved = 0.0
        for stop, x in zip(column, _spread(wanted, weights, offsets), strict=True):
            moved += abs(xs[stop] - x)
            xs[stop] = x
        return moved

    def _pull(self, stop: int, other: int, count: int) -> float:
        """Say how much a stop wants to stand over another: lines over several layers are kept straight first."""
        if stop >= count or other >= count:
            return 6.0 if stop >= count and other >= count else 2.0
        upper = stop if self._layer[stop] < self._layer[other] else other
        return 3.0 if self._up[upper] else 1.0  # steps stand below each other, sources where there is room

    def _straighten(self, xs: list[float], courses: Sequence[Sequence[int]]) -> None:
        """Let the stand-ins of each long line stand below each other, as far as their neighbours leave room."""
        left: list[tuple[int, float] | None] = [None] * len(self._layer)
        right: list[tuple[int, float] | None] = [None] * len(self._layer)
        for column in self._columns:
            for one, other in pairwise(column):
                apart = self._apart(one, other)
                left[other], right[one] = (one, apart), (other, apart)
        for _ in range(2):
            for course in courses:
                if len(course) > 2:
                    self._straighten_one(course, xs, left, right)

    def _straighten_one(
        self,
        course: Sequence[int],
        xs: list[float],
        left: Sequence[tuple[int, float] | None],
        right: Sequence[tuple[int, float] | None],
    ) -> None:
        run: list[int] = []
        low, high, far = -_FAR, _FAR, _FAR
        wanted = xs[course[0]]
        for stop in (*course[1:-1], -1):
            if stop >= 0:
                before, after = left[stop], right[stop]
                least = -far if before is None else xs[before[0]] + before[1]
                most = far if after is None else xs[after[0]] - after[1]
                if max(low, least) <= min(high, most):
                    low, high = max(low, least), min(high, most)
                    run.append(stop)
                    continue
            aim = xs[course[-1]] if stop < 0 and not low <= wanted <= high else wanted
            place = min(max(aim, low), high)
            for one in run:
                xs[one] = place
            wanted = place
            if stop >= 0:
                run, low, high = [stop], least, most

    def _apart(self, one: int, other: int) -> float:
        """Give the pixels from the centre of a stop to that of the next."""
        count = len(self.marks)
        gap = _GAP if one < count or other < count else 4.0
        return (self._widths[one] + self._widths[other]) / 2 + gap


def _spread(wanted: Sequence[float], weights: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """Find the places nearest to the wanted ones, in this order and far enough apart (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, total, members = want - offset, weight, 1
        while pools and pools[-1][0] > mean:
            before, own, few = pools.pop()
            mean = (before * own + mean * total) / (own + total)
            total += own
            members += few
        pools.append((mean, total, members))
    flat = [mean for mean, _, members in pools for _ in range(members)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]
