"""Searches over the record graph: orders, what depends on what, and how much of it is loadable.

Plain Python over flat lists: linear in the inputs, no recursion, and on every real size faster than importing a library
for it (``scipy.sparse.csgraph`` takes longer to import than these take on 200,000 records; see ``docs/decisions.md``).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cachegraph.core.columns import Columns, Ints

__all__ = ["Links"]


class Links:
    """The links of an export in both directions, those out of range left out.

    Attributes
    ----------
    inputs : list of list of int
        For each record, the records that it takes, one for each alternative.
    dependents : list of list of int
        For each record, the records that take it, one for each alternative.
    order : list of int
        Records, dependencies first. Leaves out those on a loop and those that depend on one.
    """

    __slots__ = ("_child", "_dependency", "dependents", "inputs", "order")

    def __init__(self, columns: Columns) -> None:
        count = len(columns.slot_ptr) - 1
        kept = (columns.link >= 0) & (columns.link < count)
        self._child, self._dependency = columns.alt_record[kept], columns.link[kept]
        self.inputs = _grouped(self._child, self._dependency, count)
        backward = np.argsort(self._dependency, kind="stable")
        self.dependents = _grouped(self._dependency[backward], self._child[backward], count)
        self.order = _kahn([len(inputs) for inputs in self.inputs], self.dependents)

    @property
    def has_loop(self) -> bool:
        """Whether some record reaches itself."""
        return len(self.order) < len(self.inputs)

    def below(self, starts: NDArray[np.bool_]) -> bytearray:
        """Mark every record that one of these depends on, directly or not.

        Parameters
        ----------
        starts : numpy.ndarray of bool, shape (records,)

        Returns
        -------
        bytearray, shape (records,)
            1 for each record reached. A start is marked only where another start, or a loop, leads to it.
        """
        first = np.zeros(len(self.inputs), dtype=np.uint8)
        first[self._dependency[starts[self._child]]] = 1
        seen = bytearray(first.tobytes())
        stack = np.flatnonzero((first == 1) & ~starts).tolist()  # what starts lead to is marked already
        while stack:
            for dependency in self.inputs[stack.pop()]:
                if not seen[dependency]:
                    seen[dependency] = 1
                    stack.append(dependency)
        return seen

    def above(self, start: int) -> list[int]:
        """List every record that depends on this one, directly or not, nearest first.

        Parameters
        ----------
        start : int

        Returns
        -------
        list of int
        """
        seen = {start}
        found = [start]
        for record in found:  # grows while it is walked
            for dependent in self.dependents[record]:
                if dependent not in seen:
                    seen.add(dependent)
                    found.append(dependent)
        return found[1:]

    def count_above(self, wanted: Iterable[int], counted: bytearray) -> dict[int, int | None]:
        """Count, for each wanted record, the counted ones that depend on it, directly or not.

        Parameters
        ----------
        wanted : iterable of int
        counted : bytearray, shape (records,)
            1 for each record that counts.

        Returns
        -------
        dict of int to (int or None)
            None for a record that something on a loop depends on: BuildKit refuses such an export, nobody can say.

        Notes
        -----
        The records above each one are a big integer, a bit for each that counts; made dependents first, and dropped
        when the last record below has read it.
        """
        asked = set(wanted)
        counts: dict[int, int | None] = dict.fromkeys(asked)
        unread = [len(inputs) for inputs in self.inputs]
        above = [0] * len(unread)  # of each record: those above it and, if it counts, itself
        bits = 0
        for record in self._downward() if asked else ():
            total = 0
            for dependent in self.dependents[record]:
                total = total | above[dependent] if total else above[dependent]
                unread[dependent] -= 1
                if not unread[dependent]:
                    above[dependent] = 0
            if record in asked:
                counts[record] = total.bit_count()
            if unread[record]:
                above[record] = total | 1 << bits if counted[record] else total
            bits += counted[record]
        return counts

    def _downward(self) -> list[int]:
        """List the records, dependents first. Leaves out those on a loop and those that something on one depends on."""
        if not self.has_loop:
            return self.order[::-1]
        return _kahn([len(dependents) for dependents in self.dependents], self.inputs)


def _kahn(waiting: list[int], following: list[list[int]]) -> list[int]:
    """Order what waits for so many others, each after all that it waits for."""
    order = [record for record, count in enumerate(waiting) if not count]
    for record in order:  # grows while it is walked
        for follower in following[record]:
            waiting[follower] -= 1
            if not waiting[follower]:
                order.append(follower)
    return order


def _grouped(keys: Ints, values: Ints, count: int) -> list[list[int]]:
    """Split sorted pairs into one list of values for each key."""
    bounds = np.searchsorted(keys, np.arange(count + 1)).tolist()
    flat = values.tolist()
    return [flat[low:high] for low, high in pairwise(bounds)]
