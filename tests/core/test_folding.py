"""Which records BuildKit takes for one key, and which results that loses."""

from __future__ import annotations

import pytest

from cachegraph.core.folding import fold, fold_results, import_order
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheRecord, CacheResult, ChainedResult
from tests.builders import export_graph, layers, record

STACK = layers(-1, -1, -1)
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def keys(*records: CacheRecord) -> list[int]:
    graph = export_graph(*records)
    return fold(graph.export.config, graph.links)


def order(graph: ExportGraph) -> list[int]:
    return import_order(graph.export.config, graph.links)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], []),
        # Roots join by digest alone.
        ([record("a"), record("b"), record("a")], [0, 1, 0]),
        # Steps join when they share an alternative (record and selector) in every slot.
        ([record("a"), record("s", [0]), record("s", [0])], [0, 1, 1]),
        ([record("a"), record("s", [0]), record("t", [0])], [0, 1, 2]),
        ([record("a"), record("b"), record("s", [0]), record("s", [1])], [0, 1, 2, 3]),
        ([record("a"), record("s", [(0, "x")]), record("s", [(0, "y")])], [0, 1, 2]),
        ([record("a"), record("s", [(0, "x")]), record("s", [(0, "y"), (0, "x")])], [0, 1, 1]),
        ([record("a"), record("b"), record("s", [0], [1]), record("s", [1], [0])], [0, 1, 2, 3]),
        ([record("a"), record("b"), record("s", [0], [1]), record("s", [0], [0, 1])], [0, 1, 2, 2]),
        ([record("a"), record("b"), record("s", [0], [1]), record("s", [0], [0])], [0, 1, 2, 3]),
        ([record("a"), record("s", [0]), record("s", [0], [0])], [0, 1, 2]),
        # Inputs that are one key are one.
        ([record("a"), record("a"), record("s", [0]), record("s", [1])], [0, 0, 2, 2]),
        # One that joins two makes them one, and their children with them.
        (
            [record("a"), record("b"), record("s", [0]), record("s", [1]), record("s", [0, 1])],
            [0, 1, 2, 2, 2],
        ),
        (
            [
                record("a"),
                record("b"),
                record("s", [0]),
                record("s", [1]),
                record("t", [2]),
                record("t", [3]),
                record("s", [0, 1]),
                record("t", [6]),
            ],
            [0, 1, 2, 2, 4, 4, 2, 4],
        ),
        # No key for random ones, wherever they stand.
        ([record("a"), record("random:x"), record("a"), record("s", [0])], [0, -1, 0, 3]),
        ([record("random:x"), record("random:x"), record("a")], [-1, -1, 2]),
        # None for loops and what stands on them.
        ([record("a"), record("s", [2]), record("s", [1]), record("t", [1])], [0, -1, -1, -1]),
    ],
)
def test_keys(records: list[CacheRecord], expected: list[int]) -> None:
    found = keys(*records)
    assert [found.index(key) if key >= 0 else key for key in found] == [
        expected.index(key) if key >= 0 else key for key in expected
    ]
    assert found == expected


def test_the_first_that_buildkit_meets_names_the_key() -> None:
    """Record 0 takes record 2, so the root at 2 comes before the one at 1."""
    graph = export_graph(record("s", [2]), record("a"), record("a"))
    assert order(graph) == [2, 0, 1]
    assert fold(graph.export.config, graph.links) == [0, 2, 2]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], []),
        ([record("a"), record("b")], [0, 1]),
        ([record("a", [1]), record("b", [2]), record("c")], [2, 1, 0]),
        ([record("a", [2, 1], [3]), record("b"), record("c"), record("d")], [2, 1, 3, 0]),
        ([record("a", [1], [2]), record("b", [2]), record("c")], [2, 1, 0]),
        ([record("a", [0]), record("b"), record("c", [0])], [1]),
        ([record("a", [7]), record("b")], [0, 1]),
    ],
)
def test_records_are_added_inputs_first(records: list[CacheRecord], expected: list[int]) -> None:
    assert order(export_graph(*records)) == expected


def at(time: str, *chains: tuple[int, ...]) -> CacheRecord:
    return CacheRecord(digest="a", chains=tuple(ChainedResult(layers=chain, created_at=time) for chain in chains))


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([record("a"), record("b")], {}),
        ([at(EARLY, (0,)), at(LATE, (1,))], {1: (0, 0)}),
        # The same time and the same number of layers: taken for a repetition.
        ([at(EARLY, (0,)), at(EARLY, (1,))], {1: (0, 1)}),
        ([at(EARLY, (0,)), at(EARLY, (0,))], {1: (0, 0)}),
        ([at(EARLY, (0,)), at(EARLY, (0, 1))], {1: (0, 0)}),
        ([at(EARLY, (0,)), at(EARLY, (1,), (2,), (0, 1))], {1: (0, 2)}),
        # The key's own record keeps all of its results.
        ([at(EARLY, (0,), (1,)), at(EARLY, (1,))], {1: (0, 0)}),
        # Lost here, kept by a third record under another time.
        ([at(EARLY, (0,)), at(EARLY, (1,)), at(LATE, (1,))], {1: (0, 0), 2: (0, 0)}),
        ([at(EARLY, (0,)), at(EARLY, (1,)), at(EARLY, (2,))], {1: (0, 1), 2: (0, 1)}),
        ([at(EARLY), at(EARLY, (1,)), at(EARLY, (2,))], {1: (0, 0), 2: (0, 1)}),
        # Two keys at once, and one that is alone.
        (
            [at(EARLY, (0,)), record("b"), at(EARLY, (1,)), record("b"), record("c", chain=(0,))],
            {2: (0, 1), 3: (1, 0)},
        ),
    ],
)
def test_results_that_folding_loses(records: list[CacheRecord], expected: dict[int, tuple[int, int]]) -> None:
    assert fold_results(export_graph(*records, stack=STACK)) == expected


def test_results_that_buildkit_drops_itself_take_no_place() -> None:
    """One whose blob the manifest lacks is dropped; one whose blob the store lacks is not known to be lost."""
    records = (at(EARLY, (2,)), at(EARLY, (0,)), at(EARLY, (1,)))
    assert fold_results(export_graph(*records, stack=STACK, blobs=["blob-0", "blob-1"])) == {1: (0, 0), 2: (0, 1)}
    assert fold_results(export_graph(*records, stack=STACK)) == {1: (0, 1), 2: (0, 1)}
    # One that is dropped does not hide those after it.
    both = (at(EARLY, (2,), (0,)), at(EARLY, (1,)))
    assert fold_results(export_graph(*both, stack=STACK, blobs=["blob-0", "blob-1"])) == {1: (0, 1)}


def test_a_layer_counts_with_its_parents() -> None:
    record_of = [CacheRecord(digest="a", layers=(CacheResult(layer=layer, created_at=EARLY),)) for layer in (1, 2)]
    assert fold_results(export_graph(*record_of, stack=layers(-1, 0, -1))) == {1: (0, 0)}
    assert fold_results(export_graph(*record_of, stack=layers(-1, 0, 0))) == {1: (0, 1)}


def test_nothing_is_folded_where_buildkit_refuses() -> None:
    assert export_graph(record("a"), record("a"), record("s", [9])).folded == {}
    assert export_graph(record("a"), record("a")).folded == {1: (0, 0)}
