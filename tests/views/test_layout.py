"""Where the marks of a drawing stand: laws, small cases, and how long it takes."""

from __future__ import annotations

import random
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cachegraph as cg
from cachegraph.views.drawing.layout import Layout, lay_out


def _inputs(pairs: list[tuple[int, int]], count: int) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(count)]
    for one, other in pairs:
        found[max(one, other)].append(min(one, other))
    return [[link for link in links if link != mark] for mark, links in enumerate(found)]


GRAPHS = st.integers(1, 25).flatmap(
    lambda count: st.builds(
        _inputs,
        st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=60),
        st.just(count),
    )
)


def _check(layout: Layout, inputs: list[list[int]], widths: list[float]) -> None:
    for mark, links in enumerate(inputs):
        for link in set(links):
            assert layout.layers[link] < layout.layers[mark]
            course = layout.courses[link, mark]
            assert len(course) in (2, layout.layers[mark] - layout.layers[link] + 1)
            # A line ends on its mark.
            assert abs(course[0] - layout.xs[link]) < widths[link] / 2
            assert abs(course[-1] - layout.xs[mark]) < widths[mark] / 2
    rows: dict[int, list[tuple[float, float]]] = {}
    for mark, layer in enumerate(layout.layers):
        rows.setdefault(layer, []).append((layout.xs[mark], widths[mark]))
    for row in rows.values():
        row.sort()
        for (x, width), (other, wide) in pairwise(row):
            assert other - x >= (width + wide) / 2 + 10
        assert row[0][0] - row[0][1] / 2 >= -0.01
        assert row[-1][0] + row[-1][1] / 2 <= layout.width + 0.01
    assert len(set(layout.layers)) == layout.depth


@given(GRAPHS, st.data())
def test_inputs_stand_above_and_marks_apart(inputs: list[list[int]], data: st.DataObject) -> None:
    widths = data.draw(st.lists(st.floats(60, 300), min_size=len(inputs), max_size=len(inputs)))
    _check(lay_out(inputs, widths), inputs, widths)


@pytest.mark.parametrize("name", ["web-max", "nested-inline", "wide-12-max", "diff-chain-inline", "web-churn"])
def test_real_exports(layouts: Path, name: str) -> None:
    links = cg.load(str(layouts / name)).graphs[0].links.inputs
    widths = [150.0] * len(links)
    _check(lay_out(links, widths), links, widths)


def test_a_source_stands_right_above_what_takes_it() -> None:
    layout = lay_out([[], [0], [1], [], [2, 3]], [100.0] * 5)
    assert layout.layers == [0, 1, 2, 2, 3]


def test_a_chain_is_a_straight_line() -> None:
    layout = lay_out([[], [0], [1], [2]], [100.0, 180.0, 90.0, 140.0])
    assert len({round(x) for x in layout.xs}) == 1
    assert layout.width == 180.0


def test_no_line_crosses_another_where_none_must() -> None:
    """Two trees on one base, whose leaves were numbered crosswise."""
    layout = lay_out([[6], [6], [1], [0], [1], [0], []], [100.0] * 7)
    (left, right) = sorted((0, 1), key=lambda mark: layout.xs[mark])
    below = {0: (3, 5), 1: (2, 4)}
    assert max(layout.xs[mark] for mark in below[left]) < min(layout.xs[mark] for mark in below[right])


def test_a_long_line_has_two_bends_at_most() -> None:
    """A base taken again far below, past a chain."""
    layout = lay_out([[], [0], [1], [2], [3], [4], [5, 0]], [120.0] * 7)
    course = layout.courses[0, 6]
    assert len(course) == 7
    assert sum(abs(one - other) > 1 for one, other in pairwise(course)) <= 2


def test_a_layer_that_would_be_too_wide_is_broken() -> None:
    """Sixty steps on one base, and a merge of sixty roots."""
    fan = lay_out([[], *([0] for _ in range(60))], [150.0] * 61)
    assert fan.depth > 4
    assert fan.width < 4000
    merge = lay_out([*([] for _ in range(60)), list(range(60))], [150.0] * 61)
    assert merge.depth > 4
    assert merge.width < 4000
    assert merge.layers[60] == merge.depth - 1


def test_of_a_loop_one_link_goes_upwards() -> None:
    layout = lay_out([[], [0, 3], [1], [2]], [100.0] * 4)
    assert layout.layers == [0, 1, 2, 3]
    assert len(layout.courses[3, 1]) == 2
    assert lay_out([[0]], [100.0]).layers == [0]
    assert lay_out([], []).depth == 0


def test_parts_that_nothing_links_stand_beside_each_other() -> None:
    layout = lay_out([[] for _ in range(30)], [100.0] * 30)
    assert 2 < layout.depth < 15
    assert len({(layer, round(x)) for layer, x in zip(layout.layers, layout.xs, strict=True)}) == 30


@pytest.mark.slow
def test_it_is_about_linear() -> None:
    """5,000 records take a second or so; twice as many about twice as long, not four times."""
    took = []
    for count in (5_000, 10_000):
        dice = random.Random(1)
        inputs = [
            [dice.randrange(max(0, mark - 150), mark) for _ in range(1 + (dice.random() < 0.15))] if mark > 60 else []
            for mark in range(count)
        ]
        start = time.process_time()
        lay_out(inputs, [150.0] * count)
        took.append(time.process_time() - start)
    assert took[0] < 10
    assert took[1] < 3.5 * took[0]
