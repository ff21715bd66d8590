"""Which records BuildKit folds into one key.

A record joins an earlier one of the same digest when, in every slot, some alternative (record, selector) is shared; a
record that so joins several earlier ones makes them one. Roots join by digest alone. Results are joined too, but one
is taken for a repetition of another as soon as both have the same time and the same number of layers: inline chains
carry no time, so of two such chains of equal length the second is lost.

Source: BuildKit ``cache/remotecache/v1/chains.go``, ``CacheChains.Add`` and ``item.addResult``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cachegraph.core.model import CacheConfig
from cachegraph.core.results import State
from cachegraph.core.search import Links

if TYPE_CHECKING:
    from cachegraph.core.graph import ExportGraph

__all__ = ["fold", "fold_results"]

Link = tuple[int, str]


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
    digests = [record.digest for record in config.records]
    common = {digest for digest, count in Counter(digests).items() if count > 1}
    keys = _Keys(len(config.records))
    children: dict[tuple[str, int, Link], set[int]] = {}
    roots: dict[str, int] = {}
    for index in import_order(config, links):
        record = config.records[index]
        if record.digest.startswith("random:"):
            continue
        if record.digest not in common:
            keys.parent[index] = index
            continue
        if not record.inputs:
            keys.parent[index] = roots.setdefault(record.digest, index)
            continue
        slots = [{(keys.find(a.link), a.selector) for a in slot} for slot in record.inputs]
        found = [
            {keys.find(child) for link in slot for child in children.get((record.digest, number, link), ())}
            for number, slot in enumerate(slots)
        ]
        twins = sorted(set.intersection(*found))
        keys.parent[index] = index
        for twin in twins:
            keys.join(twin, index)
        if len(twins) > 1 or (twins and twins[0] != keys.find(index)):
            children = _renamed(children, keys)
        for number, slot in enumerate(slots):
            for link in slot:
                children.setdefault((record.digest, number, link), set()).add(keys.find(index))
    return [keys.find(index) if keys.parent[index] >= 0 else -1 for index in range(len(config.records))]


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
    for start in range(len(config.records)):
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


def fold_results(graph: ExportGraph) -> dict[int, tuple[int, int]]:
    """Name the key of each folded record, and count the results that folding loses.

    Parameters
    ----------
    graph : ExportGraph
        Of an export that BuildKit imports.

    Returns
    -------
    dict of int to tuple of (int, int)
        For each record that is not its key's first: the first, and the number of its results that are dropped as
        repetitions although their blobs differ.
    """
    keys = fold(graph.export.config, graph.links)
    members = Counter(keys)
    kept: dict[int, dict[tuple[int, int], set[tuple[str, ...]]]] = {}
    folded: dict[int, tuple[int, int]] = {}
    for record in import_order(graph.export.config, graph.links) if len(members) < len(keys) else ():
        key = keys[record]
        if key < 0 or members[key] == 1:
            continue
        dropped = 0
        for result in graph.results(record):
            if graph.state(result) > State.BLOB_MISSING:
                continue
            blobs = graph.result_blobs(result)
            known = kept.setdefault(key, {}).setdefault((int(graph.result_times[result]), len(blobs)), set())
            dropped += bool(known) and blobs not in known
            known.add(blobs)
        if record != key:
            folded[record] = (key, dropped)
    return folded


class _Keys:
    """Union-find over records; the smaller position in BuildKit's order stays the name."""

    def __init__(self, count: int) -> None:
        self.parent = [-1] * count

    def find(self, record: int) -> int:
        while self.parent[record] not in (record, -1):
            self.parent[record] = max(self.parent[self.parent[record]], -1)
            record = self.parent[record]
        return record

    def join(self, keep: int, other: int) -> None:
        keep, other = self.find(keep), self.find(other)
        if keep != other:
            self.parent[other] = keep


def _renamed(children: dict[tuple[str, int, Link], set[int]], keys: _Keys) -> dict[tuple[str, int, Link], set[int]]:
    """Bring links up to date after two keys became one: BuildKit moves the children along."""
    renamed: dict[tuple[str, int, Link], set[int]] = {}
    for (digest, slot, (record, selector)), found in children.items():
        renamed.setdefault((digest, slot, (keys.find(record), selector)), set()).update(map(keys.find, found))
    return renamed
