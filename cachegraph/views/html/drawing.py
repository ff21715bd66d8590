"""The drawing of an export: for a notebook, or saved as a page, as SVG, or as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import MissingExtraError, UsageError
from cachegraph.schema.focus import Window, shown
from cachegraph.schema.refs import short_ref
from cachegraph.schema.summary import summarise
from cachegraph.solver.blast import BlastRadius
from cachegraph.solver.diff import diff
from cachegraph.solver.prediction import Prediction
from cachegraph.text.clean import one_line
from cachegraph.text.nearest import did_you_mean
from cachegraph.verdict.judge import judge, step_name
from cachegraph.verdict.words import facts
from cachegraph.views.drawing.nodes import nodes_of, with_lost
from cachegraph.views.drawing.overlays import Overlay, of_blast, of_bytes, of_coverage, of_diff, of_prediction
from cachegraph.views.drawing.scene import ONE_BY_ONE, Scene
from cachegraph.views.drawing.svg import svg
from cachegraph.views.drawing.weights import added_bytes
from cachegraph.views.html.page import data_script, drawing_script, page, resource

__all__ = ["Drawing", "draw", "scene_of"]

_FOLDED_PICTURE = 400
"""Marks that a page holds as a picture without a script too."""
_HEIGHT = 720


class Drawing:
    """A drawing of records.

    Parameters
    ----------
    scene : cachegraph.views.drawing.scene.Scene
        What is drawn; ``scene.to_dict()`` is its data as JSON.

    Attributes
    ----------
    scene : cachegraph.views.drawing.scene.Scene
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def __repr__(self) -> str:
        """Say what it is."""
        return f"<Drawing: {self}>"

    def __str__(self) -> str:
        """Say what it is."""
        return f"{self.scene.title}: show it in a notebook, or save(path) it as .html, .svg or .png"

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG, coloured by its first overlay, groups closed."""
        return svg(self.scene)

    @cached_property
    def page(self) -> str:
        """The drawing as a page that needs nothing else: pan, zoom, search, details."""
        from markupsafe import Markup

        small = len(self.scene.fold.marks) <= _FOLDED_PICTURE
        return page(
            "drawing.html.jinja",
            styles=resource("page.css") + resource("drawing.css"),
            scripts=drawing_script(),
            title=self.scene.title,
            picture=Markup(svg(self.scene, colours=False)) if small else "",  # noqa: S704 - escaped when it was made
            data=Markup(data_script("drawing", self.scene.to_dict())),  # noqa: S704 - holds no markup
        )

    def _repr_html_(self) -> str:
        """Show it in a frame of its own, so that the notebook and the page cannot disturb each other."""
        # ASCII alone: around it a page may say no encoding; a script that is read in a wrong one is refused.
        title, page = (
            escape(text).encode("ascii", "xmlcharrefreplace").decode() for text in (self.scene.title, self.page)
        )
        style = f"width: 100%; height: {_HEIGHT}px; border: 0; color-scheme: normal"
        return f'<iframe srcdoc="{page}" title="{title}" sandbox="allow-scripts" style="{style}"></iframe>'

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Show it in a notebook."""
        return {"text/plain": str(self), "text/html": self._repr_html_()}

    def save(self, path: str | Path) -> None:
        """Write the drawing to a file.

        Parameters
        ----------
        path : str or Path
            ``.html``: the page. ``.svg``: a picture for light and dark, groups closed. ``.png``: the light one, at
            twice its size.

        Raises
        ------
        UsageError
            Another kind of file.
        MissingExtraError
            What makes PNG is not installed.
        """
        path = Path(path)
        match path.suffix.lower():
            case ".html" | ".htm":
                path.write_text(self.page, encoding="utf-8")
            case ".svg":
                path.write_text(self.svg, encoding="utf-8")
            case ".png":
                path.write_bytes(self.png())
            case other:
                kinds = (".html", ".svg", ".png")
                raise UsageError(
                    f"a drawing is no {other or 'file without a suffix'}", hint=did_you_mean(other, kinds, "files")
                )

    def png(self, scale: float = 2.0) -> bytes:
        """Make a PNG of the drawing.

        Parameters
        ----------
        scale : float
            Pixels to each of the drawing's own; large drawings get fewer.

        Raises
        ------
        MissingExtraError
            What makes PNG is not installed.
        """
        try:
            import resvg_py
        except ImportError:
            raise MissingExtraError("a PNG of a drawing", "notebook") from None
        return bytes(resvg_py.svg_to_bytes(svg_string=self.svg, zoom=scale))


def draw(
    graph: ExportGraph,
    *,
    prediction: Prediction | None = None,
    compared_with: ExportGraph | None = None,
    blast: BlastRadius | None = None,
    limit: int = ONE_BY_ONE,
) -> Drawing:
    """Draw the records of an export.

    Parameters
    ----------
    graph : ExportGraph
        In a window (see `cachegraph.schema.focus`), what it shows.
    prediction : Prediction, optional
        Of this export as a build: colour by what becomes of its steps.
    compared_with : ExportGraph, optional
        An older export: colour by what changed.
    blast : BlastRadius, optional
        Of this export: colour by what a change costs.
    limit : int
        Records that are drawn one by one; of more, chains and equal ones are folded.
    """
    return Drawing(scene_of(graph, prediction=prediction, compared_with=compared_with, blast=blast, limit=limit))


def scene_of(
    graph: ExportGraph,
    *,
    prediction: Prediction | None = None,
    compared_with: ExportGraph | None = None,
    blast: BlastRadius | None = None,
    title: str = "",
    predicted: str = "What becomes of each step",
    notes: Sequence[tuple[int, str, str, str]] = (),
    begin: int | None = None,
    own: Sequence[int | None] | None = None,
    limit: int = ONE_BY_ONE,
) -> Scene:
    """Set the scene of a drawing; the parameters are those of `draw` and `Scene`, and words.

    `own` is what `added_bytes` gives, where that is known already.
    """
    worth = judge(summarise(graph), (), step_name(graph))
    nodes, said = nodes_of(graph), one_line(f"{worth.word}: {'; '.join(facts(worth))}.")
    if graph.import_error is not None:
        said += f' BuildKit refuses it ("{one_line(graph.import_error)}"): no build loads what is drawn.'
    changes = None
    if compared_with is not None:
        changes = diff(compared_with, graph)
        nodes = nodes if isinstance(graph, Window) else with_lost(nodes, compared_with, graph, changes)
    overlays: list[Overlay] = []
    if changes is not None:
        overlays.append(of_diff(nodes, changes))
    if prediction is not None:
        overlays.append(of_prediction(nodes, prediction, predicted))
    if blast is not None:
        overlays.append(of_blast(nodes, blast))
    coverage = of_coverage(nodes, said)
    in_bytes = of_bytes(nodes, added_bytes(graph) if own is None else own)
    some = [in_bytes] if any(in_bytes.values) else []
    name = short_ref(graph.export.source, graph.export.platform)
    part = f", {len(shown(graph)):,} of them in focus" if isinstance(graph, Window) else ""
    return Scene(
        title=one_line(title or f"{len(graph):,} records of {name}{part}"),
        said=said,
        nodes=nodes,
        overlays=[*overlays, coverage, *some],
        records=len(graph),
        notes=notes,
        limit=limit,
        begin=begin,
    )
