"""Searches over the record graph: orders, what depends on what, and how much of it is loadable.

Plain Python over flat lists: linear in the inputs, no recursion, and on every real size faster than importing a library
for it (``scipy.sparse.csgraph`` takes longer to import than these take on 200,000 records; see ``docs/decisions.md``).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from cachegraph.core.columns import Columns, Ints

__all__ = ["Links"]


class Links:
    """The links of an export in both directions, those out of range left out.

    Attributes
    ----------
    inputs : list of list of int
        For each record, the distinct records that it takes.
    dependents : list of list of int
        For each record, the distinct records that take it.
    order : list of int
        Records, dependencies first. Leaves out those on a loop and those that depend on one.
    """

    __slots__ = ("dependents", "inputs", "order")

    def __init__(self, columns: Columns) -> None:
        count = len(columns.slot_ptr) - 1
        owner, link = columns.alt_record, columns.link
        kept = (link >= 0) & (link < count)
        pairs = np.unique(owner[kept].astype(np.int64) * max(count, 1) + link[kept])
        child, dependency = pairs // max(count, 1), pairs % max(count, 1)
        self.inputs = _grouped(child.astype(np.int32), dependency.astype(np.int32), count)
        backward = np.argsort(dependency, kind="stable")
        self.dependents = _grouped(dependency[backward].astype(np.int32), child[backward].astype(np.int32), count)
        self.order = self._topological()

    def _topological(self) -> list[int]:
        waiting = [len(inputs) for inputs in self.inputs]
        order = [record for record, count in enumerate(waiting) if not count]
        for record in order:  # grows while it is walked
            for dependent in self.dependents[record]:
                waiting[dependent] -= 1
                if not waiting[dependent]:
                    order.append(dependent)
        return order

    @property
    def has_loop(self) -> bool:
        """Whether some record reaches itself."""
        return len(self.order) < len(self.inputs)

    def below(self, starts: Iterable[int]) -> bytearray:
        """Mark every record that one of these depends on, directly or not.

        Parameters
        ----------
        starts : iterable of int

        Returns
        -------
        bytearray, shape (records,)
            1 for each record reached. A start is marked only where another start, or a loop, leads to it.
        """
        seen = bytearray(len(self.inputs))
        stack = list(starts)
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
        A record with one dependent has that dependent's count, plus one if it counts: no set is needed. The sets of the
        others are big integers, a bit for each counted record, made dependents first and dropped when no longer needed.
        """
        wanted = list(wanted)
        needed = bytearray(len(self.inputs))  # whose set or count is asked for, directly or not
        for record in self._upward(wanted):
            needed[record] = 1
        bit_of: dict[int, int] = {}
        sets: dict[int, int] = {}
        readers = {
            record: sum(1 for dependency in self.inputs[record] if needed[dependency])
            for record in range(len(needed))
            if needed[record]
        }
        counts: dict[int, int | None] = {}
        asked = set(wanted)
        in_order = set(self.order) if self.has_loop else None
        for record in reversed(self.order):
            if not needed[record]:
                continue
            total = 0
            for dependent in self.dependents[record]:
                if in_order is not None and dependent not in in_order:
                    total = -1
                    break
                above = sets[dependent]
                if above < 0:
                    total = -1
                    break
                total |= above | (1 << bit_of[dependent]) if dependent in bit_of else above
            if counted[record]:
                bit_of[record] = len(bit_of)
            if record in asked:
                counts[record] = None if total < 0 else total.bit_count()
            sets[record] = total
            for dependent in self.dependents[record]:
                if dependent in readers:
                    readers[dependent] -= 1
                    if not readers[dependent]:
                        del sets[dependent]
        return {record: counts.get(record) for record in wanted}

    def _upward(self, starts: Iterable[int]) -> list[int]:
        """List the starts and every record that depends on one of them."""
        seen = bytearray(len(self.inputs))
        found = list(dict.fromkeys(starts))
        for record in found:
            seen[record] = 1
        for record in found:  # grows while it is walked
            for dependent in self.dependents[record]:
                if not seen[dependent]:
                    seen[dependent] = 1
                    found.append(dependent)
        return found


def _grouped(keys: Ints, values: Ints, count: int) -> list[list[int]]:
    """Split sorted pairs into one list of values for each key."""
    bounds = np.searchsorted(keys, np.arange(count + 1)).tolist()
    flat = values.tolist()
    return [flat[low:high] for low, high in pairwise(bounds)]
