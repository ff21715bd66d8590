"""What a graph draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from cachegraph.core.graph import ExportGraph

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cachegraph.lookup import ExportRef, RecordRef
    from cachegraph.views.html.interactive import Explorer

__all__ = ["Plots"]


class Plots(ABC):
    """Drawings of exports; `cachegraph.CacheGraph` is one of these.

    Attributes
    ----------
    graphs : tuple of ExportGraph
    """

    graphs: tuple[ExportGraph, ...]

    @abstractmethod
    def _graph(self, export: ExportRef) -> ExportGraph:
        """Find an export, however it is named."""

    @abstractmethod
    def _located(self, record: RecordRef, export: ExportRef) -> tuple[ExportGraph, int]:
        """Find a record, however it is named."""

    def plot(self, export: ExportRef = 0) -> Figure:
        """Draw the record graph of an export, layered left to right and coloured by state.

        Parameters
        ----------
        export : int or str
            Position, id or source of the export.

        Returns
        -------
        matplotlib.figure.Figure
            More than 200 records are counted by depth and operation, and the figure says so; `focus` draws a part.

        Raises
        ------
        UnknownNameError
            No such export.
        cachegraph.errors.MissingExtraError
            matplotlib is not installed.
        """
        from cachegraph.views.figures.plot import plot

        return plot(self._graph(export))

    def plot_merge(self, record: RecordRef, export: ExportRef = 0) -> Figure:
        """Draw a merge: the merged result's layers as a strip, each input's span under it, gaps marked.

        Parameters
        ----------
        record : int, str, Finding or tuple
            A merge record: its index, its id, a finding about it, or (export, index).
        export : int or str
            Position, id or source of the export.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        UnknownNameError
            No such export or record, or no merge.
        cachegraph.errors.MissingExtraError
            matplotlib is not installed.
        """
        from cachegraph.views.figures.plot_merge import plot_merge

        return plot_merge(*self._located(record, export))

    def plot_bytes(self) -> Figure:
        """Draw what fills each config, against BuildKit's limit, and the largest blobs.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        cachegraph.errors.MissingExtraError
            matplotlib is not installed.
        """
        from cachegraph.views.figures.plot_bytes import plot_bytes

        return plot_bytes(self.graphs)

    def explore(self, export: ExportRef = 0) -> Explorer:
        """Show the record graph of an export to pan, zoom, search and click on; works offline.

        Parameters
        ----------
        export : int or str
            Position, id or source of the export.

        Returns
        -------
        cachegraph.views.html.interactive.Explorer
            Shows itself in a notebook; ``save(path)`` writes it as a page that needs nothing else.

        Raises
        ------
        UnknownNameError
            No such export.
        cachegraph.errors.MissingExtraError
            Bokeh is not installed.
        """
        from cachegraph.views.html.interactive import explore

        return explore(self._graph(export))
