"""Draw a merge: the layers of its result as a strip, and under it what each input brought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachegraph.core.graph import ExportGraph
from cachegraph.core.merges import Merge
from cachegraph.errors import UnknownNameError
from cachegraph.queries import merge_subsets
from cachegraph.queries.merge_subsets import MergeSubset
from cachegraph.text.words import plural, size_text
from cachegraph.views.figures.figures import DIM, INK, new_figure
from cachegraph.views.states import LOOKS, State, states
from cachegraph.views.words import caption, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_merge"]

_NAMED = 14
"""Layers up to which each has its digest and size in the strip."""
_GAP = "gap: no input that can be loaded brought it"


def plot_merge(graph: ExportGraph, record: int) -> Figure:
    """Draw a merge.

    Parameters
    ----------
    graph : ExportGraph
    record : int
        A merge record.

    Returns
    -------
    matplotlib.figure.Figure
        The merged result's layers, bottom first, from left to right; hatched where no loadable input accounts for
        them. Under it a bar for each input: filled where its own result was found, hatched where the neighbours leave
        exactly this gap, words where nothing can be said.

    Raises
    ------
    cachegraph.errors.UnknownNameError
        No such record, or no merge.
    cachegraph.errors.MissingExtraError
        matplotlib is not installed.
    """
    graph.record(record)
    merge = next((merge for merge in graph.merge_layouts if merge.record == record), None)
    if merge is None:
        merges = ", ".join(map(str, graph.merges[:20])) or "none"
        raise UnknownNameError(f"record {record} is not a merge", hint=f"merges here: {merges}")
    rows = [row for row in merge_subsets.ask(graph) if row.record == record]
    width = len(merge.blobs or ())
    figure = new_figure(max(8.0, min(16.0, 4.5 + 0.95 * width)), 2.0 + 0.48 * len(rows))
    axes = figure.add_subplot()
    axes.axis("off")
    axes.set(xlim=(0, max(width, 1)), ylim=(len(rows) + 0.1, -1.25))
    axes.set_title(
        f"record {record}: {caption(graph, record, 60)}\n{_said(merge, rows)}",
        loc="left",
        fontsize=9.5,
        color=INK,
        parse_math=False,
    )
    if merge.blobs is not None:
        _draw_strip(axes, graph, merge.blobs, _gaps(rows, width))
    of = states(graph)
    for at, row in enumerate(rows):
        _draw_input(axes, graph, row, _Place(at=at, width=width, state=of[row.input]))
    handles, texts = axes.get_legend_handles_labels()
    unique = dict(zip(texts, handles, strict=True))
    figure.legend(unique.values(), unique, loc="outside lower left", ncols=1, frameon=False, fontsize=8)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where an input's bar stands: its row, the strip's width in layers, and its record's state."""

    at: int
    width: int
    state: State


def _said(merge: Merge, rows: list[MergeSubset]) -> str:
    if merge.blobs is None:
        return "the merge has no loadable result, so its inputs cannot be compared with it"
    gaps = _gaps(rows, len(merge.blobs))
    words = f"{plural(len(merge.blobs), 'layer')}, bottom first"
    return f"{words}; {len(gaps)} in gaps, which no loadable input accounts for" if gaps else f"{words}; no gaps"


def _gaps(rows: list[MergeSubset], width: int) -> set[int]:
    """Find the positions that no input accounts for with a result of its own."""
    found = {
        position
        for row in rows
        if row.relation in ("prefix", "subset") and row.start is not None and row.stop is not None
        for position in range(row.start, row.stop)
    }
    return set(range(width)) - found


def _draw_strip(axes: Axes, graph: ExportGraph, blobs: tuple[str, ...], gaps: set[int]) -> None:
    merge = LOOKS["merge"].colour
    for position, blob in enumerate(blobs):
        gap = position in gaps
        axes.barh(
            -0.75,
            1,
            left=position,
            height=0.85,
            color="white" if gap else merge,
            hatch="///" if gap else None,
            edgecolor=merge if gap else "white",
            linewidth=1,
            label=_GAP if gap else "layer that a loadable input brought",
        )
        text = str(position)
        if len(blobs) <= _NAMED:
            text += f"\n{short(blob)[:8]}\n{size_text(graph.sizes.get(blob))}"
        axes.text(
            position + 0.5,
            -0.75,
            text,
            ha="center",
            va="center",
            fontsize=7,
            color=INK if gap else "white",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6} if gap else None,
        )


def _draw_input(axes: Axes, graph: ExportGraph, row: MergeSubset, place: _Place) -> None:
    look = LOOKS[place.state]
    several = len(graph.export.config.records[row.record or 0].inputs[row.slot]) > 1
    label = f"slot {row.slot}{'abcdefghijklmnopqrstuvwxyz'[row.alternative % 26] if several else ''}"
    axes.annotate(
        f"{label}: record {row.input}  {caption(graph, row.input, 30)} ",
        (0, place.at + 0.4),
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8,
        color=INK,
        annotation_clip=False,
        parse_math=False,
    )
    axes.plot([0, max(place.width, 1)], [place.at + 0.4] * 2, color=DIM, linewidth=0.4, zorder=0)
    if row.start is not None and row.stop is not None:
        axes.barh(
            place.at + 0.4,
            row.stop - row.start,
            left=row.start,
            height=0.5,
            color="white" if row.inferred else look.colour,
            hatch="///" if row.inferred else None,
            edgecolor=look.colour,
            linewidth=1.2,
            label=look.meaning + (": what the other slots leave" if row.inferred else ""),
            zorder=2,
        )
    axes.text(
        0.04 if row.start is None else (row.stop or 0) + 0.06,
        place.at + 0.4,
        _words(row),
        va="center",
        ha="left",
        fontsize=7.5,
        color=INK,
        zorder=3,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        clip_on=False,
    )


def _words(row: MergeSubset) -> str:
    match row.relation:
        case None:
            return "cannot be compared"
        case "absent":
            return "absent: from another build"
        case "scattered":
            return "scattered: in order, not contiguous"
        case "no-result" if row.start is None:
            return "no loadable result; what it brought is unknown"
        case "no-result":
            return "no result: inferred"
    return row.relation
