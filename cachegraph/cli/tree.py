"""The records of an export in the order of a Dockerfile: each stage from its base up, what a step takes before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheInput

__all__ = ["TreeLine", "indent", "tree_lines"]

_DEEPEST = 30  # levels that are indented


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLine:
    """A line of the tree.

    Attributes
    ----------
    depth : int
        0 for what nothing takes, one more for what its steps take besides what they stand on.
    record : int
    again : bool
        Whether the record has its own line elsewhere, and this one only says that the steps below stand on it.
    """

    depth: int
    record: int
    again: bool = False


def tree_lines(graph: ExportGraph) -> Iterator[TreeLine]:
    """Give every record of an export once, what it stands on and takes before it.

    A step stands on its first input; what its other inputs lead to is indented before it.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    TreeLine
    """
    taken = graph.links.dependents
    seen: set[int] = set()
    ends = [record for record in range(len(graph)) if not taken[record]]
    # What has no inputs and is taken by nothing comes last, and so does what only loops reach.
    ends.sort(key=lambda record: (graph.is_root(record), record))
    for end in (*ends, *range(len(graph))):
        if end not in seen:
            yield from _branch(graph, end, seen)


def _branch(graph: ExportGraph, end: int, seen: set[int]) -> Iterator[TreeLine]:
    """Give what leads to a record, without recursion: exports are deep."""
    waiting: list[tuple[int, int, bool]] = [(end, 0, False)]  # record, depth, whether all before it is given
    while waiting:
        record, depth, ready = waiting.pop()
        if ready:
            yield TreeLine(depth=depth, record=record)
            continue
        chain, again = _chain(graph, record, seen)
        lines: list[tuple[int, int, bool]] = []
        if again is not None and chain:
            yield TreeLine(depth=depth, record=again, again=True)
        for step in reversed(chain):
            lines += [(other, depth + 1, False) for other in _others(graph, step) if other not in seen]
            lines.append((step, depth, True))
        waiting += reversed(lines)


def _chain(graph: ExportGraph, record: int, seen: set[int]) -> tuple[list[int], int | None]:
    """Follow the first inputs down from a record; give the records met, and the known one at the end if there is."""
    chain: list[int] = []
    current: int | None = record
    while current is not None and current not in seen:
        seen.add(current)
        chain.append(current)
        slots = graph.export.config.records[current].inputs
        current = _taken(graph, slots[0]) if slots else None
    return chain, current


def _others(graph: ExportGraph, step: int) -> Iterator[int]:
    """Give what a step takes besides what it stands on: the other slots, and other alternatives that are known."""
    slots = graph.export.config.records[step].inputs
    for number, slot in enumerate(slots):
        first = _taken(graph, slot)
        if number and first is not None:
            yield first
        yield from (a.link for a in slot if a.link != first and 0 <= a.link < len(graph))


def _taken(graph: ExportGraph, slot: tuple[CacheInput, ...]) -> int | None:
    """Choose the alternative of a slot that tells most: a step before a key of its content."""
    links = [a.link for a in slot if 0 <= a.link < len(graph)]
    return min(links, key=lambda link: (graph.is_root(link), links.index(link)), default=None)


def indent(line: TreeLine) -> str:
    """Blanks before a line."""
    return "  " * min(line.depth, _DEEPEST)
