"""Links that BuildKit 0.25.0 to 0.32 can lose while it imports an export, and the records that a build then misses.

That importer walks from each leaf (a key that no key takes) down to its inputs, slots in order, leaves and the
alternatives of a slot in any order. A walk that meets a key stored by an earlier leaf's walk gets it once; every
further link to that key in the same walk is dropped. So for a key ``o`` and the links from it to its takers::

    K, walked first, reaches o but not these takers: o is old, the takers are new
    L, walked later, reaches two or more of them:    the link it passes first stays, the others are lost

Which link L passes first is certain only while one alternative leads on; the search below carries that link up from the
takers to the leaves, or `_EITHER` where chance decides.

Source: BuildKit ``cache/remotecache/v1/cachestorage.go``, ``addItemToStorage``, of 0.25.0 to 0.32.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cachegraph.core.folding import KeyLink, fold_links
from cachegraph.core.resolved import ResolvedExport

__all__ = ["Missable", "lost_links", "missable"]

_EITHER = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Missable:
    """A record that such a builder can miss.

    Attributes
    ----------
    record : int
    slot : int
        One all of whose links can be lost.
    steps : tuple of int
        Records with inputs that match no longer then, itself among them, by index.
    """

    record: int
    slot: int
    steps: tuple[int, ...]


def lost_links(graph: ResolvedExport) -> set[tuple[int, int, int]]:
    """Find every link that can be lost.

    Parameters
    ----------
    graph : ResolvedExport

    Returns
    -------
    set of (int, int, int)
        Record, slot and alternative, as the export counts them. Empty where BuildKit refuses the export, and for a
        daemon's own keys, which nothing imports.
    """
    if graph.import_error is not None or graph.export.kind == "daemon":
        return set()
    keys, links = fold_links(graph.export.config, graph.links)
    lost = {links[number] for number in _Walks(keys, links).lost()}
    return {
        (index, slot, number)
        for index, record in enumerate(graph.export.config.records)
        for slot, alternatives in enumerate(record.inputs)
        for number, a in enumerate(alternatives)
        if lost and KeyLink(keys[a.link], keys[index], slot, a.selector) in lost
    }


def missable(graph: ResolvedExport) -> Iterator[Missable]:
    """Find the records that can be missed, and what runs then.

    Parameters
    ----------
    graph : ResolvedExport

    Yields
    ------
    Missable
        By record and slot.
    """
    lost = lost_links(graph)
    for index, slot in sorted({place[:2] for place in lost}):
        alternatives = graph.export.config.records[index].inputs[slot]
        if all((index, slot, number) in lost for number in range(len(alternatives))):
            yield Missable(record=index, slot=slot, steps=tuple(_unmatched_without(graph, index)))


def _unmatched_without(graph: ResolvedExport, record: int) -> list[int]:
    """List the records that match no longer once this one does not: by AND over slots, OR over alternatives."""
    gone = {record}
    waiting = [record]
    for one in waiting:  # grows while it is walked
        for taker in graph.links.dependents[one]:
            slots = graph.export.config.records[taker].inputs
            if taker not in gone and any(all(a.link in gone for a in slot) for slot in slots):
                gone.add(taker)
                waiting.append(taker)
    return sorted(gone)


class _Walks:
    """What walks from the leaves of an export can do.

    Parameters
    ----------
    keys : sequence of int
        Key of each record.
    links : sequence of KeyLink
    """

    def __init__(self, keys: Sequence[int], links: Sequence[KeyLink]) -> None:
        self.links = links
        self.taken: dict[int, list[int]] = {key: [] for key in keys if key >= 0}
        slots: dict[int, dict[int, list[tuple[int, int]]]] = {key: {} for key in self.taken}
        for number, link in enumerate(links):
            self.taken[link.source].append(number)
            slots[link.taker].setdefault(link.slot, []).append((number, link.source))
        self.slots = {key: [found[slot] for slot in sorted(found)] for key, found in slots.items()}
        self.order = self._dependencies_first()
        self.place = {key: place for place, key in enumerate(self.order)}
        self.leaves = self._leaves()

    def _dependencies_first(self) -> list[int]:
        waiting = {key: sum(map(len, slots)) for key, slots in self.slots.items()}
        order = [key for key, count in waiting.items() if not count]
        for key in order:  # grows while it is walked
            for number in self.taken[key]:
                taker = self.links[number].taker
                waiting[taker] -= 1
                if not waiting[taker]:
                    order.append(taker)
        return order

    def _leaves(self) -> dict[int, int]:
        """Give each key the leaves that reach it, as bits."""
        leaves: dict[int, int] = {}
        count = 0
        for key in reversed(self.order):
            above = 0
            for number in self.taken[key]:
                above |= leaves[self.links[number].taker]
            if not self.taken[key]:
                above = 1 << count
                count += 1
            leaves[key] = above
        return leaves

    def lost(self) -> set[int]:
        """Find the links that can be lost, by number."""
        lost: set[int] = set()
        for key in self.order:
            for new in self._new_takers(key):
                if not new <= lost:
                    lost |= self._overtaken(new)
        return lost

    def _new_takers(self, key: int) -> list[frozenset[int]]:
        """List the sets of links from a key that are new after some leaf's walk stored it; the largest ones do."""
        numbers = self.taken[key]
        reached = {number: self.leaves[self.links[number].taker] for number in numbers}
        if len(numbers) < 2 or all(leaves == self.leaves[key] for leaves in reached.values()):
            return []
        seen_by: dict[int, list[int]] = {}
        for number, leaves in reached.items():
            for leaf in _bits(leaves):
                seen_by.setdefault(leaf, []).append(number)
        new = {frozenset(numbers) - frozenset(seen) for seen in {tuple(seen) for seen in seen_by.values()}}
        largest: list[frozenset[int]] = []
        for one in sorted(new, key=len, reverse=True):
            if len(one) > 1 and not any(one <= other for other in largest):
                largest.append(one)
        return largest

    def _overtaken(self, new: frozenset[int]) -> set[int]:
        """Find which of these links some walk can pass after another of them."""
        first: dict[int, int] = {}
        for key in self._above(new):
            for slot in self.slots[key]:
                passed = None
                for number, source in slot:
                    link = number if number in new else first.get(source)
                    if link is not None and link != passed:
                        passed = link if passed is None else _EITHER
                if passed is not None:
                    first[key] = passed
                    break
        certain: dict[int, int] = {}
        leaves = 0
        for key, link in first.items():
            if not self.taken[key]:
                leaves |= self.leaves[key]
                certain[link] = certain.get(link, 0) | self.leaves[key]
        return {n for n in new if self.leaves[self.links[n].taker] & leaves & ~certain.get(n, 0)}

    def _above(self, numbers: frozenset[int]) -> list[int]:
        """List the takers of these links and all that depends on them, dependencies first."""
        seen = {self.links[number].taker for number in numbers}
        stack = list(seen)
        while stack:
            for number in self.taken[stack.pop()]:
                taker = self.links[number].taker
                if taker not in seen:
                    seen.add(taker)
                    stack.append(taker)
        return sorted(seen, key=self.place.__getitem__)


def _bits(number: int) -> Iterator[int]:
    """Go through the bits that are set."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
