"""What a cache has beside a step that misses it: the same step on other inputs, other steps on the same inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cachegraph.solver.match import Matches, taken_by

__all__ = ["Neighbour", "followers", "neighbours", "shares_nothing", "wanted_contents"]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A key of a cache with a step's digest, or the digest that it would have.

    Attributes
    ----------
    matches : Matches
        The build against this cache.
    key : int
    missed : tuple of int
        The slots in which it takes something else than the build.
    """

    matches: Matches
    key: int
    missed: tuple[int, ...]


def neighbours(every: Iterable[Matches], record: int, digest: str) -> list[Neighbour]:
    """Find the keys with a digest that agree with a record in most of its slots.

    Parameters
    ----------
    every : iterable of Matches
    record : int
        Whose slots are compared.
    digest : str
        Its own, or another that it could have.

    Returns
    -------
    list of Neighbour
        Those with the fewest slots that differ.
    """
    found: list[Neighbour] = []
    for matches in every:
        slots = matches.build.export.config.records[record].inputs
        takers = matches.cache.takers(digest, len(slots)) or {}
        taken = [set(taken_by(slot, matches.keys)) for slot in slots]
        for key in dict.fromkeys(key for keys in takers.values() for key in keys):
            theirs = matches.cache.slots(key)
            missed = tuple(number for number, slot in enumerate(taken) if slot.isdisjoint(theirs[number]))
            found.append(Neighbour(matches, key, missed))
    fewest = min((len(one.missed) for one in found), default=0)
    return [one for one in found if len(one.missed) == fewest]


def wanted_contents(found: Iterable[Neighbour], slot: int) -> set[str]:
    """Give the digests of the content keys that neighbours have in a slot: what the files were."""
    return {
        one.matches.cache.export.export.config.records[taken].digest
        for one in found
        for selector, taken in one.matches.cache.slots(one.key)[slot]
        if not selector and one.matches.cache.is_root(taken)
    }


def followers(every: Iterable[Matches], record: int) -> list[Neighbour]:
    """Find the keys of other operations that take what a record takes first, such as the next step in the cache."""
    found: list[Neighbour] = []
    for matches in every:
        cache, slots = matches.cache, matches.build.export.config.records[record].inputs
        wanted = set(taken_by(slots[0], matches.keys)) if slots else set()
        keys = [key for key in dict.fromkeys(cache.key) if key >= 0 and not cache.is_root(key)]
        found += [Neighbour(matches, key, ()) for key in keys if not wanted.isdisjoint(cache.slots(key)[0])]
    return found


def shares_nothing(every: Iterable[Matches]) -> bool:
    """Tell whether no cache has a single digest of the build: they are of another one."""
    for matches in every:
        own = {record.digest for record in matches.build.export.config.records}
        if any(matches.keys) or not own.isdisjoint(
            record.digest for record in matches.cache.export.export.config.records
        ):
            return False
    return True
