"""Which steps a change can only be passed on through.

In a graph without loops, the immediate dominators follow from one walk in topological order: that of a record is the
nearest one that all of its ways from the change have in common.
"""

from __future__ import annotations

from cachegraph.core.resolved import ResolvedExport

__all__ = ["dominators"]


def dominators(graph: ResolvedExport, start: int) -> dict[int, int]:
    """Find, for each record that a change reaches, the last one that it can only be passed on through.

    Parameters
    ----------
    graph : ResolvedExport
    start : int
        What changes.

    Returns
    -------
    dict of int to int
        Of each record but the start, its immediate dominator; dominators come before what they dominate.
    """
    reached = {start, *graph.links.above(start)}
    parent: dict[int, int] = {}
    depth = {start: 0}
    for record in graph.links.order:
        if record not in reached or record == start:
            continue
        common = -1
        for below in graph.links.inputs[record]:
            if below in depth:
                common = below if common < 0 else _common(common, below, parent, depth)
        parent[record], depth[record] = common, depth[common] + 1
    return parent


def _common(one: int, other: int, parent: dict[int, int], depth: dict[int, int]) -> int:
    """Find the nearest record that dominates two."""
    while one != other:
        if depth[one] < depth[other]:
            one, other = other, one
        one = parent[one]
    return one
