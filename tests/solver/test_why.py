"""What keeps a record, a layer or a blob."""

from __future__ import annotations

import pytest

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UnknownNameError
from cachegraph.solver.why import why
from tests.solver.exports import BASE, export


@pytest.fixture
def graph() -> ExportGraph:
    return export(BASE, names={"make": "RUN make"})


def test_a_record(graph: ExportGraph) -> None:
    found = why(graph, 3)
    assert [(row.relation, row.record, row.detail) for row in found] == [
        ("uses", 4, "slot 0"),
        ("way", 0, ""),
        ("way", 2, ""),
        ("way", 3, ""),
        ("lost", 3, "its result"),
        ("lost", 4, ""),
    ]
    assert found.summary == "record 3 (RUN make) is used by 1 record; without it 2 steps could not be loaded."


def test_a_record_that_another_can_stand_in_for() -> None:
    """AND over slots, OR over alternatives: the step still matches by the other alternative."""
    steps = dict(BASE) | {"copy": (([("", "base")], [("", "files"), ("", "more")]), 0)}
    steps = {"more": ((), None)} | steps
    found = why(export(steps), 2)
    assert found.records("uses") == (3,)
    assert found.records("lost") == ()
    assert found.summary == "record 2 (files) is used by 1 record; without it no step is lost."


def test_a_layer(graph: ExportGraph) -> None:
    found = why(graph, "layer:1")
    assert [(row.relation, row.record, row.detail) for row in found] == [
        ("uses", 3, "result 0"),
        ("uses", 4, "result 0"),
        ("way", 0, ""),
        ("way", 2, ""),
        ("way", 3, ""),
        ("lost", 3, ""),
        ("lost", 4, ""),
    ]
    assert found.summary == "layer 1 (b1) is used by 2 records; without it 2 steps could not be loaded."


def test_nothing_uses_it() -> None:
    steps = {"base": ((), None), "step": (([("", "base")],), 1)}
    found = why(export(steps, blobs=["b0"]), "layer:0")
    assert found.summary == "layer 0 (b0) is used by nothing; without it no step is lost."


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("9", "config: no record 9 (records are 0 to 4)"),
        ("layer:7", "config: no layer '7' (layers are 0 to 2)"),
        ("layer:x", "config: no layer 'x' (layers are 0 to 2)"),
        (
            "abcdef",
            "config: no record, layer or blob 'abcdef' (give a record's index, layer:N, or the start of a digest)",
        ),
    ],
)
def test_what_is_not_there(graph: ExportGraph, what: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        why(graph, what)
    assert str(caught.value) == message


def test_the_start_of_a_digest() -> None:
    steps = {"sha256:aa11": ((), None), "sha256:aa22": (([("", "sha256:aa11")],), 0)}
    graph = export(steps)
    assert why(graph, "sha256:aa2").records("way") == (0, 1)
    assert why(graph, "aa2").records("way") == (0, 1)
    with pytest.raises(UnknownNameError, match="'aa' is not one thing"):
        why(graph, "aa")
