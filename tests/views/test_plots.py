"""What plots show. How they look was judged by eye; here stands what must not change unseen."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import cachegraph as cg
from cachegraph.errors import UnknownNameError
from cachegraph.views.figures.figures import in_words
from cachegraph.views.states import LOOKS, states


def _texts(figure: Figure) -> list[str]:
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    found += [axes.get_title(loc="left") for axes in figure.axes]
    return found + [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def _bars(axes: Axes) -> list[tuple[float, float, float]]:
    """Left, width and top of the bars that have a width."""
    patches = [patch for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_width()]
    return [(bar.get_x(), bar.get_width(), round(bar.get_y(), 3)) for bar in patches]


def _rendered(figure: Figure) -> None:
    """Draw it; what overlaps the figure's edge or lacks a glyph warns, and warnings are errors."""
    for format_ in ("png", "svg", "pdf"):
        data = io.BytesIO()
        figure.savefig(data, format=format_, dpi=50)
        assert data.tell() > 1000


def test_states(scratch: cg.CacheGraph, large: cg.CacheGraph) -> None:
    assert states(scratch.graphs[0]) == ["loadable", "lost root", "merge", "root", "loadable", "root"]
    assert set(states(large.graphs[0])) == set(LOOKS)


def test_a_merge(scratch: cg.CacheGraph) -> None:
    figure = scratch.plot_merge(2)
    (axes,) = figure.axes
    assert _bars(axes)[:4] == [(0, 1, -1.175), (1, 1, -1.175), (2, 1, -1.175), (3, 1, -1.175)]
    assert _bars(axes)[4:] == [(0, 2, 0.15), (2, 1, 1.15), (3, 1, 2.15)]
    texts = _texts(figure)
    assert (
        "record 2: merge of 3 inputs\n4 layers, bottom first; 3 in gaps, which no loadable input accounts for" in texts
    )
    assert "slot 1: record 1  6eac9d425e3d " in texts
    assert "gap: no input that can be loaded brought it" in texts
    _rendered(figure)


def test_alternatives_of_a_merge_have_rows_of_their_own(fleet: cg.CacheGraph) -> None:
    texts = _texts(fleet.plot_merge(8))
    assert {"slot 0a: record 12  base image of 2 layers ", "slot 0b: record 16  base image of 2 layers "} <= set(texts)


def test_merges_without_an_answer(large: cg.CacheGraph) -> None:
    graph = large.graphs[0]
    unloadable = next(merge.record for merge in graph.merge_layouts if merge.blobs is None)
    figure = large.plot_merge(unloadable)
    assert "the merge has no loadable result" in _texts(figure)[-1] or "cannot be compared" in _texts(figure)
    assert _bars(figure.axes[0]) == []
    _rendered(figure)
    with pytest.raises(UnknownNameError, match="record 0 is not a merge"):
        large.plot_merge(0)
    with pytest.raises(UnknownNameError, match="no record 5000"):
        large.plot_merge(5000)


def test_bytes(fleet: cg.CacheGraph) -> None:
    figure = fleet.plot_bytes()
    texts = _texts(figure)
    assert "4.8 KiB, 0.5% of the limit" in texts
    assert texts.count("3.8 KiB, no limit here") == 2
    assert "What fills the configs" in texts
    assert "19 blobs of 1.0 MiB" in texts
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    inline = ["web-multi-inline linux/amd64", "web-multi-inline linux/386", "nested-inline linux/amd64"]
    assert names == ["web-max", *inline]
    _rendered(figure)


def test_the_limit_is_drawn_where_it_is_near(layouts: Path) -> None:
    export = cg.load(str(layouts / "web-max")).graphs[0].export
    near = cg.CacheGraph([replace(export, config_bytes=900_000)])
    assert "BuildKit refuses more than this" in _texts(near.plot_bytes())
    assert "BuildKit refuses more than this" not in _texts(cg.CacheGraph([export]).plot_bytes())


def test_a_figure_shows_itself_once(scratch: cg.CacheGraph) -> None:
    import matplotlib.pyplot as plt

    figure = scratch.plot_merge(2)
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]  # what IPython calls
    assert plt.get_fignums() == []
    assert figure.get_facecolor() == (1, 1, 1, 1)


def test_a_notebook_gets_a_figure_with_words(scratch: cg.CacheGraph, fleet: cg.CacheGraph) -> None:
    bundle = scratch.plot_merge(2)._repr_mimebundle_()  # type: ignore[attr-defined]  # what IPython calls
    alt = re.match(r'<img alt="([^"]*)" src="data:image/png;base64,', bundle["text/html"])
    assert alt is not None
    assert alt[1] == (
        "record 2: merge of 3 inputs: 4 layers, bottom first; 3 in gaps, which no loadable input accounts for."
    )
    assert bundle["text/html"].endswith(f'{bundle["image/png"]}">')
    assert in_words(fleet.plot_bytes()).startswith("What fills the configs; web-max: 4.8 KiB, 0.5% of the limit; ")
    assert in_words(cg.CacheGraph(()).plot_bytes()) == "no config: a daemon has none. no blobs."


def test_nothing_at_all_is_drawn() -> None:
    _rendered(cg.from_config(b"{}").plot_bytes())
    _rendered(cg.CacheGraph(()).plot_bytes())


def test_odd_names_are_text(named: cg.CacheGraph) -> None:
    _rendered(named.plot_merge(2))


def test_a_daemons_cache(daemon: cg.CacheGraph) -> None:
    assert "no config: a daemon has none" in _texts(daemon.plot_bytes())
    _rendered(daemon.plot_bytes())
