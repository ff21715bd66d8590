"""The record graph to pan, zoom, search and click on, as one page that needs no network.

Drawn by Bokeh, whose JavaScript comes with its Python package and is put into the page. Whatever an export says is
shown by Bokeh as text: on the canvas, in an escaping tooltip and in a ``pre`` element; none of it becomes markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import MissingExtraError, UsageError
from cachegraph.schema.focus import shown
from cachegraph.text.render import legal
from cachegraph.views.figures.layering import Layering, layer
from cachegraph.views.html.record import look_at_all
from cachegraph.views.states import LOOKS, states
from cachegraph.views.words import caption

if TYPE_CHECKING:
    from bokeh.models import ColumnDataSource, LayoutDOM
    from bokeh.plotting import figure as Figure  # noqa: N812 - a class by its name

__all__ = ["LIMIT", "Explorer", "explore"]

LIMIT = 2000
"""Records that a page takes; more make it slow, and nobody can see them."""

_HEIGHT = 620
_INK = "#767676"  # 4.5 to 1 on white and on black
_SHOW = """
const at = source.selected.indices
details.text = at.length ? at.map(i => source.data.details[i]).join("\\n\\n") : details.tags[0]
"""
_SEARCH = """
const wanted = cb_obj.value_input.trim().toLowerCase()
const hits = []
if (wanted) source.data.search.forEach((text, i) => { if (text.includes(wanted)) hits.push(i) })
source.selected.indices = hits
const found = [`${hits.length} found`, ...hits.map(i => source.data.details[i])].join("\\n\\n")
details.text = wanted ? found : details.tags[0]
"""
_ZOOM = """
const columns = x.end - x.start, rows = y.end - y.start
labels.text = {field: rows > 16 || columns > 25 ? "blank" : columns > 7 ? "index" : "name"}
"""
_PAGE = """{% block preamble %}<style>
html { color-scheme: light dark; background: Canvas; color: CanvasText; font-family: system-ui, sans-serif }
body { margin: 0 }
</style>{% endblock %}"""


@dataclass(frozen=True, slots=True, repr=False)
class Explorer:
    """A page with the record graph.

    Attributes
    ----------
    page : str
        HTML that needs nothing else.
    title : str
    """

    page: str
    title: str

    def __repr__(self) -> str:
        """Say what it is."""
        return f"<Explorer: {self}>"

    def __str__(self) -> str:
        """Say what it is."""
        return f"{self.title}: show it in a notebook, or save(path) it as a page"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Show it in a frame of its own, so that the notebook and the page cannot disturb each other."""
        frame = (
            f'<iframe srcdoc="{escape(self.page)}" title="{escape(self.title)}" sandbox="allow-scripts allow-downloads"'
            f' style="width: 100%; height: {_HEIGHT + 20}px; border: 0; color-scheme: normal"></iframe>'
        )
        return {"text/plain": str(self), "text/html": frame}

    def save(self, path: str | Path) -> None:
        """Write the page to a file.

        Parameters
        ----------
        path : str or Path
        """
        Path(path).write_text(self.page, encoding="utf-8")


def explore(graph: ExportGraph, *, limit: int = LIMIT) -> Explorer:
    """Make a page with the record graph.

    Parameters
    ----------
    graph : ExportGraph
    limit : int
        Records that the page takes.

    Returns
    -------
    Explorer

    Raises
    ------
    MissingExtraError
        Bokeh is not installed.
    UsageError
        More records than the page takes.
    """
    try:
        from bokeh.embed import file_html
        from bokeh.layouts import column, row
        from bokeh.models import CustomJS
        from bokeh.models.widgets import PreText, TextInput
        from bokeh.resources import INLINE
    except ImportError:
        raise MissingExtraError("the interactive view", "interactive") from None
    records = shown(graph)
    if len(records) > limit:
        raise UsageError(f"{len(records):,} records are too many to explore", hint="focus(record) takes a part of them")
    layering = layer(graph, records)
    source = _source(graph, layering)
    hint = "Click a record for its details. Drag to pan, scroll to zoom."
    details = PreText(
        text=hint, tags=[hint], width=430, height=_HEIGHT - 90, stylesheets=[_DETAILS], styles={"overflow": "auto"}
    )
    search = TextInput(title="Search for a record, digest, name or state", width=430, stylesheets=[_FIELD])
    source.selected.js_on_change("indices", CustomJS(args={"source": source, "details": details}, code=_SHOW))
    search.js_on_change("value_input", CustomJS(args={"source": source, "details": details}, code=_SEARCH))
    body = row(_canvas(source, graph, layering), column(search, details), sizing_mode="stretch_width")
    title = f"records of {legal(graph.export.source)}"
    page = file_html(body, INLINE, title, template=_PAGE)
    return Explorer(page, title)


_FIELD = ".bk-input { background: Field; color: FieldText }"
_DETAILS = "pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font-size: 12px }"


def _source(graph: ExportGraph, layering: Layering) -> ColumnDataSource:
    from bokeh.models import ColumnDataSource

    of, records = states(graph), list(layering.places)
    details = [str(view) for view in look_at_all(graph, records)]
    return ColumnDataSource(
        {
            "x": [layering.places[record][0] for record in records],
            "y": [-layering.places[record][1] for record in records],
            "blank": [""] * len(records),
            "index": [str(record) for record in records],
            "name": [f"{record}  {caption(graph, record)}" for record in records],
            "state": [of[record] for record in records],
            "colour": [LOOKS[of[record]].colour for record in records],
            "marker": [LOOKS[of[record]].shape for record in records],
            "meaning": [LOOKS[of[record]].meaning for record in records],
            "details": details,
            "search": [
                f"{text}\n{graph.export.config.records[record].digest}\n{of[record]}".lower()
                for record, text in zip(records, details, strict=True)
            ],
        }
    )


def _canvas(source: ColumnDataSource, graph: ExportGraph, layering: Layering) -> LayoutDOM:
    from bokeh.models import CustomJS, HoverTool, Range1d, TapTool
    from bokeh.models.annotations import LabelSet
    from bokeh.plotting import figure

    right = max((x for x, _ in layering.places.values()), default=0.0)
    low = max((y for _, y in layering.places.values()), default=0.0)
    canvas = figure(
        height=_HEIGHT,
        sizing_mode="stretch_width",
        tools="pan,wheel_zoom,box_zoom,reset,save",
        active_scroll="wheel_zoom",
        toolbar_location="above",
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_color=None,
        x_range=Range1d(start=-0.6, end=right + 0.6),
        y_range=Range1d(start=-low - 1, end=1),
    )
    canvas.axis.visible = False
    canvas.grid.visible = False
    canvas.toolbar.logo = None
    _draw_inputs(canvas, graph, layering)
    marks = canvas.scatter(
        "x",
        "y",
        source=source,
        marker="marker",
        size=17,
        fill_color="colour",
        line_color=_INK,
        nonselection_alpha=0.25,
        legend_group="meaning",
    )
    text = "blank" if low > 14 or right > 24 else "index" if right > 6 else "name"
    labels = LabelSet(x="x", y="y", text=text, source=source, y_offset=-20, text_align="center")
    labels.update(text_font_size="11px", text_color=_INK)
    canvas.add_layout(labels)
    zoomed = CustomJS(args={"labels": labels, "x": canvas.x_range, "y": canvas.y_range}, code=_ZOOM)
    canvas.x_range.js_on_change("end", zoomed)
    canvas.y_range.js_on_change("end", zoomed)
    tooltips = [("record", "@name"), ("worth", "@state")]
    canvas.add_tools(TapTool(renderers=[marks]), HoverTool(renderers=[marks], tooltips=tooltips))
    legend = canvas.legend[0]
    legend.update(background_fill_alpha=0, border_line_alpha=0, label_text_color=_INK, label_text_font_size="11px")
    legend.update(ncols=2, location="left", margin=0, padding=4)
    canvas.add_layout(legend, "below")
    return canvas


def _draw_inputs(canvas: Figure, graph: ExportGraph, layering: Layering) -> None:
    """Draw a line for each pair of records; dashed where it is one of several alternatives of a slot."""
    for dash, alternative in (("solid", False), ("dashed", True)):
        courses = [c for pair, c in layering.courses.items() if _is_alternative(graph, *pair) is alternative]
        canvas.multi_line(
            [[x for x, _ in course] for course in courses],
            [[-y for _, y in course] for course in courses],
            line_color=_INK,
            line_dash=dash,
            line_alpha=0.7,
        )


def _is_alternative(graph: ExportGraph, link: int, record: int) -> bool:
    slots = graph.export.config.records[record].inputs
    return all(len(slot) > 1 for slot in slots if any(a.link == link for a in slot))
