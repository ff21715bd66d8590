"""What a graph draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UnknownNameError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cachegraph.views.html.interactive import Explorer

__all__ = ["Plots"]


class Plots:
    """Drawings of exports; `cachegraph.CacheGraph` is one of these.

    Attributes
    ----------
    graphs : tuple of ExportGraph
    """

    graphs: tuple[ExportGraph, ...]

    def _graph(self, export: int) -> ExportGraph:
        if not 0 <= export < len(self.graphs):
            raise UnknownNameError(f"there is no export {export}", hint=f"the graph has {len(self.graphs)}")
        return self.graphs[export]

    def plot(self, export: int = 0) -> Figure:
        """Draw the record graph of an export, layered left to right and coloured by state.

        Parameters
        ----------
        export : int
            Position of the export in the graph.

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

    def plot_merge(self, record: int, export: int = 0) -> Figure:
        """Draw a merge: the merged result's layers as a strip, each input's span under it, gaps marked.

        Parameters
        ----------
        record : int
            A merge record.
        export : int
            Position of the export in the graph.

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

        return plot_merge(self._graph(export), record)

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

    def explore(self, export: int = 0) -> Explorer:
        """Show the record graph of an export to pan, zoom, search and click on; works offline.

        Parameters
        ----------
        export : int
            Position of the export in the graph.

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
