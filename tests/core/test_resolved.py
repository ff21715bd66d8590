"""What follows from one export's records, links and results alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cachegraph.core.graph import ExportGraph, record_title
from cachegraph.core.model import Blob, CacheLayer, CacheRecord, CacheResult, ChainedResult, Name, Names
from cachegraph.core.operations import record_digest
from cachegraph.core.times import UNKNOWN
from cachegraph.errors import UnknownNameError
from tests.builders import DIFF, export_graph, layers, merge, record

STACK = layers(-1, 0, -1)
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def of_times(*results: tuple[int, str]) -> ExportGraph:
    """One record whose results are these layers, made at these times."""
    chains = tuple(ChainedResult(layers=(layer,), created_at=time) for layer, time in results)
    return export_graph(CacheRecord(digest="a", chains=chains), stack=layers(-1, -1, -1))


def test_roots_merges_and_diffs() -> None:
    graph = export_graph(
        record("a"),
        record(merge(2), [0], [0]),
        record(DIFF, [0], [1]),
        record(merge(3), [0], [0]),
        record(DIFF, [0]),
        record(merge(2)),
    )
    assert graph.roots == [0, 5]
    assert [graph.is_root(index) for index in range(6)] == [True, False, False, False, False, True]
    assert graph.merges == [1]
    assert graph.diffs == [2]


def test_a_diff_of_one_slot_has_no_sides() -> None:
    half = record_digest('{"Type":"buildkit.diff.v0","Diff":{"lower":{},"upper":{"input":-1}}}')
    graph = export_graph(record("a"), record(half, [0]))
    assert graph.diffs == []
    assert graph.naming(1) == Name(op="diff", name="diff")


def test_a_record_out_of_range_is_named_with_what_there_is() -> None:
    graph = export_graph(record("a"), record("b"))
    assert graph.record(1).digest == "b"
    for index in (-1, 2):
        with pytest.raises(UnknownNameError) as caught:
            graph.record(index)
        assert str(caught.value) == f"config: no record {index} (records are 0 to 1)"
    with pytest.raises(UnknownNameError) as caught:
        export_graph().record(0)
    assert str(caught.value) == "config: no record 0 (records are none: the export is empty)"


def test_loadable_records_and_what_they_stand_on() -> None:
    graph = export_graph(record("a"), record("b", [0]), record("c", [1], chain=(0,)), record("d", [2]), stack=STACK)
    assert list(graph.loadable) == [0, 0, 1, 0]
    assert list(graph.bridged) == [1, 1, 0, 0]
    assert graph.missing == [1, 3]
    assert graph.downstream_loadable == {1: 1, 3: 0}


def test_where_results_are_not_known_none_is_missing() -> None:
    graph = export_graph(record("a"), record("b", [0]), results_known=False)
    assert graph.missing == []
    assert graph.downstream_loadable == {}


def test_one_loadable_result_is_enough() -> None:
    both = CacheRecord(digest="a", layers=(CacheResult(layer=0),), chains=(ChainedResult(layers=(2,)),))
    assert list(export_graph(both, stack=STACK, blobs=["blob-2"]).loadable) == [1]
    assert list(export_graph(both, stack=STACK, blobs=["blob-0"]).loadable) == [1]
    assert list(export_graph(both, stack=STACK, blobs=["blob-1"]).loadable) == [0]
    lost = [Blob(digest=f"blob-{n}", present=n != 2) for n in range(3)]
    chain = CacheRecord(digest="a", chains=both.chains)
    assert list(export_graph(chain, both, stack=STACK, blobs=lost).loadable) == [0, 1]


def test_results_layers_and_blobs() -> None:
    graph = export_graph(
        CacheRecord(
            digest="a",
            layers=(CacheResult(layer=1, created_at=EARLY), CacheResult(layer=9)),
            chains=(ChainedResult(layers=(1,)), ChainedResult(layers=(2, -1, 0, 3))),
        ),
        record("b", chain=(2,)),
        stack=STACK,
    )
    assert [list(graph.results(index)) for index in range(2)] == [[0, 1, 2, 3], [4]]
    assert [graph.result_layers(result) for result in range(5)] == [[0, 1], [], [1], [2, 0], [2]]
    assert graph.result_blobs(0) == ("blob-0", "blob-1")
    assert [graph.state(result).name for result in range(5)] == [
        "LOADABLE",
        "INVALID",
        "LOADABLE",
        "INVALID",
        "LOADABLE",
    ]
    assert list(graph.loadable_results(0)) == [0, 2]
    assert list(graph.result_times) == [1_767_225_600_000_000_000, *[UNKNOWN] * 4]


def test_the_newest_result_is_taken() -> None:
    assert of_times((0, EARLY), (1, LATE)).newest_result(0) == 1
    assert of_times((0, LATE), (1, EARLY)).newest_result(0) == 0
    assert of_times((0, LATE), (1, LATE), (2, EARLY)).newest_result(0) == 0
    assert of_times((0, EARLY), (1, LATE), (2, LATE)).newest_result(0) == 1
    # The same blobs count once, at the time of the first.
    assert of_times((0, EARLY), (1, LATE), (0, "2026-02-01T00:00:00Z")).newest_result(0) == 1
    assert of_times((0, EARLY)).newest_result(0) == 0
    assert of_times().newest_result(0) is None


def test_layers_that_loadable_results_use() -> None:
    def used(*records: CacheRecord, blobs: list[str] | None = None) -> list[int]:
        return list(export_graph(*records, stack=STACK, blobs=blobs).used_layers)

    assert used(record("a", layer=1)) == [1, 1, 0]
    assert used(record("a", layer=0)) == [1, 0, 0]
    assert used(record("a", chain=(1,))) == [0, 1, 0]
    assert used(record("a", chain=(2, 0))) == [1, 0, 1]
    assert used(record("a", layer=1), record("b", layer=0), record("c", layer=1)) == [1, 1, 0]
    assert used(record("a", layer=1), record("b", chain=(2,)), blobs=["blob-1"]) == [0, 0, 0]
    assert used(record("a")) == [0, 0, 0]


def test_sizes_as_far_as_known() -> None:
    blobs = [Blob(digest="blob-0", size=7), Blob(digest="blob-1"), Blob(digest="blob-2", size=0)]
    assert export_graph(blobs=blobs).sizes == {"blob-0": 7, "blob-2": 0}
    assert export_graph().sizes == {}


def test_a_match_is_and_over_slots_and_or_over_alternatives() -> None:
    graph = export_graph(
        record("a"), record("b"), record("c"), record("or", [0, 1]), record("and", [3], [2]), record("end", [4])
    )
    assert graph.matched({0}) == {0, 3}
    assert graph.matched({1, 2}) == {1, 2, 3, 4, 5}
    assert graph.matched({2}) == {2}
    assert graph.matched(set()) == set()
    assert graph.matched({3}) == set()


# --- Identities ------------------------------------------------------------------------------------------------------


def test_an_export_is_named_by_source_config_and_platform() -> None:
    export = export_graph(record("a")).export
    same = [replace(export), replace(export, kind="local"), replace(export, blobs=())]
    others = [replace(export, source="x"), replace(export, platform="linux/amd64"), replace(export, config_digest="x")]
    assert {ExportGraph(each).id for each in same} == {ExportGraph(export).id}
    assert len({ExportGraph(each).id for each in (export, *others)}) == 4


def test_a_key_is_named_by_what_it_is_made_of() -> None:
    graph = export_graph(
        record("a"),
        record("b"),
        record("step", [0]),
        record("step", [1]),
        record("step", [(0, "x")]),
        record("step", [0, 1]),
        record("step", [1, 0, 1]),
        record("step", [0], [1]),
        record("step", [1], [0]),
        record("other", [0]),
        record("step", [9]),
        record("step", [-1]),
    )
    ids = graph.key_ids
    assert ids[5] == ids[6]
    assert len(set(ids)) == len(ids) - 1
    assert all(len(key) == 64 for key in ids)
    again = export_graph(record("b"), record("a"), record("step", [1]), source="elsewhere").key_ids
    assert again == [ids[1], ids[0], ids[2]]


def test_a_key_on_a_loop_is_its_exports_own() -> None:
    records = (record("a"), record("step", [2]), record("step", [1]), record("end", [1]))
    one, other = export_graph(*records), export_graph(*records, source="elsewhere")
    assert one.key_ids[0] == other.key_ids[0]
    assert not set(one.key_ids[1:]) & set(other.key_ids[1:])
    assert len(set(one.key_ids)) == 4


# --- Names -----------------------------------------------------------------------------------------------------------


def test_names_by_plaintext_then_by_digest() -> None:
    graph = export_graph(
        record("a"), record(merge(3), [0], [0], [0]), record(DIFF, [0], [0]), record("sha256:" + "d" * 64, [0])
    )
    named = ExportGraph(
        graph.export, Names(records={"a": Name(op="source", name="alpine"), DIFF: Name(op="exec", name="x")})
    )
    assert [graph.naming(index) for index in range(4)] == [
        Name(op="unknown", name=""),
        Name(op="merge", name="merge of 3 inputs"),
        Name(op="diff", name="diff"),
        Name(op="unknown", name=""),
    ]
    assert [named.naming(index).name for index in range(4)] == ["alpine", "merge of 3 inputs", "x", ""]
    assert (graph.is_source(0), named.is_source(0), named.is_source(1)) == (False, True, False)
    assert named.title(0) == "record 0 (alpine)"
    assert named.title(3) == "record 3 (sha256:dddddddddddd)"


def test_long_names_are_cut_in_titles() -> None:
    assert record_title(7, "x" * 60, "d") == f"record 7 ({'x' * 60})"
    assert record_title(7, "x" * 61, "d") == f"record 7 ({'x' * 57}...)"
    assert record_title(7, "", "sha256:0123456789abcdef") == "record 7 (sha256:0123456789ab)"


def test_columns_of_anything() -> None:
    columns = export_graph(
        record("a"),
        record("b", [(0, "x"), (0, "")], [(0, "x")]),
        CacheRecord(digest="c", layers=(CacheResult(layer=2),), chains=(ChainedResult(layers=(1, 0)),)),
        stack=(
            CacheLayer(blob="x", parent=-1),
            CacheLayer(blob="y", parent=2**40),
            CacheLayer(blob="x", parent=-(2**40)),
        ),
    ).columns
    assert columns.result_ptr == [0, 0, 0, 2]
    assert columns.result_layer == [2, 0]
    assert columns.is_chain == [False, True]
    assert columns.chains == [(1, 0)]
    assert columns.layer_parent == [-1, 2**40, -(2**40)]
    assert columns.layer_blob == ["x", "y", "x"]


def test_a_graph_names_itself() -> None:
    assert repr(export_graph(record("a"))) == "<ExportGraph: config, 1 records>"
    assert repr(export_graph(*[record("a")] * 1000)) == "<ExportGraph: config, 1,000 records>"
