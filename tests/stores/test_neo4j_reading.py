"""An export that is read back equals the one that was loaded, and history and differences come from there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UnknownNameError
from cachegraph.loaders import catalogue
from cachegraph.server import Login
from cachegraph.solver.diff import diff
from cachegraph.stores.neo4j import Neo4jStore


def test_every_real_export_comes_back_as_it_was(store: Neo4jStore, layouts: Path) -> None:
    folders = sorted(str(layout) for layout in layouts.iterdir())
    graphs = [ExportGraph(export) for export in catalogue.load(folders).exports]
    assert len(graphs) > 20
    store.write(graphs)
    for graph in graphs:
        back = store.graph(graph.id)
        assert back.id == graph.id
        assert [record.digest for record in back.export.config.records] == [
            record.digest for record in graph.export.config.records
        ]
        assert back.key_ids == graph.key_ids
        assert list(back.loadable) == list(graph.loadable)
        assert list(back.result_times) == list(graph.result_times)
        assert [back.result_layers(r) for r in range(len(back.columns.is_chain))] == [
            graph.result_layers(r) for r in range(len(graph.columns.is_chain))
        ]
        assert back.import_error == graph.import_error
        assert back.sizes == graph.sizes
        assert not diff([graph], [back])
    with pytest.raises(UnknownNameError, match="no export has the id 'nothing'"):
        store.graph("nothing")


# --- The commands -----------------------------------------------------------------------------------------------------


@pytest.fixture
def server(clean_neo4j: Login, monkeypatch: pytest.MonkeyPatch) -> Login:
    """Give an empty server that the environment names."""
    monkeypatch.setenv("NEO4J_URI", clean_neo4j.uri)
    monkeypatch.setenv("NEO4J_USERNAME", clean_neo4j.username)
    monkeypatch.setenv("NEO4J_PASSWORD", clean_neo4j.password)
    return clean_neo4j


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


def answer(*args: str) -> dict[str, Any]:
    result = run(*args, "--format", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture
def cache(tmp_path: Path, layouts: Path) -> Callable[[str], str]:
    """A directory that is written anew: ``cache(name)`` puts an export there, and nothing of those before."""

    def put(name: str) -> str:
        folder = tmp_path / "cache"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(layouts / name, folder)
        index = json.loads((folder / "index.json").read_bytes())
        for one in index["manifests"]:
            one.setdefault("annotations", {})["org.opencontainers.image.ref.name"] = "latest"
        (folder / "index.json").write_text(json.dumps(index))
        return str(folder)

    return put


def test_the_history_of_a_ref_is_that_of_its_exports(server: Login, cache: Callable[[str], str], layouts: Path) -> None:
    names = ("scratch-file-max", "web-max", "web-churn")
    for name in names:
        spec = cache(name)
        assert run("load", spec, "--neo4j").exit_code == 0
    stored = answer("history", spec, "--neo4j")
    read = answer("history", *(str(layouts / name) for name in names))
    for found in (stored, read):
        for point in found["exports"]:
            del point["source"]
    assert stored == read
    assert [point["loadable"] for point in stored["exports"]] == [3, 13, 13]
    rows = json.loads(run("history", "--neo4j", "--format", "json").stdout)
    assert [(row["steps"], row["loadable"]) for row in rows] == [
        (one["steps"], one["loadable"]) for one in stored["exports"]
    ]
    table = run("history", "--neo4j").stdout
    assert "coverage" in table
    assert [line.split()[-1] for line in table.splitlines()[-3:]] == ["100%", "100%", "100%"]
    refused = run("history", spec, "--neo4j", "--probe")
    assert refused.exit_code == 2
    assert "--probe cannot be used here: --neo4j asks what was loaded." in refused.stderr


def test_what_a_ref_was_before_is_its_current_export_or_the_one_before(
    server: Login, cache: Callable[[str], str], layouts: Path
) -> None:
    one, two = (str(layouts / name) for name in ("web-max", "web-churn"))
    spec = cache("web-max")
    run("load", spec, "--neo4j")
    expected = answer("diff", one, two)
    assert expected["changes"]
    cache("web-churn")  # not loaded yet: compared with what is current
    keys = ("summary", "same", "changes")
    assert {key: answer("diff", spec, "--neo4j")[key] for key in keys} == {key: expected[key] for key in keys}
    missed = answer_list("explain", spec, "--neo4j")
    assert missed[0]["causes"] == answer_list("explain", two, "--cache-from", one)[0]["causes"]
    run("load", spec, "--neo4j")  # now it is the current one itself
    assert {key: answer("diff", spec, "--neo4j")[key] for key in keys} == {key: expected[key] for key in keys}
    gone = run("diff", f"{spec}^1", spec, "--neo4j")
    assert gone.exit_code == 3
    assert "Neo4j holds no earlier export of it to compare with" in gone.stderr


def test_without_a_server_the_database_is_of_no_use(layouts: Path) -> None:
    for command in (("diff",), ("explain",), ("history",)):
        refused = run(*command, str(layouts / "web-max"), "--database", "x")
        assert refused.exit_code == 2
        assert "--database cannot be used here: the SPECs are read without a server. Give --neo4j." in refused.stderr


def answer_list(*args: str) -> list[dict[str, Any]]:
    result = run(*args, "--format", "json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found
