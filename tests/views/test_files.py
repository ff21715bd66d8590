"""Files for other programs, read back by those programs' own libraries where these are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import networkx as nx
import pandas as pd
import polars
import pyarrow as pa
import pytest
from pyarrow import parquet

import cachegraph as cg
from cachegraph.core.model import CacheExport
from cachegraph.errors import AccessError, DecodeError, UnknownNameError
from cachegraph.views.files import WRITERS, write_dot, write_graphml, write_json, write_parquet
from cachegraph.views.frames import FRAMES
from cachegraph.views.networkx import from_networkx

WHOLE = [
    "scratch-file-inline",
    "scratch-file-file-inline",
    "web-max",
    "web-min",
    "web-churn",
    "web-multi-inline",
    "nested-inline",
    "diff-chain-max",
    "wide-12-inline",
    "alternating-1",
]


def _frames(graph: cg.CacheGraph) -> dict[str, pd.DataFrame]:
    frames = {name: getattr(graph, name) for name in FRAMES}
    weighed = [name for name in frames["exports"].columns if name.endswith("_bytes")]  # of the config as it is encoded
    return frames | {"exports": frames["exports"].drop(columns=["loaded_at", *weighed])}


def _read(path: Path) -> nx.MultiDiGraph[str]:
    made: nx.MultiDiGraph[str] = nx.MultiDiGraph(nx.read_graphml(path, force_multigraph=True))
    return made


def _same(one: cg.CacheGraph, other: cg.CacheGraph) -> None:
    for (name, left), right in zip(_frames(one).items(), _frames(other).values(), strict=True):
        order = list(left.columns) if name == "inputs" else None
        left, right = (f.sort_values(order) if order else f.sort_index() for f in (left, right))
        pd.testing.assert_frame_equal(left.reset_index(drop=bool(order)), right.reset_index(drop=bool(order)))


@pytest.mark.parametrize("name", WHOLE)
def test_networkx_gives_the_exports_back(layouts: Path, name: str) -> None:
    graph = cg.load(str(layouts / name))
    exports, names = from_networkx(graph.to_networkx())
    again = cg.CacheGraph(exports, names)
    _same(graph, again)
    questions = ("missing-results", "unreachable-roots", "merge-subsets", "duplicate-keys", "legacy-misses")
    for question in questions:
        assert list(again.query(question)) == list(graph.query(question))


@pytest.mark.parametrize("name", WHOLE)
def test_graphml_gives_the_exports_back(layouts: Path, tmp_path: Path, name: str) -> None:
    graph = cg.load(str(layouts / name))
    write_graphml(graph.graphs, tmp_path / "cache.graphml")
    made = _read(tmp_path / "cache.graphml")
    assert made.number_of_nodes() == graph.to_networkx().number_of_nodes()
    assert made.number_of_edges() == graph.to_networkx().number_of_edges()
    _same(graph, cg.CacheGraph(*from_networkx(made)))


def test_several_exports_in_one_graph_come_back(fleet: cg.CacheGraph) -> None:
    _same(fleet, cg.CacheGraph(*from_networkx(fleet.to_networkx())))


def test_a_daemons_cache_comes_back(daemon: cg.CacheGraph) -> None:
    again = cg.CacheGraph(*from_networkx(daemon.to_networkx()))
    _same(daemon, again)
    assert list(again.unreachable_roots()) == list(daemon.unreachable_roots())


def test_graphml_properties_are_those_of_networkx(scratch: cg.CacheGraph, tmp_path: Path) -> None:
    write_graphml(scratch.graphs, tmp_path / "cache.graphml")
    read = _read(tmp_path / "cache.graphml")
    made = scratch.to_networkx()
    for _, properties in made.nodes(data=True):
        properties.pop("loaded_at", None)
    for key, properties in read.nodes(data=True):
        properties.pop("loaded_at", None)
        assert properties == made.nodes[key]
    assert json.loads(made.nodes[f"{scratch.graphs[0].id}/r1"]["lost_layers"]) == [2]


def test_a_hostile_name_fits_into_graphml(named: cg.CacheGraph, hostile: str, tmp_path: Path) -> None:
    write_graphml(named.graphs, tmp_path / "cache.graphml")
    made = _read(tmp_path / "cache.graphml")
    names = {properties.get("name") for _, properties in made.nodes(data=True)}
    assert hostile.replace("\x1b", "\N{REPLACEMENT CHARACTER}") in names


def test_what_was_not_promised_is_refused(scratch: cg.CacheGraph) -> None:
    with pytest.raises(DecodeError, match="only a part of it is there"):
        from_networkx(scratch.focus(4, up=0, down=1).to_networkx())
    with pytest.raises(DecodeError, match="BuildKit refuses this export"):
        from_networkx(cg.from_config(b'{"records": [{"inputs": [[{"link": 7}]]}]}').to_networkx())
    assert from_networkx(nx.MultiDiGraph()) == ([], from_networkx(nx.MultiDiGraph())[1])
    stranger: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    stranger.add_node("a", label="Export")
    with pytest.raises(DecodeError, match="the graph lacks 'importable'"):
        from_networkx(stranger)


def test_dot(named: cg.CacheGraph, tmp_path: Path) -> None:
    write_dot(named.graphs, tmp_path / "cache.dot")
    text = (tmp_path / "cache.dot").read_text("utf-8")
    id_ = named.graphs[0].id
    assert f'    "{id_}/r1" -> "{id_}/r2" [label="1"];' in text
    assert f'    "{id_}/r4" [label="4  diff", shape=ellipse, fillcolor="#009E73"' in text
    assert r'[label="1  <img src=x onerror=\"document.title=' in text
    assert text.count(" -> ") == 6


def test_dot_dashes_alternatives(layouts: Path, tmp_path: Path) -> None:
    graph = cg.load(str(layouts / "web-max"))
    write_dot(graph.graphs, tmp_path / "cache.dot")
    assert (tmp_path / "cache.dot").read_text("utf-8").count("style=dashed") == 8


def test_parquet(fleet: cg.CacheGraph, tmp_path: Path) -> None:
    write_parquet(fleet.graphs, tmp_path / "made" / "frames")
    for name, declared in FRAMES.items():
        read = pd.read_parquet(tmp_path / "made" / "frames" / f"{name}.parquet")
        assert set(read.columns) == {column.name for column in declared.columns}
        assert len(read) == len(getattr(fleet, name))
    records = pd.read_parquet(tmp_path / "made" / "frames" / "records.parquet")
    assert records["op"].value_counts()["merge"] == 13


@pytest.fixture
def folders(layouts: Path, tmp_path: Path) -> list[Path]:
    """Parquet of three refs, of which one has no results at all and one no time."""
    graphs = [cg.load(str(layouts / name)) for name in ("web-churn", "scratch-file-inline")]
    graphs.append(cg.from_config(b'{"records": [{"digest": "a"}]}'))
    made = [tmp_path / str(number) for number in range(len(graphs))]
    for graph, folder in zip(graphs, made, strict=True):
        write_parquet(graph.graphs, folder)
    return made


@pytest.mark.parametrize("name", FRAMES)
def test_parquet_of_several_exports_concatenates_in_pyarrow(folders: list[Path], name: str) -> None:
    tables = [parquet.read_table(folder / f"{name}.parquet") for folder in folders]
    assert pa.concat_tables(tables).num_rows == sum(table.num_rows for table in tables)
    assert tables[0].schema == tables[1].schema == tables[2].schema


@pytest.mark.parametrize("name", FRAMES)
def test_parquet_of_several_exports_concatenates_in_polars(folders: list[Path], name: str) -> None:
    tables = [polars.read_parquet(folder / f"{name}.parquet") for folder in folders]
    assert polars.concat(tables).height == sum(table.height for table in tables)
    if name == "results":
        assert polars.concat(tables)["created_at"].dtype == polars.Datetime("ns", "UTC")


@pytest.mark.parametrize("name", FRAMES)
def test_parquet_of_several_exports_concatenates_in_duckdb(folders: list[Path], name: str) -> None:
    files = [str(folder / f"{name}.parquet") for folder in folders]
    with duckdb.connect() as database:
        (together,) = database.execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchone() or (None,)
        each = [database.execute("SELECT count(*) FROM read_parquet(?)", [file]).fetchone() for file in files]
    assert together == sum(count for found in each for count in found or ())


def test_duckdb_joins_the_files(folders: list[Path]) -> None:
    question = """
        SELECT records.title, count(*) FROM read_parquet(?) AS inputs JOIN read_parquet(?) AS records
        ON inputs.record = records.id GROUP BY records.title ORDER BY ALL
    """
    files = [[str(folder / f"{name}.parquet") for folder in folders] for name in ("inputs", "records")]
    with duckdb.connect() as database:
        assert database.execute(question, files).fetchall() == [
            ("scratch-file-inline linux/amd64", 6),
            ("web-churn", 42),
        ]


def test_networkx_writes_its_own_graphml_and_ranks(fleet: cg.CacheGraph, tmp_path: Path) -> None:
    made = fleet.to_networkx()
    nx.write_graphml(made, tmp_path / "own.graphml")
    write_graphml(fleet.graphs, tmp_path / "ours.graphml")
    assert nx.utils.graphs_equal(_read(tmp_path / "own.graphml"), _read(tmp_path / "ours.graphml"))
    ranks = nx.pagerank(fleet.to_networkx(kinds=["Record"]))
    assert len(ranks) == len(fleet.records)
    assert sum(ranks.values()) == pytest.approx(1)


def test_some_kinds_of_nodes(fleet: cg.CacheGraph) -> None:
    made = fleet.to_networkx(kinds=["Record"])
    assert {properties["label"] for _, properties in made.nodes(data=True)} == {"Record"}
    assert set(nx.get_edge_attributes(made, "type").values()) == {"INPUT"}
    assert (made.number_of_nodes(), made.number_of_edges()) == (len(fleet.records), len(fleet.inputs))
    layered = fleet.to_networkx(["Layer", "Blob"])
    assert set(nx.get_edge_attributes(layered, "type").values()) == {"PARENT", "BLOB"}
    with pytest.raises(UnknownNameError, match=r"no label 'record' \(did you mean Record\?\)"):
        fleet.to_networkx(kinds=["record"])


def test_json(scratch: cg.CacheGraph, tmp_path: Path) -> None:
    write_json(scratch.graphs, tmp_path / "cache.json")
    document = json.loads((tmp_path / "cache.json").read_bytes())
    assert {label: len(nodes) for label, nodes in document["nodes"].items() if nodes} == {
        "Export": 1,
        "Record": 6,
        "Result": 3,
        "Layer": 4,
        "Blob": 4,
    }
    lost = document["nodes"]["Record"][1]
    assert (lost["root_reasons"], lost["lost_merge"], lost["lost_layers"]) == (["lost"], 2, [2])
    assert document["nodes"]["Result"][1]["created_at"] == "2026-11-23T20:36:07.319628274Z"
    assert document["nodes"]["Result"][0]["created_at"] is None
    assert len(document["relationships"]["INPUT"]) == 6


def test_a_file_that_cannot_be_written(scratch: cg.CacheGraph, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for write in WRITERS.values():
        with pytest.raises(AccessError, match="check that it can be written"):
            write(scratch.graphs, tmp_path / "file" / "below")


def test_an_empty_graph_is_written(tmp_path: Path) -> None:
    exports: list[CacheExport] = []
    for format_, write in WRITERS.items():
        write(cg.CacheGraph(exports).graphs, tmp_path / format_)
        assert (tmp_path / format_).exists()
