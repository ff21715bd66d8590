"""Which keys of a cache the records of a build match.

A record matches a key if their digests and numbers of slots are equal and, in every slot, some alternative of the
record matches an alternative of the key with the same selector. Equality of ``key_id`` asks for more, and misses real
hits.

Source: BuildKit ``solver/edge.go`` (``probeCache``) and ``solver/cachemanager.go`` (``Query``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain

from cachegraph.core.model import CacheInput
from cachegraph.core.resolved import ResolvedExport
from cachegraph.solver.keys import CacheKeys, Taken

__all__ = ["Keys", "Matches", "Open", "match", "match_slots", "taken_by"]

Keys = Sequence[tuple[int, ...]]
"""For each record of a build, the keys of one cache that it matches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What the records of a build match in one cache.

    Attributes
    ----------
    build : ResolvedExport
    cache : CacheKeys
    keys : list of tuple of int, length records of the build
        The keys that each record matches, named by a record of the cache; empty where it matches none.
    """

    build: ResolvedExport
    cache: CacheKeys
    keys: list[tuple[int, ...]]

    def records(self, record: int) -> list[int]:
        """List the cache's records that a record of the build matches, by index."""
        return sorted(chain.from_iterable(self.cache.members(key) for key in self.keys[record]))

    def matched(self) -> set[int]:
        """Name the cache's records that something in the build matches."""
        keys = set(chain.from_iterable(self.keys))
        return {index for index, key in enumerate(self.cache.key) if key in keys}

    def leads_on(self, record: int, slot: int) -> bool:
        """Tell whether a slot, taken alone, matches that slot of some key with the record's digest."""
        found = self.build.export.config.records[record]
        takers = self.cache.takers(found.digest, len(found.inputs)) or {}
        return any((slot, taken) in takers for taken in taken_by(found.inputs[slot], self.keys))


def match(build: ResolvedExport, cache: ResolvedExport | CacheKeys) -> Matches:
    """Match every record of a build against a cache.

    Parameters
    ----------
    build : ResolvedExport
        The keys that a build asks for. Links out of range and records on a loop match nothing.
    cache : ResolvedExport or CacheKeys
        The imported export; its `CacheKeys` where several builds are matched against it.

    Returns
    -------
    Matches
        Empty where BuildKit refuses the cache.

    Notes
    -----
    Linear in the inputs of both, but for records that agree in digest and single slots with many keys: then the slot
    with the fewest such keys counts.
    """
    known = cache if isinstance(cache, CacheKeys) else CacheKeys(cache)
    records = build.export.config.records
    keys: list[tuple[int, ...]] = [()] * len(records)
    for index in build.links.order:
        record = records[index]
        if not record.inputs:
            root = known.root(record.digest)
            keys[index] = () if root is None else (root,)
        elif known.takers(record.digest, len(record.inputs)) is not None:
            keys[index] = match_slots(known, record.digest, [list(taken_by(slot, keys)) for slot in record.inputs])
    return Matches(build=build, cache=known, keys=keys)


class Open(Enum):
    """What a slot may take beside what it is known to match."""

    NO = auto()
    CONTENT = auto()  # any content key
    ANY = auto()


def match_slots(
    cache: CacheKeys, digest: str, slots: Sequence[Sequence[Taken]], opened: Sequence[Open] = ()
) -> tuple[int, ...]:
    """Find the keys with a digest that take, in every slot, one of these.

    Parameters
    ----------
    cache : CacheKeys
    digest : str
    slots : sequence of sequence of Taken
        What matched, slot by slot.
    opened : sequence of Open, optional
        What each slot may take as well; without, nothing.

    Returns
    -------
    tuple of int
    """
    takers = cache.takers(digest, len(slots)) or {}
    closed = [number for number in range(len(slots)) if not opened or opened[number] is Open.NO]
    found = {s: [takers[s, taken] for taken in slots[s] if (s, taken) in takers] for s in closed}
    fewest = min(closed, key=lambda s: sum(map(len, found[s])), default=None)
    lists = takers.values() if fewest is None else found[fewest]
    candidates = dict.fromkeys(chain.from_iterable(lists))
    for number, slot in enumerate(slots):
        if number == fewest or not candidates or (opened and opened[number] is Open.ANY):
            continue
        content = bool(opened) and opened[number] is Open.CONTENT
        candidates = {
            key: None
            for key in candidates
            if not cache.slots(key)[number].isdisjoint(slot) or (content and cache.takes_root(key, number))
        }
    return tuple(candidates)


def taken_by(slot: tuple[CacheInput, ...], keys: Keys) -> Iterator[Taken]:
    """Give what the alternatives of a slot match: selectors and keys."""
    for alternative in slot:
        if 0 <= alternative.link < len(keys):
            for key in keys[alternative.link]:
                yield alternative.selector, key
