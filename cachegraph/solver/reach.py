"""What runs after each possible change, for all changes at once.

A change of a record reaches all that takes it, directly or not, if what changes makes other content. All of that runs,
and with it every step without a result that one of those takes. So the answer for a record is the union of the answers
for what takes it; sets are rows of bits, and a block of columns is worked out at a time to keep them small.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cachegraph.core.resolved import ResolvedExport

__all__ = ["Costs", "reach"]

Costs = NDArray[np.float64]
"""A cost for each record, in the same order."""

_BLOCK = 8_192
"""Columns at a time: 1 KiB a record."""


def reach(
    graph: ResolvedExport, steps: Sequence[int], loadable: Sequence[bool], costs: Sequence[Costs]
) -> list[NDArray[np.float64]]:
    """Sum up, for each record, what runs after it has changed.

    Parameters
    ----------
    graph : ResolvedExport
    steps : sequence of int
        The steps of the build; what is not a step costs nothing.
    loadable : sequence of bool, length records
        Whether a step is loaded where its result is needed and it has not changed.
    costs : sequence of Costs
        Of each record: a count of one, bytes, seconds.

    Returns
    -------
    list of numpy.ndarray of float64, shape (records,)
        For each of the costs.
    """
    count = len(graph)
    sums = [np.zeros(count) for _ in costs]
    order = graph.links.order
    for start in range(0, len(steps), _BLOCK):
        block = steps[start : start + _BLOCK]
        width = -(-len(block) // 8)
        own = np.zeros((count, width), dtype=np.uint8)
        at = np.arange(len(block))
        own[np.asarray(block), at // 8] = 1 << (at % 8)
        needed = own.copy()  # what runs when the result is needed and nothing has changed
        for record in order:
            if loadable[record] or not graph.links.inputs[record]:
                needed[record] = 0
                continue
            for dependency in graph.links.inputs[record]:
                needed[record] |= needed[dependency]
        runs = own  # what runs when the record has changed
        for record in reversed(order):
            row = runs[record]
            for dependency in graph.links.inputs[record]:
                row |= needed[dependency]
            for dependent in graph.links.dependents[record]:
                row |= runs[dependent]
        columns = np.ascontiguousarray(runs.T)
        for total, cost in zip(sums, costs, strict=True):
            _add(total, columns, cost[np.asarray(block)])
    return sums


_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").astype(np.float64)
"""The bits of every byte."""


def _add(total: NDArray[np.float64], columns: NDArray[np.uint8], cost: Costs) -> None:
    """Add up the costs of each row's bits, eight at a time: what each byte costs is worked out before."""
    padded = np.zeros(len(columns) * 8)
    padded[: len(cost)] = cost
    tables = padded.reshape(-1, 8) @ _BITS.T
    for table, column in zip(tables, columns, strict=True):
        total += table[column]
