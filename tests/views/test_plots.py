"""What plots show. How they look was judged by eye; here stands what must not change unseen."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle

import cachegraph as cg
from cachegraph.errors import UnknownNameError, UsageError
from cachegraph.views.figures.layering import layer
from cachegraph.views.figures.plot import plot
from cachegraph.views.html.interactive import explore
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


def test_the_record_graph(scratch: cg.CacheGraph) -> None:
    figure = scratch.plot()
    texts = _texts(figure)
    assert {"1  6eac9d425e3d", "2  merge of 3 inputs", "5  base image of 2 layers"} <= set(texts)
    assert "6 records, inputs left of what depends on them" in texts[6]
    shown = set(texts[7:])
    assert shown == {LOOKS[s].meaning for s in ("loadable", "merge", "root", "lost root")} | {
        "input: the only one of its slot"
    }
    assert sum(isinstance(patch, PathPatch) for patch in figure.axes[0].patches) == 6
    _rendered(figure)


def test_alternatives_are_dashed(fleet: cg.CacheGraph) -> None:
    figure = fleet.plot()
    curves = [patch for patch in figure.axes[0].patches if isinstance(patch, PathPatch)]
    assert sum(curve.get_linestyle() == "--" for curve in curves) == 8
    assert "input: one of several alternatives" in _texts(figure)
    _rendered(figure)


@pytest.mark.parametrize("name", ["web-max", "nested-inline", "wide-12-max", "diff-chain-inline"])
def test_inputs_stand_left_and_records_apart(layouts: Path, name: str) -> None:
    graph = cg.load(str(layouts / name)).graphs[0]
    layering = layer(graph, range(len(graph)))
    for record, links in enumerate(graph.links.inputs):
        for link in links:
            assert layering.places[link][0] < layering.places[record][0]
            assert layering.courses[link, record][0] == layering.places[link]
            assert layering.courses[link, record][-1] == layering.places[record]
    columns: dict[float, list[float]] = {}
    for x, y in layering.places.values():
        columns.setdefault(x, []).append(y)
    for heights in columns.values():
        heights.sort()
        assert all(above - below > 0.999 for below, above in pairwise(heights))


def test_too_many_records_are_counted_and_the_figure_says_so(large: cg.CacheGraph) -> None:
    figure = large.plot()
    said = figure.get_suptitle()
    assert "5,000 records, more than 200: counted by depth and operation; focus(record) draws a part" in said
    titles = {axes.get_title(loc="left") for axes in figure.axes}
    assert titles == {"unknown step: 4,201 records", "merge: 739 records", "unknown root: 60 records"}
    counted = [sum(bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)) for axes in figure.axes]
    assert counted == [4201, 739, 60]
    _rendered(figure)


def test_a_focus_is_drawn_and_says_so(large: cg.CacheGraph) -> None:
    figure = large.focus(3000, up=3, down=3).plot()
    assert "(26 of 5,000 records in focus)" in figure.axes[0].get_title(loc="left")
    _rendered(figure)


def test_many_columns_go_without_names() -> None:
    records = ",".join(['{"digest": "a"}', *(f'{{"digest": "a", "inputs": [[{{"link": {n}}}]]}}' for n in range(40))])
    figure = cg.from_config(f'{{"records": [{records}]}}'.encode()).plot()
    assert "40" in _texts(figure)
    assert "too many columns for names" in figure.axes[0].get_title(loc="left")


def test_loops_and_nothing_at_all_are_drawn() -> None:
    loop = cg.from_config(b'{"records": [{}, {"inputs": [[{"link": 2}]]}, {"inputs": [[{"link": 1}, {"link": 8}]]}]}')
    _rendered(loop.plot())
    _rendered(plot(loop.graphs[0], limit=1))
    empty = cg.from_config(b"{}")
    _rendered(empty.plot())
    _rendered(empty.plot_bytes())
    _rendered(cg.CacheGraph(()).plot_bytes())


def test_odd_names_are_text(hostile: str, named: cg.CacheGraph) -> None:
    assert any(text.startswith("1  <img src=x") for text in _texts(named.plot()))
    _rendered(named.plot())
    _rendered(named.plot_merge(2))


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
    _rendered(figure)


def test_the_limit_is_drawn_where_it_is_near(layouts: Path) -> None:
    export = cg.load(str(layouts / "web-max")).graphs[0].export
    near = cg.CacheGraph([replace(export, config_bytes=900_000)])
    assert "BuildKit refuses more than this" in _texts(near.plot_bytes())
    assert "BuildKit refuses more than this" not in _texts(cg.CacheGraph([export]).plot_bytes())


def test_a_figure_shows_itself_once(scratch: cg.CacheGraph) -> None:
    import matplotlib.pyplot as plt

    figure = scratch.plot()
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]  # what IPython calls
    assert plt.get_fignums() == []
    assert figure.get_facecolor() == (1, 1, 1, 1)


def test_the_interactive_view_needs_no_network(scratch: cg.CacheGraph) -> None:
    page = scratch.explore().page
    assert " src=" not in page.split("<body>")[0].replace("</script>", "\n").split("<script")[0]
    assert "cdn.bokeh.org" not in page
    assert 500_000 < len(page) < 3_000_000


def test_the_interactive_view_has_a_limit(large: cg.CacheGraph) -> None:
    with pytest.raises(
        UsageError, match=r"5,000 records are too many to explore \(focus\(record\) takes a part of them\)"
    ):
        large.explore()
    assert explore(large.focus(3000).graphs[0]).title == "records of config"


def test_a_daemons_cache(daemon: cg.CacheGraph) -> None:
    said = "516 records, more than 200: counted by depth and operation; focus(record) draws a part"
    assert said in daemon.plot().get_suptitle()
    assert "no config: a daemon has none" in _texts(daemon.plot_bytes())
    _rendered(daemon.plot_bytes())
