"""Data frames: the documented columns, their dtypes, and joins."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import cachegraph as cg
from cachegraph.cli.records import record_rows
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
    assert len(joined) == 5  # all but the one about the export
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


def test_no_column_hides_behind_an_attribute_of_pandas() -> None:
    for name, frame in FRAMES.items():
        for column in frame.columns:
            assert not hasattr(pd.DataFrame, column.name), (name, column.name)
            assert not hasattr(pd.Series, column.name), (name, column.name)
            assert column.name not in ("index", "count")  # of a row of itertuples


JOINS = [
    ("inputs", "records", "record"),
    ("inputs", "records", "input"),
    ("results", "records", "record"),
    ("result_layers", "results", "result"),
    ("result_layers", "layers", "layer"),
    ("layers", "blobs", ["export", "blob"]),
    ("layers", "exports", "export"),
    ("records", "exports", "export"),
    ("problems", "exports", "export"),
    ("strays", "exports", "export"),
    ("strays", "blobs", ["export", "digest"]),
]


@pytest.mark.parametrize(("left", "right", "on"), JOINS)
def test_frames_join_without_suffixes(fleet: cg.CacheGraph, left: str, right: str, on: str | list[str]) -> None:
    one, other = getattr(fleet, left), getattr(fleet, right)
    joined = one.join(other, on=on)
    assert len(joined) == len(one)
    assert list(joined.columns) == [*one.columns, *other.columns]
    assert other.empty or joined[other.columns[0]].notna().sum() == len(joined) or other.columns[0] == "created_by"


def test_what_is_written_into_a_frame_stays_there(scratch: cg.CacheGraph) -> None:
    mine = scratch.records
    mine["op"] = "exec"
    mine["root_reasons"].dropna().iloc[0].append("mine")
    mine["own"] = 1
    assert list(scratch.unreachable_roots()) == list(cg.CacheGraph([scratch.graphs[0].export]).unreachable_roots())
    assert "own" not in scratch.records
    assert "exec" not in set(scratch.records["op"])


def test_each_result_has_its_layers_and_bytes(fleet: cg.CacheGraph) -> None:
    results = fleet.results.sort_index()
    layers = fleet.result_layers.join(fleet.layers, on="layer").groupby("result")
    assert layers["layer_bytes"].sum().tolist() == results["result_bytes"].tolist()
    assert layers["blob"].agg(list).tolist() == results["blobs"].tolist()
    assert (layers["layer_position"].max() + 1).tolist() == results["blobs"].map(len).tolist()


def test_exports_are_counted_and_have_short_names(layouts: Path) -> None:
    graph = cg.load([str(layouts / "web-churn"), str(layouts / "web-multi-inline")])
    exports = graph.exports
    assert exports["ref"].tolist() == ["web-churn", "web-multi-inline linux/amd64", "web-multi-inline linux/386"]
    assert exports["records"].to_dict() == graph.records.groupby("export").size().to_dict()
    assert exports["roots"].to_dict() == graph.records.groupby("export")["is_root"].sum().to_dict()
    steps = graph.records.query("loadable and not is_root").groupby("export").size()
    assert exports["loadable_steps"].to_dict() == steps.to_dict()
    assert graph.records.groupby("export")["title"].first().to_dict() == exports["ref"].to_dict()
    assert set(graph.strays["title"]) == {"web-churn"}
    assert len(graph.strays) == 17
    assert graph.problems.empty


def test_times_that_nobody_knows_and_times_out_of_range_are_null_in_every_view() -> None:
    times = {
        "9999-12-31T00:00:00Z": None,
        "1600-01-01T00:00:00Z": None,
        "0001-01-01T01:00:00+01:00": None,
        "0001-01-01T00:00:00Z": None,
        "2026-11-23T21:36:07.5+01:00": "2026-11-23T20:36:07.5Z",
    }
    results = ", ".join(f'{{"layer": 0, "createdAt": "{text}"}}' for text in times)
    config = f'{{"layers": [{{"blob": "sha256:a", "parent": -1}}], "records": [{{"layers": [{results}]}}]}}'
    graph = cg.from_config(config.encode())
    wanted = list(times.values())
    assert [result.created_at for result in graph.record(0).results] == wanted
    (row,) = record_rows(graph.graphs[0])
    assert [result["created_at"] for result in row["results"]] == wanted
    frame = graph.results["created_at"]
    assert frame.isna().tolist() == [time is None for time in wanted]
    assert frame.iloc[-1] == pd.Timestamp("2026-11-23T20:36:07.5Z")
    nodes = [p for _, p in graph.to_networkx().nodes(data=True) if p["label"] == "Result"]
    assert ["created_at" in properties for properties in nodes] == [time is not None for time in wanted]
