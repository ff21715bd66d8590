"""Figures that show themselves in a notebook, save as any format, and belong to no global state.

They are white with dark ink whatever the page's theme, like paper: readable in light and dark, and they print well.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from cachegraph.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DIM", "INK", "new_figure"]

INK = "#1b1f24"
DIM = "#6a737d"


def new_figure(width: float, height: float) -> Figure:
    """Make a figure.

    Parameters
    ----------
    width, height : float
        Inches.

    Returns
    -------
    matplotlib.figure.Figure
        Not one of pyplot's: nothing keeps it, and a notebook shows it once.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("a plot", "notebook") from None

    class Plot(Figure):
        def _repr_png_(self) -> bytes:
            data = io.BytesIO()
            self.savefig(data, format="png", dpi=110)
            return data.getvalue()

    return Plot(figsize=(width, height), facecolor="white", layout="constrained")
