"""A cache as the solver sees it: the keys that BuildKit makes of an export, and what takes what.

Source: BuildKit ``solver/cachemanager.go`` (``Query``, ``getIDFromDeps``) and ``cache/remotecache/v1/parse.go``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from cachegraph.core.folding import fold
from cachegraph.core.resolved import ResolvedExport

__all__ = ["CacheKeys", "Link"]

Link: TypeAlias = tuple[int, str, int]
"""Slot, selector and the key that is taken."""


class CacheKeys:
    """The keys of one imported export.

    Parameters
    ----------
    export : ResolvedExport
        An export that BuildKit refuses has no keys.

    Attributes
    ----------
    export : ResolvedExport
    key : list of int, length records
        Each record's key, named by the first of its records that BuildKit meets; -1 for a record without one.
    """

    def __init__(self, export: ResolvedExport) -> None:
        self.export = export
        records = export.export.config.records
        self.key: list[int] = (
            fold(export.export.config, export.links) if export.import_error is None else [-1] * len(records)
        )
        self._roots: dict[str, int] = {}
        self._takers: dict[tuple[str, int], dict[Link, list[int]]] = {}
        self._folded: dict[int, list[int]] = {}
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
            for number, slot in enumerate(record.inputs):
                for alternative in slot:
                    found = takers.setdefault((number, alternative.selector, self.key[alternative.link]), [])
                    if key not in found[-1:] and (key == index or key not in found):
                        found.append(key)

    def root(self, digest: str) -> int | None:
        """Name the key of a source by its digest, if there is one."""
        return self._roots.get(digest)

    def takers(self, digest: str, slots: int) -> dict[Link, list[int]] | None:
        """Give the keys with this digest and number of slots, by what each takes; None if there are none."""
        return self._takers.get((digest, slots))

    def members(self, key: int) -> Sequence[int]:
        """List the records that are one key, by index."""
        return sorted((key, *self._folded.get(key, ())))

    def links(self, key: int) -> list[set[tuple[str, int]]]:
        """Give what each slot of a key takes: selectors and keys."""
        records = self.export.export.config.records
        slots: list[set[tuple[str, int]]] = [set() for _ in records[key].inputs]
        for member in self.members(key):
            for taken, slot in zip(slots, records[member].inputs, strict=True):
                taken.update((alternative.selector, self.key[alternative.link]) for alternative in slot)
        return slots
