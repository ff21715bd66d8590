"""Draw the bytes: what fills each config, against BuildKit's limit, and the largest blobs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachegraph.core.graph import ExportGraph
from cachegraph.core.verdict import MAX_CONFIG_BYTES
from cachegraph.queries import size_forecast
from cachegraph.queries.size_forecast import SizeForecast
from cachegraph.schema.facts import shown
from cachegraph.schema.refs import apart, short_ref
from cachegraph.text.render import legal
from cachegraph.text.words import plural, size_text
from cachegraph.views.figures.figures import INK, new_figure
from cachegraph.views.words import short, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_bytes"]

_PARTS = {
    "layers": ("layers_bytes", "#0072B2", ""),
    "inputs": ("inputs_bytes", "#E69F00", "//"),
    "results": ("results_bytes", "#009E73", ".."),
    "digests and the rest": ("other_bytes", "#CC79A7", "\\\\"),
}
_USES = {
    "blob that a loadable result uses": ("#009E73", ""),
    "blob that no loadable result uses": ("#D55E00", "xx"),
    "the other blobs together": ("#999999", ".."),
}
_LARGEST = 15
_EXPORTS = 30


def plot_bytes(graphs: Sequence[ExportGraph]) -> Figure:
    """Draw the bytes of exports.

    Parameters
    ----------
    graphs : sequence of ExportGraph

    Returns
    -------
    matplotlib.figure.Figure
        Above, what fills each config, and BuildKit's limit where one applies (a registry or a local directory); below,
        the 15 largest blobs and the sum of the others. Blobs of unknown size are counted in the title.

    Raises
    ------
    cachegraph.errors.MissingExtraError
        matplotlib is not installed.
    """
    figure = new_figure(9, 3)
    from matplotlib.ticker import MultipleLocator

    configs = [(graph, forecast) for graph in graphs for forecast in size_forecast.ask(graph)]
    largest = sorted(configs, key=lambda pair: -pair[1].bytes)[:_EXPORTS]
    blobs, unknown = _blobs(graphs)
    bars = max(1, min(len(blobs), _LARGEST + 1))
    heights = [0.55 + 0.3 * len(largest), 0.7 + 0.26 * bars]
    figure.set_figheight(sum(heights) + 1.6)
    upper, lower = figure.subplots(2, gridspec_kw={"height_ratios": heights})
    _draw_configs(upper, largest, len(configs))
    _draw_blobs(lower, blobs, unknown)
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.xaxis.set_major_formatter(lambda value, _: size_text(int(value)))
        axes.xaxis.set_major_locator(MultipleLocator(2 ** max(0, math.ceil(math.log2(axes.get_xlim()[1] / 6)))))
    legend = [pair for axes in (upper, lower) for pair in zip(*axes.get_legend_handles_labels(), strict=True)]
    handles = {text: handle for handle, text in legend}
    figure.legend(handles.values(), handles, loc="outside lower left", ncols=2, frameon=False, fontsize=8)
    return figure


def _draw_configs(axes: Axes, configs: list[tuple[ExportGraph, SizeForecast]], total: int) -> None:
    if not configs:
        axes.axis("off")
        axes.set_title("no config: a daemon has none", loc="left", fontsize=9.5, color=INK)
        return
    forecasts = [forecast for _, forecast in configs]
    floor = [0] * len(forecasts)
    for name, (field, colour, hatch) in _PARTS.items():
        values = [getattr(forecast, field) for forecast in forecasts]
        rows = range(len(forecasts))
        axes.barh(rows, values, left=floor, height=0.6, color=colour, hatch=hatch, edgecolor="white", label=name)
        floor = [low + more for low, more in zip(floor, values, strict=True)]
    for at, forecast in enumerate(forecasts):
        share = f", {forecast.bytes / forecast.limit:.1%} of the limit" if forecast.limit else ", no limit here"
        axes.annotate(
            size_text(forecast.bytes) + share,
            (floor[at], at),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
        )
    highest = max(floor) or 1
    if any(forecast.limit for forecast in forecasts) and highest > MAX_CONFIG_BYTES / 4:
        axes.axvline(MAX_CONFIG_BYTES, color="#D55E00", linestyle="--", label="BuildKit refuses more than this")
        highest = max(highest, MAX_CONFIG_BYTES)
    axes.set_xlim(0, highest * 1.4)
    axes.set_ylim(len(configs) - 0.4, -0.6)
    titles = apart({graph.id: short_ref(graph.export.source, graph.export.platform) for graph, _ in configs})
    labels = [shortened(legal(titles[graph.id]), 34) for graph, _ in configs]
    axes.set_yticks(range(len(configs)), labels, parse_math=False)
    more = f", the {len(configs)} largest of {total:,}" if len(configs) < total else ""
    axes.set_title(f"What fills the config{'s' * (total != 1)}{more}", loc="left", fontsize=9.5, color=INK)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blob:
    digest: str
    size: int
    used: bool


def _blobs(graphs: Sequence[ExportGraph]) -> tuple[list[_Blob], int]:
    """List the blobs of known size, largest first, and count the others."""
    sizes: dict[str, int | None] = {}
    used: set[str] = set()
    for graph in graphs:
        for digest, size in shown(graph, "Blob").each("digest", "size"):
            sizes[digest] = sizes.get(digest) or size
        layers = dict(shown(graph, "Layer").each("id", "used"))
        used |= {blob for layer, blob in shown(graph, "BLOB").each("from", "to") if layers[layer]}
    known = [_Blob(digest=d, size=size, used=d in used) for d, size in sizes.items() if size is not None]
    return sorted(known, key=lambda blob: -blob.size), len(sizes) - len(known)


def _draw_blobs(axes: Axes, blobs: list[_Blob], unknown: int) -> None:
    used, unused, others = _USES
    bars = [(short(blob.digest), blob.size, used if blob.used else unused) for blob in blobs[:_LARGEST]]
    if rest := blobs[_LARGEST:]:
        bars.append((plural(len(rest), "other"), sum(blob.size for blob in rest), others))
    for at, (_, size, use) in enumerate(bars):
        colour, hatch = _USES[use]
        axes.barh(at, size, height=0.6, color=colour, hatch=hatch, edgecolor="white", label=use)
        axes.annotate(
            size_text(size), (size, at), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8, color=INK
        )
    axes.set_xlim(0, (max((size for _, size, _ in bars), default=1) or 1) * 1.15)
    axes.set_ylim(max(1, len(bars)) - 0.4, -0.6)
    axes.set_yticks(range(len(bars)), [name for name, _, _ in bars], family="monospace")
    said = [f"{plural(len(blobs), 'blob')} of {size_text(sum(blob.size for blob in blobs))}"] if blobs else []
    said += [f"{plural(unknown, 'blob')} of unknown size"] if unknown else []
    if not bars:
        axes.axis("off")
    axes.set_title(" and ".join(said) or "no blobs", loc="left", fontsize=9.5, color=INK)
