"""Figures that show themselves in a notebook, save as any format, and belong to no global state.

They are white with dark ink whatever the page's theme, like paper: readable in light and dark, and they print well.
"""

from __future__ import annotations

import io
from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

from cachegraph.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DIM", "INK", "in_words", "new_figure"]

INK = "#1b1f24"
DIM = "#6a737d"


def in_words(figure: Figure) -> str:
    """Say what a figure shows: the titles of its parts, and the words beside the bars of those that have names."""
    said = []
    for axes in figure.axes:
        names = [label.get_text() for label in axes.get_yticklabels() if label.get_text()]
        beside = [text.get_text() for text in axes.texts]
        bars = [f"{name}: {words}" for name, words in zip(names, beside, strict=False)][:_SAID] if axes.axison else []
        title = axes.get_title(loc="left").replace("\n", ": ").strip()
        said.append("; ".join([title, *bars]))
    return ". ".join(part for part in said if part) + "."


_SAID = 5


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

        def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
            """Show it with words for who cannot see it, which notebooks keep of HTML only."""
            data = b64encode(self._repr_png_()).decode()
            html = f'<img alt="{escape(in_words(self))}" src="data:image/png;base64,{data}">'
            return {"text/html": html, "image/png": data}

    return Plot(figsize=(width, height), facecolor="white", layout="constrained")
