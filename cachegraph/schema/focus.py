"""A window on an export: some of its records, with the whole export's answers.

A record cut out of its export would answer falsely: with its dependents out of sight it looks dead, with its merge out
of sight its layers look lost. So a window cuts nothing. It is the whole export, with the records that are to be shown.
Frames, NetworkX, files, plots and findings show those; a record's index, its id and every answer about it stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from cachegraph.core.graph import ExportGraph

__all__ = ["Window", "around", "shown"]


class Window(ExportGraph):
    """An export of which only some records are shown.

    Parameters
    ----------
    whole : ExportGraph
    records : iterable of int
        Indexes of the records that are shown.

    Attributes
    ----------
    shown : frozenset of int
    rows : dict of str to sequence of int
        Rows that are shown, by label and relationship type; `cachegraph.schema.facts` fills it.
    """

    __slots__ = ("rows", "shown")

    def __init__(self, whole: ExportGraph, records: Iterable[int]) -> None:
        self.__dict__ = whole.__dict__  # the same export: what one has computed of it, the other knows
        self.shown = frozenset(records)
        self.rows: dict[str, Sequence[int]] = {}


def shown(graph: ExportGraph) -> Collection[int]:
    """Give the indexes of the records that are to be shown: a window's own, else all.

    Parameters
    ----------
    graph : ExportGraph
    """
    return graph.shown if isinstance(graph, Window) else range(len(graph))


def around(graph: ExportGraph, record: int, up: int, down: int) -> frozenset[int]:
    """Find the shown records near a record.

    Parameters
    ----------
    graph : ExportGraph
    record : int
    up : int
        Steps towards the records that depend on it.
    down : int
        Steps towards the records that it depends on.

    Returns
    -------
    frozenset of int
        The record, those that depend on it within ``up`` steps, and those that it depends on within ``down``.
    """
    near = _within(record, graph.links.dependents, up) | _within(record, graph.links.inputs, down)
    return frozenset(near & set(shown(graph)))


def _within(record: int, neighbours: list[list[int]], steps: int) -> set[int]:
    found = {record}
    edge = found
    for _ in range(steps):
        edge = {other for one in edge for other in neighbours[one]} - found
        if not edge:
            break
        found = found | edge
    return found
