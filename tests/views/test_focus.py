"""A part of an export answers as the whole does."""

from __future__ import annotations

from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.errors import UnknownNameError
from cachegraph.queries.catalogue import QUERIES
from cachegraph.text.words import plural


def _shown(graph: cg.CacheGraph) -> list[int]:
    return sorted(graph.records["record_index"])


def test_up_and_down(layouts: Path) -> None:
    graph = cg.load(str(layouts / "web-max"))
    assert _shown(graph.focus(13, up=1, down=0)) == [13, 15, 18]
    assert _shown(graph.focus(13, up=0, down=1)) == [9, 13, 17]
    assert _shown(graph.focus(13)) == [0, 2, 3, 9, 13, 15, 17, 18]
    assert _shown(graph.focus(13, up=99, down=0)) == [0, 2, 5, 6, 7, 8, 13, 15, 18]


def test_a_focus_of_a_focus(layouts: Path) -> None:
    graph = cg.load(str(layouts / "web-max")).focus(13)
    assert _shown(graph.focus(9, up=9, down=9)) == [0, 2, 3, 9, 13, 15, 18]
    with pytest.raises(UnknownNameError, match="record 5 is out of focus"):
        graph.focus(5)


def test_records_keep_their_answers(large: cg.CacheGraph) -> None:
    graph = large.focus(3000, up=1, down=1)
    inside = set(_shown(graph))
    for query in QUERIES:
        whole = [f for f in large.query(query.name) if f.record is None or f.record in inside]
        assert list(graph.query(query.name)) == whole
    assert repr(graph) == f"<CacheGraph: 1 export, {plural(len(inside), 'record')}>"
    assert graph.record(3000) == large.record(3000)
    assert graph.loadable_results(2865) == large.loadable_results(2865)
    assert set(large.records.index) > set(graph.records.index)


def test_a_lost_root_stays_lost_without_its_merge_in_sight(scratch: cg.CacheGraph) -> None:
    graph = scratch.focus(1, up=0, down=0)
    assert _shown(graph) == [1]
    assert [(f.record, f.severity) for f in graph.unreachable_roots()] == [(1, "warning")]
    made = graph.to_networkx()
    assert sorted(properties["label"] for _, properties in made.nodes(data=True)) == ["Export", "Record"]


def test_the_second_export(fleet: cg.CacheGraph) -> None:
    graph = fleet.focus(6, up=1, down=1, export=3)
    assert _shown(graph) == [6, 10, 11, 15]
    assert graph.graphs[0].id == fleet.graphs[3].id


def test_what_is_not_there(scratch: cg.CacheGraph) -> None:
    with pytest.raises(UnknownNameError, match=r"no record 6 \(records are 0 to 5\)"):
        scratch.focus(6)
    with pytest.raises(UnknownNameError, match="there is no export 1"):
        scratch.focus(0, export=1)


def test_a_loop_comes_to_an_end() -> None:
    graph = cg.from_config(b'{"records": [{"inputs": [[{"link": 1}]]}, {"inputs": [[{"link": 0}]]}]}')
    assert _shown(graph.focus(0, up=9, down=9)) == [0, 1]
    assert _shown(graph.focus(0, up=0, down=0)) == [0]
