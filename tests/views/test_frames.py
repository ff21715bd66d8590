"""Data frames: the documented columns, their dtypes, and joins."""

from __future__ import annotations

import pandas as pd
import pytest

import cachegraph as cg
from cachegraph.queries.catalogue import QUERIES
from cachegraph.views.frames import FRAMES, dtype

EMPTY = cg.CacheGraph(())
_INDEX = {
    "exports": ["id"],
    "records": ["id"],
    "inputs": [None],
    "results": ["id"],
    "result_layers": [None],
    "layers": ["id"],
    "problems": ["id"],
    "strays": [None],
    "blobs": ["export", "digest"],
}


@pytest.mark.parametrize("name", FRAMES)
def test_the_documented_columns_are_the_columns(fleet: cg.CacheGraph, large: cg.CacheGraph, name: str) -> None:
    for graph in (fleet, large, EMPTY):
        frame = getattr(graph, name)
        assert list(frame.index.names) == _INDEX[name]
        whole = frame.reset_index(drop=frame.index.names == [None])
        declared = FRAMES[name].columns
        assert sorted(whole.columns) == sorted(column.name for column in declared)
        assert {column.name: whole[column.name].dtype for column in declared} == {
            column.name: pd.Series([], dtype=dtype(name, column)).dtype for column in declared
        }
        assert all(column.description for column in declared)


def test_dtypes(fleet: cg.CacheGraph) -> None:
    assert fleet.records["record_name"].dtype == "string"
    assert fleet.records["downstream_loadable"].dtype == "Int64"
    assert fleet.records["loadable"].dtype == "boolean"
    assert list(fleet.records["op"].cat.categories) == ["merge", "diff", "exec", "file", "source", "content", "unknown"]
    assert str(fleet.results["created_at"].dtype) == "datetime64[ns, UTC]"
    assert fleet.results["created_at"].max() == pd.Timestamp("2026-11-23T20:36:58.732612039Z")
    assert fleet.blobs["blob_bytes"].dtype == "Int64"


def test_the_index_joins(fleet: cg.CacheGraph) -> None:
    layers = fleet.layers.join(fleet.blobs, on=["export", "blob"])
    assert layers["blob_bytes"].isna().sum() == 0
    assert len(layers) == len(fleet.layers) == 36
    inputs = fleet.inputs.join(fleet.records.add_prefix("input_"), on="input")
    assert inputs.groupby("input_op", observed=True).size()["merge"] == 12
    results = fleet.results.join(fleet.records[["record_index", "op"]], on="record")
    assert set(results["record"]) == set(fleet.records.index[fleet.records["loadable"]])
    assert list(fleet.records.join(fleet.exports, on="export")["kind"].unique()) == [
        "local",
        "inline",
    ]


def test_findings_join_the_records(scratch: cg.CacheGraph) -> None:
    frame = scratch.check().to_frame()
    joined = frame.merge(scratch.records, left_on=["export", "record"], right_on=["export", "record_index"])
    assert len(joined) == 7  # all but the one about the export
    lost = joined[joined["severity"] == "warning"]
    assert lost["is_root"].tolist() == [True]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_findings_have_the_same_dtypes_with_and_without_rows(fleet: cg.CacheGraph, query: object) -> None:
    name: str = query.name  # type: ignore[attr-defined]  # parametrised with queries
    full, empty = fleet.query(name).to_frame(), EMPTY.query(name).to_frame()
    assert full.dtypes.equals(empty.dtypes)
    assert full["record"].dtype == "Int64"
    assert full["message"].dtype == "string"
    assert list(full["severity"].cat.categories) == ["error", "warning", "note"]


def test_a_focus_has_frames_that_hang_together(large: cg.CacheGraph) -> None:
    graph = large.focus(3000, up=3, down=3)
    shown = sorted(graph.records["record_index"])
    assert 3000 in shown
    assert set(graph.inputs["record"]) | set(graph.inputs["input"]) <= set(graph.records.index)
    assert set(graph.results["record"]) <= set(graph.records.index)
    assert set(graph.layers["blob"]) == set(graph.blobs.index.get_level_values("digest"))
    pd.testing.assert_frame_equal(graph.records, large.records.loc[graph.records.index])
    pd.testing.assert_frame_equal(graph.results, large.results.loc[graph.results.index])
