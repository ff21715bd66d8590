"""A cache as the solver sees it: the keys that BuildKit makes of an export, and what takes what.

Source: BuildKit ``solver/cachemanager.go`` (``Query``, ``getIDFromDeps``) and ``cache/remotecache/v1/parse.go``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import TypeAlias

from cachegraph.core.folding import fold
from cachegraph.core.resolved import ResolvedExport

__all__ = ["CacheKeys", "Taken"]

Taken: TypeAlias = tuple[str, int]
"""What a slot takes: a selector and a key."""


class CacheKeys:
    """The keys of one imported export.

    Parameters
    ----------
    export : ResolvedExport
        An export that BuildKit refuses has no keys.
    lost : collection of tuple of (int, int, int), optional
        Links (record, slot, alternative) that the importer drops, as BuildKit 0.25.0 to 0.32.2 do at random.

    Attributes
    ----------
    export : ResolvedExport
    key : list of int, length records
        Each record's key, named by the first of its records that BuildKit meets; -1 for a record without one.
    """

    def __init__(self, export: ResolvedExport, *, lost: Collection[tuple[int, int, int]] = ()) -> None:
        self.export = export
        records = export.export.config.records
        self.key: list[int] = (
            fold(export.export.config, export.links) if export.import_error is None else [-1] * len(records)
        )
        self._lost = lost
        self._roots: dict[str, int] = {}
        self._takers: dict[tuple[str, int], dict[tuple[int, Taken], list[int]]] = {}
        self._folded: dict[int, list[int]] = {}
        self._slots: dict[int, tuple[set[Taken], ...]] = {}
        for index, record in enumerate(records):
            key = self.key[index]
            if key < 0:
                continue
            if key != index:
                self._folded.setdefault(key, []).append(index)
            if not record.inputs:
                self._roots[record.digest] = key
                continue
            takers = self._takers.setdefault((record.digest, len(record.inputs)), {})
            for number, taken in self._links(index):
                found = takers.setdefault((number, taken), [])
                if key not in found[-1:] and (key == index or key not in found):
                    found.append(key)

    def _links(self, record: int) -> Iterable[tuple[int, Taken]]:
        for number, slot in enumerate(self.export.export.config.records[record].inputs):
            for position, alternative in enumerate(slot):
                if not self._lost or (record, number, position) not in self._lost:
                    yield number, (alternative.selector, self.key[alternative.link])

    def root(self, digest: str) -> int | None:
        """Name the key of a source by its digest, if there is one."""
        return self._roots.get(digest)

    def is_root(self, key: int) -> bool:
        """Tell whether a key has no inputs."""
        return self.export.is_root(key)

    def takers(self, digest: str, slots: int) -> dict[tuple[int, Taken], list[int]] | None:
        """Give the keys with this digest and number of slots, by slot and what it takes; None if there are none."""
        return self._takers.get((digest, slots))

    def members(self, key: int) -> Sequence[int]:
        """List the records that are one key, by index."""
        return sorted((key, *self._folded.get(key, ())))

    def slots(self, key: int) -> tuple[set[Taken], ...]:
        """Give what each slot of a key takes, whichever of its records says so."""
        if key not in self._slots:
            members = (key, *self._folded.get(key, ()))
            records = self.export.export.config.records
            # BuildKit folds by slots that agree, and does not count them.
            found: tuple[set[Taken], ...] = tuple(set() for _ in range(max(len(records[m].inputs) for m in members)))
            for member in members:
                for number, taken in self._links(member):
                    found[number].add(taken)
            self._slots[key] = found
        return self._slots[key]

    def takes_root(self, key: int, slot: int) -> bool:
        """Tell whether a slot of a key takes something without inputs: a source, or content."""
        return any(self.is_root(taken) for _, taken in self.slots(key)[slot])

    @cached_property
    def contents(self) -> dict[Taken, set[int]]:
        """Give the content keys that stand beside what a slot takes: what was found when that was hashed."""
        found: dict[Taken, set[int]] = {}
        for key in dict.fromkeys(self.key):
            if key < 0:
                continue
            for slot in self.slots(key):
                roots = {taken for selector, taken in slot if not selector and self.is_root(taken)}
                for selector, taken in slot if roots else ():
                    if not self.is_root(taken):
                        found.setdefault((selector, taken), set()).update(roots)
        return found
