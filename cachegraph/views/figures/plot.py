"""Draw the record graph: layered left to right, coloured by state; too many records are counted instead."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from cachegraph.core.graph import ExportGraph
from cachegraph.schema.focus import Window, shown
from cachegraph.text.render import legal
from cachegraph.text.words import plural
from cachegraph.views.figures.figures import DIM, INK, new_figure
from cachegraph.views.figures.layering import Layering, depths, layer
from cachegraph.views.states import LOOKS, State, states
from cachegraph.views.words import caption

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LIMIT", "plot"]

LIMIT = 200
"""Records that are drawn one by one; more are counted by depth and operation."""

_COLUMN, _NARROW, _ROW = 1.75, 0.5, 0.62  # inches
_NAMED_COLUMNS = 30
_BINS = 40
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


def plot(graph: ExportGraph, *, limit: int = LIMIT) -> Figure:
    """Draw the record graph of an export.

    Parameters
    ----------
    graph : ExportGraph
    limit : int
        Records that are drawn one by one; more are counted by depth and operation, and the figure says so.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    cachegraph.errors.MissingExtraError
        matplotlib is not installed.
    """
    return _drawn(graph) if len(shown(graph)) <= limit else _counted(graph, limit)


def _drawn(graph: ExportGraph) -> Figure:
    records = shown(graph)
    layering = layer(graph, records)
    columns = 1 + max((x for x, _ in layering.places.values()), default=0)
    ends = [y for course in layering.courses.values() for _, y in course]
    rows = 1 + max([*ends, *(y for _, y in layering.places.values())], default=0)
    wide = columns <= _NAMED_COLUMNS
    figure = new_figure(max(6.5, columns * (_COLUMN if wide else _NARROW)), max(2.6, rows * _ROW + 1.5))
    axes = figure.add_subplot()
    axes.set(xlim=(-0.55, columns - 0.45), ylim=(rows - 0.4, -0.5))
    axes.axis("off")
    said = f"{plural(len(records), 'record')}, inputs left of what depends on them"
    axes.set_title(
        f"{_named(graph, figure)}\n{said if wide else said + '; too many columns for names'}",
        loc="left",
        fontsize=9.5,
        color=INK,
        parse_math=False,
    )
    _draw_inputs(axes, graph, layering)
    _draw_records(axes, graph, layering, named=wide)
    legend = axes.get_legend_handles_labels()
    figure.legend(
        *legend, loc="outside lower left", ncols=2, frameon=False, fontsize=8, labelcolor=INK, markerscale=0.65
    )
    return figure


def _draw_records(axes: Axes, graph: ExportGraph, layering: Layering, *, named: bool) -> None:
    of = states(graph)
    for state, look in LOOKS.items():
        places = [place for record, place in layering.places.items() if of[record] == state]
        if places:
            axes.scatter(
                [x for x, _ in places],
                [y for _, y in places],
                s=150,
                marker=look.marker,
                color=look.colour,
                edgecolors=INK,
                linewidths=0.8,
                zorder=3,
                label=look.meaning,
            )
    for record, place in layering.places.items():
        axes.annotate(
            f"{record}  {caption(graph, record)}" if named else str(record),
            place,
            xytext=(0, -11),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7.5,
            color=INK,
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8},
            parse_math=False,
        )


def _draw_inputs(axes: Axes, graph: ExportGraph, layering: Layering) -> None:
    """Draw a curve for each pair of records; dashed where it is one of several alternatives of a slot."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    labels = {"-": "input: the only one of its slot", "--": "input: one of several alternatives"}
    for (link, record), course in layering.courses.items():
        slots = [slot for slot in graph.export.config.records[record].inputs if any(a.link == link for a in slot)]
        style = "--" if all(len(slot) > 1 for slot in slots) else "-"
        points, codes = [course[0]], [Path.MOVETO]
        for (x0, y0), (x1, y1) in pairwise(course):
            points += [((x0 + x1) / 2, y0), ((x0 + x1) / 2, y1), (x1, y1)]
            codes += [Path.CURVE4] * 3
        curve = PathPatch(Path(points, codes), facecolor="none", edgecolor=DIM, linestyle=style, zorder=1)
        axes.add_patch(curve)
        if style in labels:
            axes.plot([], [], color=DIM, linewidth=1, linestyle=style, label=labels.pop(style))


def _counted(graph: ExportGraph, limit: int) -> Figure:
    records = shown(graph)
    of, depth = states(graph), depths(graph, records)
    width = 1 + max(depth.values()) // _BINS
    last = max(depth.values()) // width
    counts = Counter((_operation(graph, record), depth[record] // width, of[record]) for record in depth)
    totals = Counter({op: sum(n for (o, _, _), n in counts.items() if o == op) for op in {op for op, _, _ in counts}})
    figure = new_figure(9, 1.9 + 1.3 * len(totals))
    panels = figure.subplots(len(totals), sharex=True, squeeze=False)[:, 0]
    for axes, (op, total) in zip(panels, totals.most_common(), strict=True):
        floor = [0] * (last + 1)
        for state, look in LOOKS.items():
            heights = [counts[op, at, state] for at in range(last + 1)]
            if any(heights):
                starts = [at * width for at in range(last + 1)]
                axes.bar(
                    starts,
                    heights,
                    width=width * 0.9,
                    align="edge",
                    bottom=floor,
                    color=look.colour,
                    hatch=_HATCHES[state],
                    edgecolor="white",
                    linewidth=0,
                    label=look.meaning,
                )
                floor = [low + more for low, more in zip(floor, heights, strict=True)]
        axes.set_title(f"{op}: {plural(total, 'record')}", loc="left", fontsize=9, color=INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.xaxis.get_major_locator().set_params(integer=True)
    steps = f", {width} steps to a bar" if width > 1 else ""
    panels[-1].set_xlabel(f"depth: inputs between a record and the furthest of its roots{steps}", fontsize=8.5)
    handles = {text: one for axes in panels for one, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles, loc="outside lower left", ncols=2, frameon=False, fontsize=8)
    many = f"{plural(len(records), 'record')}, more than {limit}"
    said = f"{many}: counted by depth and operation; focus(record) draws a part"
    figure.suptitle(f"{_named(graph, figure)}\n{said}", fontsize=9.5, x=0.01, ha="left", color=INK, parse_math=False)
    return figure


_HATCHES: dict[State, str] = {"loadable": "", "merge": "//", "key only": "..", "root": "", "lost root": "xx"}


def _operation(graph: ExportGraph, record: int) -> str:
    """Give the operation, and of those without a name at least whether it is a root."""
    op = graph.naming(record).op
    if op == "unknown":
        return "unknown root" if graph.is_root(record) else "unknown step"
    return op


def _named(graph: ExportGraph, figure: Figure) -> str:
    text = _DIGEST.sub(r"\1", legal(f"{graph.export.source}  {graph.export.platform or ''}").strip())
    part = f"  ({len(shown(graph)):,} of {len(graph):,} records in focus)" if isinstance(graph, Window) else ""
    room = max(20, int(figure.get_figwidth() * 12) - len(part))
    return (text if len(text) <= room else "…" + text[1 - room :]) + part
