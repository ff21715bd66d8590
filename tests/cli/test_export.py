"""``cachegraph export``: each format holds the same graph."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import cachegraph as cg
from cachegraph.cli.app import app


def run(*args: str) -> Result:
    return CliRunner().invoke(app, ["export", *args])


@pytest.fixture
def spec(layouts: Path) -> str:
    return str(layouts / "scratch-file-inline")


def test_graphml_to_a_file_and_to_standard_output(spec: str, tmp_path: Path) -> None:
    path = tmp_path / "cache.graphml"
    assert run(spec, "-f", "graphml", "-o", str(path)).exit_code == 0
    graph = nx.read_graphml(path)
    expected = cg.load(spec).to_networkx()
    assert (len(graph), graph.number_of_edges()) == (len(expected), expected.number_of_edges())
    printed = run(spec, "-f", "graphml").stdout
    assert nx.is_isomorphic(nx.parse_graphml(printed), graph)


def test_dot(spec: str) -> None:
    text = run(spec, "-f", "dot").stdout
    assert text.startswith("digraph")
    assert "merge of 3 inputs" in text


def test_json_is_nodes_and_relationships(spec: str) -> None:
    graph = json.loads(run(spec, "-f", "json").stdout)
    assert [record["index"] for record in graph["nodes"]["Record"]] == [0, 1, 2, 3, 4, 5]
    assert {edge["from"][-3:] for edge in graph["relationships"]["INPUT"]} == {"/r0", "/r2", "/r4"}


def test_parquet_is_a_folder_of_tables(spec: str, tmp_path: Path) -> None:
    assert run(spec, "-f", "parquet", "-o", str(tmp_path / "tables")).exit_code == 0
    assert len(pd.read_parquet(tmp_path / "tables" / "records.parquet")) == 6
    result = run(spec, "-f", "parquet")
    assert result.exit_code == 2
    assert "parquet is a folder of tables: name it with --output" in result.stderr


def test_a_spec_that_cannot_be_read(spec: str) -> None:
    result = run("nowhere.json", spec, "-f", "dot")
    assert result.exit_code == 3
    assert result.stdout.startswith("digraph")
    assert run("nowhere.json", "-f", "dot").stdout == ""
