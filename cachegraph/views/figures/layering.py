"""Where the records of a drawing stand: layered left to right, every input left of what depends on it.

The steps of Sugiyama's method: columns by depth, stand-ins where an input passes a column, order by the mean of the
neighbours, then heights that keep the order and come nearest to the neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from cachegraph.core.graph import ExportGraph

__all__ = ["Layering", "depths", "layer"]

_SWEEPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Layering:
    """Places of records and courses of inputs.

    Attributes
    ----------
    places : dict of int to (float, float)
        By record: column, counted from the left, and height, counted in rows.
    courses : dict of (int, int) to tuple of (float, float)
        By (input, dependent): the points that the line between them passes, both ends included.
    """

    places: dict[int, tuple[float, float]]
    courses: dict[tuple[int, int], tuple[tuple[float, float], ...]]


def depths(graph: ExportGraph, records: Collection[int]) -> dict[int, int]:
    """Give each record's depth: how many inputs are between it and the furthest of its roots.

    Parameters
    ----------
    graph : ExportGraph
    records : collection of int
        The records that count, with the inputs between them.

    Returns
    -------
    dict of int to int
        Records on a loop, or behind one, stand together in a column of their own, the last.
    """
    inside = set(records)
    found: dict[int, int] = {}
    for record in graph.links.order:
        if record in inside:
            found[record] = 1 + max((found[link] for link in graph.links.inputs[record] if link in found), default=-1)
    last = 1 + max(found.values(), default=-1)
    return {record: found.get(record, last) for record in sorted(inside)}


def layer(graph: ExportGraph, records: Collection[int]) -> Layering:
    """Lay records out.

    Parameters
    ----------
    graph : ExportGraph
    records : collection of int

    Returns
    -------
    Layering
    """
    depth = depths(graph, records)
    pairs = [(link, record) for record in depth for link in graph.links.inputs[record] if link in depth]
    courses = {pair: _course(pair, depth) for pair in pairs}
    columns: list[list[_Stop]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for stop in dict.fromkeys(
        [*((at, one, one) for one, at in depth.items()), *(s for c in courses.values() for s in c)]
    ):
        columns[stop[0]].append(stop)
    left: _Neighbours = {stop: [] for column in columns for stop in column}
    right: _Neighbours = {stop: [] for stop in left}
    for course in courses.values():
        for before, after in pairwise(course):
            left[after].append(before)
            right[before].append(after)
    heights = _heights(columns, left, right)
    alone = [stop for stop in heights if not left[stop] and not right[stop]]
    floor = max((height for stop, height in heights.items() if stop not in alone), default=-1.0)
    heights |= {stop: floor + row for row, stop in enumerate(sorted(alone), 1)}
    return Layering(
        places={record: (at, heights[at, record, record]) for record, at in depth.items()},
        courses={pair: tuple((stop[0], heights[stop]) for stop in course) for pair, course in courses.items()},
    )


_Stop = tuple[int, int, int]
"""A column, and the record there twice, or the input and the dependent whose line passes there."""
_Neighbours = dict[_Stop, list[_Stop]]


def _course(pair: tuple[int, int], depth: dict[int, int]) -> tuple[_Stop, ...]:
    start, stop = (depth[pair[0]], pair[0], pair[0]), (depth[pair[1]], pair[1], pair[1])
    return (start, *((column, *pair) for column in range(start[0] + 1, stop[0])), stop)


def _heights(columns: list[list[_Stop]], left: _Neighbours, right: _Neighbours) -> dict[_Stop, float]:
    heights = {stop: float(row) for column in columns for row, stop in enumerate(column)}
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        near = left if forward else right
        for column in columns if forward else reversed(columns):
            wanted = {stop: fmean(heights[n] for n in near[stop]) if near[stop] else heights[stop] for stop in column}
            column.sort(key=lambda stop: (wanted[stop], heights[stop]))
            heights |= zip(column, _spread([wanted[stop] for stop in column]), strict=True)
    for column in columns:  # a last look at both sides, to straighten
        both = {stop: left[stop] + right[stop] for stop in column}
        wanted = {stop: fmean(heights[n] for n in both[stop]) if both[stop] else heights[stop] for stop in column}
        heights |= zip(column, _spread([wanted[stop] for stop in column]), strict=True)
    lowest = min(heights.values(), default=0.0)
    return {stop: height - lowest for stop, height in heights.items()}


def _spread(wanted: Sequence[float]) -> list[float]:
    """Find the heights nearest to the wanted ones, in this order and at least a row apart (pool adjacent violators)."""
    pools: list[tuple[float, int]] = []
    for row, height in enumerate(wanted):
        pools.append((height - row, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (low, few), (high, many) = pools.pop(), pools.pop()
            pools.append(((low * few + high * many) / (few + many), few + many))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [mean + row for row, mean in enumerate(flat)]
