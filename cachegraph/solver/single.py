"""The one export that an answer is about."""

from __future__ import annotations

from collections.abc import Iterable

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UsageError

__all__ = ["Graphs", "exports_of", "single"]

Graphs = ExportGraph | Iterable[ExportGraph]
"""One export: itself, or the graph that holds it alone."""


def single(graphs: Graphs, what: str) -> ExportGraph:
    """Take the one export out of a graph.

    Parameters
    ----------
    graphs : ExportGraph or iterable of ExportGraph
    what : str
        What the export is for, in errors: ``the old export``.

    Raises
    ------
    cachegraph.errors.UsageError
        None, or several.
    TypeError
        It is no graph.
    """
    if isinstance(graphs, ExportGraph):
        return graphs
    found = exports_of(graphs, what)
    if len(found) != 1:
        hint = "name one tag or platform" if found else "name one that can be read"
        raise UsageError(f"{what} is one export, {len(found)} were given", hint=hint)
    return found[0]


def exports_of(graphs: Graphs | Iterable[Graphs], what: str) -> list[ExportGraph]:
    """List the exports of one graph or of several, or say that something else was given, such as the path of one.

    Parameters
    ----------
    graphs : ExportGraph, graph, or iterable of these
    what : str
        What they are for, in errors.

    Raises
    ------
    TypeError
        It is no graph.
    """
    if isinstance(graphs, ExportGraph):
        return [graphs]
    if isinstance(graphs, str | bytes) or not isinstance(graphs, Iterable):
        kind = type(graphs).__name__
        raise TypeError(f"{what} is a graph, as cachegraph.load() gives it, not {kind}: {graphs!r:.60}")
    return [export for one in graphs for export in exports_of(one, what)]
