"""What a graph draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cachegraph.core.graph import ExportGraph

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cachegraph.lookup import ExportRef, RecordRef
    from cachegraph.solver.blast import BlastRadius
    from cachegraph.solver.prediction import Prediction
    from cachegraph.views.html.drawing import Drawing

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

    def plot(
        self,
        export: ExportRef = 0,
        *,
        prediction: Prediction | None = None,
        compared_with: ExportGraph | Iterable[ExportGraph] | None = None,
        blast: BlastRadius | None = None,
    ) -> Drawing:
        """Draw the record graph of an export: to pan, zoom, search and click on; works offline.

        Parameters
        ----------
        export : int or str
            Position, id or source of the export.
        prediction : Prediction, optional
            Of this export as a build (`cachegraph.predict`): colour by what becomes of its steps.
        compared_with : CacheGraph, optional
            One older export: colour by what changed.
        blast : BlastRadius, optional
            Of this export (`cachegraph.blast_radius`): colour by what a change costs.

        Returns
        -------
        cachegraph.views.html.drawing.Drawing
            Shows itself in a notebook; ``save(path)`` writes ``.html``, ``.svg`` or ``.png``. Of more than 200 records,
            chains and equal ones are folded into marks that open; more than 12,000 are counted by depth and state.

        Raises
        ------
        UnknownNameError
            No such export.
        UsageError
            Not one older export.
        """
        from cachegraph.solver.single import single
        from cachegraph.views.html.drawing import draw

        older = None if compared_with is None else single(compared_with, "the older export")
        return draw(self._graph(export), prediction=prediction, compared_with=older, blast=blast)

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
