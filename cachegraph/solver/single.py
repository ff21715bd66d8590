"""The one export that an answer is about."""

from __future__ import annotations

from collections.abc import Iterable

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UsageError

__all__ = ["Graphs", "single"]

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
    """
    if isinstance(graphs, ExportGraph):
        return graphs
    found = list(graphs)
    if len(found) != 1:
        hint = "name one tag or platform" if found else "name one that can be read"
        raise UsageError(f"{what} is one export, {len(found)} were given", hint=hint)
    return found[0]
