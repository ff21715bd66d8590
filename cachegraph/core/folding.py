"""Which records BuildKit folds into one key.

A record joins an earlier one of the same digest when, in every slot, some alternative (record, selector) is shared; a
record that so joins several earlier ones makes them one. Roots join by digest alone. A record that joins another is not
linked to what already depends on that one, which would be a loop.

Results are joined too, but one of a later record is taken for a repetition as soon as the key has another of the same
time and the same number of layers: inline chains carry no time, so of two such chains of one length the second is lost.

Where three keys become one, BuildKit itself picks at random which of them stays, and so which results and links: here
the first stays, which is one of its outcomes.

Source: BuildKit ``cache/remotecache/v1/chains.go``, ``CacheChains.Add`` and ``item.addResult``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from cachegraph.core.model import CacheConfig, CacheInput
from cachegraph.core.resolved import ResolvedExport
from cachegraph.core.results import State
from cachegraph.core.search import Links

__all__ = ["KeyLink", "fold", "fold_links", "fold_results"]


def fold(config: CacheConfig, links: Links) -> list[int]:
    """Name, for each record, the key that BuildKit gives it.

    Parameters
    ----------
    config : CacheConfig
        One that BuildKit imports.
    links : Links
        Of the same config.

    Returns
    -------
    list of int, length records
        A key is named by one of its records: the first that BuildKit meets. -1 for ``random:`` records, which get none,
        and for those on a loop.
    """
    return _named(_fold(config, links), config)


class KeyLink(NamedTuple):
    """A link between keys: the key `taker` takes the key `source` in a slot, narrowed by a selector."""

    source: int
    taker: int
    slot: int
    selector: str


def fold_links(config: CacheConfig, links: Links) -> tuple[list[int], list[KeyLink]]:
    """Name the key of each record, and list the links that BuildKit keeps between keys.

    Parameters
    ----------
    config : CacheConfig
        One that BuildKit imports.
    links : Links
        Of the same config.

    Returns
    -------
    list of int, length records
        As `fold` gives them.
    list of KeyLink
        Each once, by source.
    """
    keys = _fold(config, links)
    found = {KeyLink(key, keys.find(child), link.slot, link.selector): None for key, link, child in keys.links()}
    return _named(keys, config), list(found)


def _named(keys: _Keys, config: CacheConfig) -> list[int]:
    return [keys.find(index) if index in keys else -1 for index in range(len(config.records))]


def _fold(config: CacheConfig, links: Links) -> _Keys:
    counts = Counter(record.digest for record in config.records)
    keys = _Keys(len(config.records))
    roots: dict[str, int] = {}
    for index in import_order(config, links):
        record = config.records[index]
        if record.digest.startswith("random:"):
            continue
        keys.add(index)
        if not record.inputs:
            keys.put(index, roots.setdefault(record.digest, index))
            continue
        slots = [
            [(keys.find(a.link), _Link(record.digest, number, a.selector)) for a in slot]
            for number, slot in enumerate(record.inputs)
        ]
        twins: set[int] = set()
        if counts[record.digest] > 1:
            twins = set.intersection(*(keys.children_of(slot) for slot in slots))
        keys.join(twins, index)
        loops = keys.dependents_of(index) if twins else ()
        for key, link in chain.from_iterable(slots):
            if keys.find(key) not in loops:
                keys.link(key, link, index)
    return keys


def import_order(config: CacheConfig, links: Links) -> list[int]:
    """List the records in the order in which BuildKit adds them: by index, but inputs first, depth first.

    Parameters
    ----------
    config : CacheConfig
    links : Links

    Returns
    -------
    list of int
        Without those on a loop and those that depend on one.
    """
    addable = set(links.order)
    seen: set[int] = set()
    order = []
    for start, record in enumerate(config.records):
        if not record.inputs:
            if start not in seen:
                seen.add(start)
                order.append(start)
            continue
        stack = [(start, False)]
        while stack:
            index, read = stack.pop()
            if read:
                order.append(index)
                continue
            if index in seen or index not in addable:
                continue
            seen.add(index)
            stack.append((index, True))
            alternatives = [a.link for slot in config.records[index].inputs for a in slot]
            stack += [(link, False) for link in reversed(alternatives)]
    return order


def fold_results(graph: ResolvedExport) -> dict[int, tuple[int, int]]:
    """Name the key of each folded record, and count the results that folding loses.

    Parameters
    ----------
    graph : ResolvedExport
        Of an export that BuildKit imports.

    Returns
    -------
    dict of int to tuple of (int, int)
        For each record that is not its key's first: the first, and the number of its results that are dropped as
        repetitions although the key keeps no result of those blobs.
    """
    if not _may_fold(graph.export.config):  # nearly always
        return {}
    keys = fold(graph.export.config, graph.links)
    members = Counter(keys)
    taken: dict[int, set[tuple[int, int]]] = {}
    kept: dict[int, set[tuple[str, ...]]] = {}
    repeated: dict[int, list[tuple[str, ...]]] = {}
    for record in import_order(graph.export.config, graph.links) if len(members) < len(keys) else ():
        key = keys[record]
        if key < 0 or members[key] == 1:
            continue
        if record != key:
            repeated[record] = []
        for result in graph.results(record):
            if graph.state(result) > State.BLOB_MISSING:
                continue
            blobs = graph.result_blobs(result)
            known_by = (graph.result_times[result], len(blobs))
            if record != key and known_by in taken.setdefault(key, set()):
                repeated[record].append(blobs)
            else:
                taken.setdefault(key, set()).add(known_by)
                kept.setdefault(key, set()).add(blobs)
    return {
        record: (keys[record], sum(blobs not in kept.get(keys[record], ()) for blobs in results))
        for record, results in repeated.items()
    }


def _may_fold(config: CacheConfig) -> bool:
    """Tell whether any two records could be one key: none can be where no two match as long as each is its own key."""
    counts = Counter(record.digest for record in config.records)
    found: dict[tuple[int, CacheInput | None], dict[str, set[int]]] = {}
    for index, record in enumerate(config.records):
        if counts[record.digest] == 1:
            continue
        slots: list[list[tuple[int, CacheInput | None]]] = [
            [(number, one) for one in slot] for number, slot in enumerate(record.inputs)
        ] or [[(0, None)]]
        twins = [{twin for key in slot for twin in found.get(key, {}).get(record.digest, ())} for slot in slots]
        if set.intersection(*twins):
            return True
        for key in chain.from_iterable(slots):
            found.setdefault(key, {}).setdefault(record.digest, set()).add(index)
    return False


class _Link(NamedTuple):
    """What BuildKit finds a key's children by."""

    digest: str
    slot: int
    selector: str


class _Keys:
    """Which records are one key (union-find), and the children of each key.

    The record that BuildKit meets first stays the name.
    """

    def __init__(self, count: int) -> None:
        self._parent = [-1] * count
        self._met: dict[int, int] = {}
        self._children: dict[int, dict[_Link, set[int]]] = {}

    def __contains__(self, record: int) -> bool:
        """Tell whether the record has a key."""
        return record in self._met

    def add(self, record: int) -> None:
        """Give a record a key of its own."""
        self._parent[record] = record
        self._met[record] = len(self._met)

    def find(self, record: int) -> int:
        """Name the key of a record."""
        while self._parent[record] != record:
            self._parent[record] = self._parent[self._parent[record]]
            record = self._parent[record]
        return record

    def join(self, twins: Collection[int], record: int) -> None:
        """Make a record and the keys that it matches one; BuildKit moves their children along."""
        first, *others = sorted({self.find(record), *map(self.find, twins)}, key=self._met.__getitem__)
        for other in others:
            self._parent[other] = first
            less, more = sorted((self._children.pop(key, {}) for key in (first, other)), key=len)
            for link, found in less.items():
                more.setdefault(link, set()).update(found)
            self._children[first] = more

    def put(self, record: int, key: int) -> None:
        """Make a record that has just been added, and that nothing takes yet, part of a key that was met before it."""
        self._parent[record] = self.find(key)

    def link(self, key: int, link: _Link, child: int) -> None:
        """Make a record the child of a key."""
        self._children.setdefault(self.find(key), {}).setdefault(link, set()).add(child)

    def links(self) -> Iterator[tuple[int, _Link, int]]:
        """Go through the links: key, what the child is found by, the child."""
        for key, children in self._children.items():
            for link, found in children.items():
                for child in found:
                    yield key, link, child

    def dependents_of(self, record: int) -> set[int]:
        """Name a record's key and all keys that depend on it, directly or not."""
        seen = {self.find(record)}
        stack = list(seen)
        while stack:
            for children in self._children.get(stack.pop(), {}).values():
                new = {self.find(child) for child in children} - seen
                seen |= new
                stack += new
        return seen

    def children_of(self, slot: Iterable[tuple[int, _Link]]) -> set[int]:
        """Name the keys that some alternative of a slot leads to."""
        return {
            self.find(child) for key, link in slot for child in self._children.get(self.find(key), {}).get(link, ())
        }
