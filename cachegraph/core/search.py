"""Searches over the record graph: orders, what depends on what, and how much of it is loadable.

Plain Python over flat lists: linear in the inputs, no recursion, and on every real size faster than importing a library
for it (``scipy.sparse.csgraph`` takes longer to import than these take on 200,000 records; see ``docs/decisions.md``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain, compress

from cachegraph.core.model import CacheRecord

__all__ = ["Links"]


class Links:
    """The links of an export in both directions, those out of range left out.

    Parameters
    ----------
    records : sequence of CacheRecord

    Attributes
    ----------
    inputs : list of list of int
        For each record, the records that it takes, one for each alternative.
    is_sound : bool
        Whether every slot has an alternative, and every link is in range.
    """

    def __init__(self, records: Sequence[CacheRecord]) -> None:
        count = len(records)
        self.inputs: list[list[int]] = [
            [alternative.link for slot in record.inputs for alternative in slot] for record in records
        ]
        self.is_sound = not any(() in record.inputs for record in records)
        links = list(chain.from_iterable(self.inputs))
        if links and (min(links) < 0 or max(links) >= count):
            self.is_sound = False
            self.inputs = [[link for link in own if 0 <= link < count] for own in self.inputs]

    @cached_property
    def dependents(self) -> list[list[int]]:
        """For each record, the records that take it, one for each alternative."""
        found: list[list[int]] = [[] for _ in self.inputs]
        for record, links in enumerate(self.inputs):
            for link in links:
                found[link].append(record)
        return found

    @cached_property
    def order(self) -> list[int]:
        """Records, dependencies first. Leaves out those on a loop and those that depend on one."""
        return _kahn([len(inputs) for inputs in self.inputs], self.dependents)

    @property
    def has_loop(self) -> bool:
        """Whether some record reaches itself."""
        return len(self.order) < len(self.inputs)

    def below(self, starts: bytearray) -> bytearray:
        """Mark every record that one of these depends on, directly or not.

        Parameters
        ----------
        starts : bytearray, shape (records,)
            1 for each record to start from.

        Returns
        -------
        bytearray, shape (records,)
            1 for each record reached. A start is marked only where another start, or a loop, leads to it.
        """
        inputs, seen = self.inputs, bytearray(len(self.inputs))
        for record in chain.from_iterable(compress(inputs, starts)):
            seen[record] = 1
        # What starts lead to is marked already.
        stack = [record for record, (found, start) in enumerate(zip(seen, starts, strict=True)) if found and not start]
        while stack:
            for dependency in inputs[stack.pop()]:
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
            None for a record that something on a loop depends on: BuildKit refuses such an export.

        Notes
        -----
        The records above each one are a big integer, a bit for each that counts; made dependents first, and dropped
        when the last record below has read it.
        """
        counts: dict[int, int | None] = dict.fromkeys(wanted)
        dependents, asked = self.dependents, bytearray(len(self.inputs))
        for record in counts:
            asked[record] = 1
        unread = list(map(len, self.inputs))
        above = [0] * len(unread)  # of each record: those above it and, if it counts, itself
        bit = 1
        for record in self._downward() if counts else ():
            total = 0
            for dependent in dependents[record]:
                total = total | above[dependent] if total else above[dependent]
                unread[dependent] -= 1
                if not unread[dependent]:
                    above[dependent] = 0
            if asked[record]:
                counts[record] = total.bit_count()
            if counted[record]:
                if unread[record]:
                    above[record] = total | bit
                bit <<= 1
            elif unread[record]:
                above[record] = total
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
