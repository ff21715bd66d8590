"""Links that BuildKit 0.25.0 to 0.32 can lose while it imports an export, and the records that a build then misses.

That importer walks from each leaf (a key that no key takes) down to its inputs, slots in order, leaves and the
alternatives of a slot in any order. A walk that meets a key stored by an earlier leaf's walk gets it once; every
further link to that key in the same walk is dropped. So for a key ``o`` and the links from it to its takers::

    K, walked first, reaches o but not these takers: o is old, the takers are new
    L, walked later, reaches two or more of them:    the link it passes first stays, the others are lost

Which link L passes first is certain only while one alternative leads on. For each link e, let its rivals be itself and
the links f from the same key for which there is such a K. Then e stays in every walk exactly if each leaf that reaches
its taker surely passes e first of all of them. That is found for thousands of sets of rivals at once, each a bit of
Python's long integers: once up through the links to the leaves, once down to join what the leaves say.

Source: BuildKit ``cache/remotecache/v1/cachestorage.go``, ``addItemToStorage``, of 0.25.0 to 0.32.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from cachegraph.core.folding import KeyLink, fold_links
from cachegraph.core.resolved import ResolvedExport

__all__ = ["links_lost_within", "lost_links"]

_TOGETHER = 4096
"""Sets of rivals that are looked at in one go: a bit of each number. More need more memory, fewer more time."""


def lost_links(graph: ResolvedExport) -> set[tuple[int, int, int]]:
    """Find every link that can be lost.

    Parameters
    ----------
    graph : ResolvedExport

    Returns
    -------
    set of (int, int, int)
        Record, slot and alternative, as the export counts them. Empty where BuildKit refuses the export, for a
        daemon's own keys, which nothing imports, and where records of one key depend on each other (what becomes of
        these is not known; no builder writes them).
    """
    return links_lost_within(graph, None) or set()


def links_lost_within(graph: ResolvedExport, budget: int | None) -> set[tuple[int, int, int]] | None:
    """Find them as `lost_links` does; None if that takes more work than is allowed, or keys depend on themselves.

    Parameters
    ----------
    graph : ResolvedExport
    budget : int or None
        Links, times the groups of 4,096 sets of rivals, that may be looked at; None for any number.
    """
    if graph.import_error is not None or graph.export.kind == "daemon":
        return set()
    keys, links = fold_links(graph.export.config, graph.links)
    walks = _Walks(keys, links)
    numbers = None if walks.is_cyclic else walks.lost(budget)
    if numbers is None:
        return None
    lost = {links[number] for number in numbers}
    return {
        (index, slot, number)
        for index, record in enumerate(graph.export.config.records)
        for slot, alternatives in enumerate(record.inputs)
        for number, a in enumerate(alternatives)
        if lost and KeyLink(keys[a.link], keys[index], slot, a.selector) in lost
    }


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
        self.is_cyclic = len(self.order) < len(self.taken)  # records with one key take each other: nobody writes that
        self.place = {key: place for place, key in enumerate(self.order)}
        self.leaves = {} if self.is_cyclic else self._leaves()

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

    def lost(self, budget: int | None) -> set[int] | None:
        """Find the links that can be lost, by number; None if that takes more work than the budget allows."""
        if budget is not None and len(self.links) > budget:
            return None
        rivals = sorted((one for key in self.order for one in self._rivals(key)), key=lambda one: one.width)
        if budget is not None and len(self.links) * -(-len(rivals) // _TOGETHER) > budget:
            return None
        lost: set[int] = set()
        for start in range(0, len(rivals), _TOGETHER):
            lost |= self._overtaken(rivals[start : start + _TOGETHER])
        return lost

    def _rivals(self, key: int) -> Iterator[_Rivals]:
        """Say of the links from a key which others can cost them a place, those with the same rivals together.

        Another link is a rival if some leaf reaches the key and neither of the two takers: condition 1 of the rule.
        """
        numbers = self.taken[key]
        every = self.leaves[key]
        by_missing: dict[int, list[int]] = {}
        for number in numbers:
            if missing := every & ~self.leaves[self.links[number].taker]:
                by_missing.setdefault(missing, []).append(number)
        if sum(map(len, by_missing.values())) < 2:
            return
        # Two can only have no leaf missing in common if together they miss no more than all: few are worth a look.
        counts = sorted(((missing.bit_count(), missing) for missing in by_missing), key=itemgetter(0))
        total = every.bit_count()
        groups: dict[tuple[int, ...], list[int]] = {}
        for count, missing in counts:
            apart = []
            for other_count, other in counts:
                if count + other_count > total:
                    break
                if not missing & other:
                    apart.append(other)
            groups.setdefault(tuple(apart), []).extend(by_missing[missing])
        places = {number: place for place, number in enumerate(numbers)}
        for clashing, links in groups.items():
            without = {number for missing in clashing for number in by_missing[missing]}
            rivals = [n for found in by_missing.values() for n in found if n not in without]
            if len(rivals) > 1:
                yield _Rivals(links=links, rivals=rivals, places=places)

    def _overtaken(self, rivals: Sequence[_Rivals]) -> set[int]:
        """Find the links that some walk can pass after a rival, for many sets of rivals at once: a bit for each set."""
        width = max(one.width for one in rivals).bit_length()
        passed: dict[int, int] = {}
        asked: dict[int, int] = {}
        places: dict[int, int] = {}
        for bit, one in enumerate(rivals):
            for number in one.rivals:
                passed[number] = passed.get(number, 0) | 1 << bit
                places[number] = one.places[number]
            for number in one.links:
                asked[number] = asked.get(number, 0) | 1 << bit
        first = self._first(passed, places, width)
        lost: set[int] = set()
        above: dict[int, _First] = {}
        asking: dict[int, list[int]] = {}
        for number in asked:
            asking.setdefault(self.links[number].taker, []).append(number)
        for key in reversed(self.order):
            takers = {self.links[number].taker for number in self.taken[key]}
            found = _First(width) if takers else first.get(key, _First(width))
            for taker in takers & above.keys():
                found.join(above[taker])
            if not found.some:
                continue
            above[key] = found
            for number in asking.get(key, ()):
                if asked[number] & ~found.surely(places[number]):
                    lost.add(number)
        return lost

    def _first(self, passed: Mapping[int, int], places: Mapping[int, int], width: int) -> dict[int, _First]:
        """Say of each key which link of each set a walk down from it passes first."""
        first: dict[int, _First] = {}
        for key in self.order:
            found = None
            for slot in self.slots[key]:
                inside = None
                for number, source in slot:
                    below = first.get(source)
                    if bits := passed.get(number, 0):
                        below = below.copy() if below else _First(width)
                        below.put(bits, places[number])
                    if below is None:
                        continue
                    if inside is None:
                        inside = below.copy()
                    else:
                        inside.join(below)
                if inside is None:
                    continue
                if found is None:
                    found = inside
                else:
                    found.then(inside)
            if found is not None:
                first[key] = found
        return first


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rivals:
    """Links from one key, and the links that can cost each of them its place.

    Attributes
    ----------
    links : list of int
        Those that are asked about; all have the same rivals.
    rivals : list of int
        Themselves among them.
    places : dict of int to int
        Place of each link from the key, by its number.
    """

    links: list[int]
    rivals: list[int]
    places: dict[int, int]

    @property
    def width(self) -> int:
        """Number of links from the key."""
        return len(self.places)


class _First:
    """Which link a walk passes first, for many sets of rivals: bit n of each number is about set n.

    Attributes
    ----------
    some : int
        Sets of which it passes any.
    either : int
        Sets where chance decides.
    digits : list of int
        Place of the link that it passes first, in binary: of each set one bit in each number, lowest digit first.
    """

    __slots__ = ("digits", "either", "some")

    def __init__(self, width: int) -> None:
        self.some = 0
        self.either = 0
        self.digits = [0] * width

    def copy(self) -> _First:
        """Give another one to change."""
        made = _First(0)
        made.some, made.either, made.digits = self.some, self.either, self.digits.copy()
        return made

    def put(self, bits: int, place: int) -> None:
        """Let it pass the link at a place first, in sets of which it passed none."""
        self.some |= bits
        for digit in range(place.bit_length()):
            if place >> digit & 1:
                self.digits[digit] |= bits

    def join(self, other: _First) -> None:
        """Let it go one way or the other: where they differ, chance decides."""
        both = self.some & other.some
        new = other.some & ~self.some
        self.either |= other.either
        for digit, bits in enumerate(other.digits):
            mine = self.digits[digit]
            if bits is not mine:
                if both:
                    self.either |= (mine ^ bits) & both
                self.digits[digit] = mine | bits & new
        self.some |= new

    def then(self, other: _First) -> None:
        """Let it go this way first, and then the other."""
        new = other.some & ~self.some
        if new:
            self.either |= other.either & new
            for digit, bits in enumerate(other.digits):
                if bits:
                    self.digits[digit] |= bits & new
            self.some |= new

    def surely(self, place: int) -> int:
        """Give the sets where it passes the link at a place first, whatever chance decides."""
        bits = self.some & ~self.either
        for digit, one in enumerate(self.digits):
            bits &= one if place >> digit & 1 else ~one
        return bits
