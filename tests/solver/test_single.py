"""What is asked about has to be a graph: a path, or a text of one, is told at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cachegraph as cg

GIVEN: Any = "./cache"
WRONG: dict[str, Callable[[cg.CacheGraph], object]] = {
    "a history": lambda _: cg.history(GIVEN),
    "the new export": lambda graph: cg.diff(graph, GIVEN),
    "a build": lambda graph: cg.explain(GIVEN, graph),
    "a cache": lambda graph: cg.explain(graph, [GIVEN]),
}


@pytest.fixture
def graph(layouts: Path) -> cg.CacheGraph:
    return cg.load(layouts / "scratch-file-inline")


@pytest.mark.parametrize("what", WRONG)
def test_a_path_in_place_of_a_graph_is_told(graph: cg.CacheGraph, what: str) -> None:
    with pytest.raises(TypeError) as caught:
        WRONG[what](graph)
    assert str(caught.value) == f"{what} is a graph, as cachegraph.load() gives it, not str: './cache'"


def test_a_history_takes_several_graphs(graph: cg.CacheGraph, layouts: Path) -> None:
    other = cg.load(layouts / "scratch-file-file-inline")
    both = cg.history([graph, other])
    assert both.summary == cg.history([*graph, *other]).summary
    assert both.summary.startswith("2 exports")
