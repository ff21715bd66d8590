"""What a build finds in its caches, under one assumption about what cannot be known before it runs.

Several caches are asked at once, and which one answers first is a race; content that a step will make is unknown until
it has run. The best and the worst that can come of it are two outlooks; where nothing is open, one is exact.

Source: BuildKit ``solver/combinedcache.go`` (``Query``) and ``solver/cachemanager.go`` (``getIDFromDeps``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from cachegraph.core.model import CacheInput, CacheRecord
from cachegraph.core.resolved import ResolvedExport
from cachegraph.solver.keys import Taken
from cachegraph.solver.loads import KeyLoads, Loadable
from cachegraph.solver.match import Open, match_slots

__all__ = ["Assumption", "Hit", "Input", "Outlook", "is_content_hashed", "shared_behind"]

Hit: TypeAlias = tuple[int, int]
"""Position of a cache, and one of its keys."""

Input: TypeAlias = tuple[int, bool]
"""A step that a slot takes, and whether it is matched by its own key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """What to take for granted where it is open.

    Attributes
    ----------
    hopeful : bool
        Unknown content is the cached one, unknown results are there, and of caches that hold one key the one with a
        result answers. If not: the opposite of each.
    first : int
        Position of the cache that answers first, and so alone, for the records in `behind` that it can answer.
    behind : mapping of int to frozenset of int
        Records behind a content-hashed step that several caches hold, and these.
    """

    hopeful: bool = True
    first: int = 0
    behind: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def answers(self, record: int, cache: int) -> bool:
        """Tell whether a cache answers for a record."""
        holders = self.behind.get(record)
        return not holders or cache == (self.first if self.first in holders else min(holders))


class Outlook:
    """The keys that a build's records match in its caches, and which of them can be loaded.

    Parameters
    ----------
    build : ResolvedExport
    caches : sequence of KeyLoads
    assumption : Assumption

    Attributes
    ----------
    hits : list of tuple of Hit, length records of the build
    state : list of Loadable, length records of the build
    wild : set of int
        Records whose own key is unknown and taken to be cached.
    """

    def __init__(self, build: ResolvedExport, caches: Sequence[KeyLoads], assumption: Assumption) -> None:
        self.build = build
        self.caches = caches
        self.assumption = assumption
        self._records = build.export.config.records
        # What is not known may be what a cache has; without a cache it is not.
        self._unknown = build.export.unknown if caches else frozenset()
        self.hits: list[tuple[Hit, ...]] = [()] * len(self._records)
        self.state: list[Loadable] = [Loadable.NO] * len(self._records)
        self.wild: set[int] = set()
        self._leads: dict[tuple[int, int], bool] = {}
        self._inputs: dict[tuple[int, int], list[Input]] = {}
        uncached = build.export.uncached
        for index in build.links.order:
            # A step that is not looked for gives what stands on it no key either (``processExecReq``).
            if index in uncached:
                continue
            if (index, -1) in self._unknown:
                if assumption.hopeful:
                    self.wild.add(index)
                    self.state[index] = Loadable.YES
            elif found := self._find(index):
                self.hits[index] = found
                self.state[index] = self._best(found)

    # --- Keys --------------------------------------------------------------------------------------------------------

    def _find(self, index: int) -> tuple[Hit, ...]:
        record = self._records[index]
        found: list[Hit] = []
        for number, loads in enumerate(self.caches):
            if not self.assumption.answers(index, number):
                continue
            if not record.inputs:
                root = loads.keys.root(record.digest)
                found += [] if root is None else [(number, root)]
            elif loads.keys.takers(record.digest, len(record.inputs)) is not None:
                slots = [self._taken(number, slot) for slot in record.inputs]
                opened = self._opened(index, record, number, slots) if self._unknown else ()
                found += [(number, key) for key in match_slots(loads.keys, record.digest, slots, opened)]
        return tuple(found)

    def _taken(self, cache: int, slot: tuple[CacheInput, ...]) -> list[Taken]:
        """Give what the alternatives of a slot match in one cache."""
        count = len(self._records)
        return [
            (alternative.selector, key)
            for alternative in slot
            if 0 <= alternative.link < count
            for number, key in self.hits[alternative.link]
            if number == cache
        ]

    def _opened(self, index: int, record: CacheRecord, cache: int, slots: list[list[Taken]]) -> list[Open]:
        """Say which slots are open; what can be known of unknown content is added to what they take."""
        opened = [Open.NO] * len(slots)
        for number, slot in enumerate(record.inputs):
            if any(alternative.link in self.wild for alternative in slot):
                opened[number] = Open.ANY
            elif (index, number) in self._unknown:
                contents = self._contents(slot)
                if self.assumption.hopeful and not contents:
                    opened[number] = Open.CONTENT
                elif self.assumption.hopeful or len(contents) == 1:
                    keys = (self.caches[cache].keys.root(content) for content in contents)
                    slots[number] += [("", key) for key in keys if key is not None]
        return opened

    def _contents(self, slot: tuple[CacheInput, ...]) -> set[str]:
        """Give the digests of content keys that the caches hold for what a slot takes, where that will be loaded."""
        found: set[str] = set()
        for alternative in slot:
            if not self.loadable(alternative.link):
                continue
            for number, key in self.hits[alternative.link]:
                keys = self.caches[number].keys
                records = keys.export.export.config.records
                found |= {records[root].digest for root in keys.contents.get((alternative.selector, key), ())}
        return found

    def _best(self, hits: tuple[Hit, ...]) -> Loadable:
        """Say what becomes of a record that matches these keys."""
        states = [(self.caches[number].state(key), number, key) for number, key in hits]
        if self.assumption.hopeful:
            best = max(states)[0]
            return Loadable.YES if best is Loadable.UNKNOWN else best
        worst: dict[str, Loadable] = {}
        for state, number, key in states:
            known = Loadable.NO if state is Loadable.UNKNOWN else state
            # Keys of one cache are never the same key; those of several are, if all that they take is the same.
            name = self.caches[number].keys.export.key_ids[key] if len(self.caches) > 1 else str(key)
            worst[name] = min(known, worst.get(name, known))
        return max(worst.values())

    # --- What demand asks --------------------------------------------------------------------------------------------

    def matched(self, record: int) -> bool:
        """Tell whether a record matches some key."""
        return bool(self.hits[record]) or record in self.wild

    def loadable(self, record: int) -> bool:
        """Tell whether a record's result is loaded when it is needed."""
        return self.state[record] is Loadable.YES

    @property
    def takes_several(self) -> bool:
        """Whether some slot takes several steps, as where alternatives were inherited from a cache."""
        records, count = self._records, len(self._records)
        return any(
            sum(bool(records[a.link].inputs) for a in slot if 0 <= a.link < count) > 1
            for record in records
            for slot in record.inputs
            if len(slot) > 1
        )

    def leads_on(self, record: int, slot: int) -> bool:
        """Tell whether a slot, taken alone, matches that slot of some key with the record's digest."""
        known = self._leads.get((record, slot))
        if known is None:
            found = self._records[record]
            known = (self.assumption.hopeful and (record, slot) in self._unknown) or any(
                alternative.link in self.wild or self._takes(found, slot, alternative)
                for alternative in found.inputs[slot]
            )
            self._leads[record, slot] = known
        return known

    def inputs(self, record: int, slot: int) -> list[Input]:
        """List the steps that a slot takes.

        Parameters
        ----------
        record, slot : int

        Returns
        -------
        list of tuple of (int, bool)
            Record, and whether its own key is one that the slot takes in what the record matches. If there are some
            of which it is not, these alone: the others were inherited from the cache.
        """
        known = self._inputs.get((record, slot))
        if known is None:
            count = len(self._records)
            alternatives = self._records[record].inputs[slot]
            links = [a for a in alternatives if 0 <= a.link < count and self._records[a.link].inputs]
            if links and (self.matched(record) or self.leads_on(record, slot)):
                new = [(a.link, False) for a in links if not self._is_taken(record, slot, a)]
                known = new or [(a.link, True) for a in links]
            else:
                known = [(a.link, False) for a in links]
            self._inputs[record, slot] = known
        return known

    def _is_taken(self, record: int, slot: int, alternative: CacheInput) -> bool:
        if record in self.wild or alternative.link in self.wild:
            return True
        if not self.hits[record]:
            return self._takes(self._records[record], slot, alternative)
        return any(
            number == other and (alternative.selector, key) in self.caches[number].keys.slots(taker)[slot]
            for number, key in self.hits[alternative.link]
            for other, taker in self.hits[record]
        )

    def _takes(self, record: CacheRecord, slot: int, alternative: CacheInput) -> bool:
        """Tell whether any key with the record's digest takes an alternative in this slot."""
        if not 0 <= alternative.link < len(self._records):
            return False
        for number, key in self.hits[alternative.link]:
            takers = self.caches[number].keys.takers(record.digest, len(record.inputs))
            if takers is not None and (slot, (alternative.selector, key)) in takers:
                return True
        return False


def shared_behind(outlook: Outlook) -> dict[int, frozenset[int]]:
    """Find the records behind content-hashed steps that several caches hold.

    Parameters
    ----------
    outlook : Outlook
        A hopeful one.

    Returns
    -------
    dict of int to frozenset of int
        Of each such record, the caches that hold the first of those steps.
    """
    behind: dict[int, frozenset[int]] = {}
    first: dict[int, frozenset[int]] = {}
    records = outlook.build.export.config.records
    for index in outlook.build.links.order:
        below = [
            behind.get(a.link) or first.get(a.link)
            for slot in records[index].inputs
            for a in slot
            if 0 <= a.link < len(records)
        ]
        if holders := frozenset().union(*filter(None, below)):
            behind[index] = holders
            continue
        caches = frozenset(number for number, _ in outlook.hits[index])
        if len(caches) > 1 and any(
            is_content_hashed(outlook.build, index, s) for s in range(len(records[index].inputs))
        ):
            first[index] = caches
    return behind


def is_content_hashed(build: ResolvedExport, record: int, slot: int) -> bool:
    """Tell whether BuildKit looks at the content of what a slot takes.

    Parameters
    ----------
    build : ResolvedExport
    record, slot : int
    """
    if (record, slot) in build.export.unknown:
        return True
    records = build.export.config.records
    links = [alternative.link for alternative in records[record].inputs[slot]]
    steps = sum(bool(records[link].inputs) for link in links if 0 <= link < len(records))
    return len(links) > steps and (steps > 0 or slot > 0)
