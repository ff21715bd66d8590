"""Every way in which a server can refuse gives one line that tells what to do, and never a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheConfig, CacheExport
from cachegraph.errors import CacheGraphError, StoreError, UnknownNameError, UsageError
from cachegraph.server import Login, down, up
from cachegraph.server.config import choose_port
from cachegraph.stores.neo4j import Neo4jStore
from cachegraph.stores.neo4j.addresses import check_agent

SECRET = "correct-horse-battery"


def line(error: pytest.ExceptionInfo[CacheGraphError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert SECRET not in text
    assert SECRET not in repr(error.value)
    return text


def test_no_server() -> None:
    port = choose_port(None, ())
    with pytest.raises(StoreError) as error:
        Neo4jStore.connect(f"bolt://127.0.0.1:{port}", ("neo4j", SECRET))
    assert line(error).startswith(f"bolt://127.0.0.1:{port}: no Neo4j answers: ")
    assert "start one with `cachegraph neo4j up`" in line(error)


def test_wrong_password(neo4j_server: Login) -> None:
    with pytest.raises(StoreError) as error:
        Neo4jStore.connect(neo4j_server.uri, ("neo4j", SECRET))
    said = f"{neo4j_server.uri}: wrong user, password or token (check NEO4J_USERNAME and NEO4J_PASSWORD)"
    assert line(error) == said


def test_no_password_and_a_token_that_nobody_knows(neo4j_server: Login) -> None:
    for auth in (None, SECRET):
        with pytest.raises(StoreError) as error:
            Neo4jStore.connect(neo4j_server.uri, auth)
        assert line(error).startswith(neo4j_server.uri)


def test_wrong_database(neo4j_server: Login) -> None:
    with pytest.raises(StoreError) as error:
        Neo4jStore.connect(neo4j_server.uri, (neo4j_server.username, neo4j_server.password), "nowhere")
    assert line(error) == f"{neo4j_server.uri}: there is no database 'nowhere' (check NEO4J_DATABASE)"


def test_tls_that_the_server_does_not_speak(neo4j_server: Login) -> None:
    uri = neo4j_server.uri.replace("bolt://", "bolt+ssc://")
    with pytest.raises(StoreError) as error:
        Neo4jStore.connect(uri, (neo4j_server.username, SECRET))
    assert line(error).startswith(f"{uri}: no Neo4j answers: ")


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_both_kinds_of_uri_work(neo4j_server: Login, scheme: str) -> None:
    uri = neo4j_server.uri.replace("bolt", scheme)
    with Neo4jStore.connect(uri, (neo4j_server.username, neo4j_server.password), "neo4j") as store:
        assert store.run("RETURN 1 AS one").rows == ((1,),)
        assert repr(store) == f"<Neo4jStore: <Neo4j {uri} neo4j>>"


def test_the_environment_fills_in(neo4j_server: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", neo4j_server.uri)
    monkeypatch.setenv("NEO4J_USERNAME", neo4j_server.username)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
    monkeypatch.setenv("NEO4J_DATABASE", "neo4j")
    with Neo4jStore.connect() as store:
        assert store.status().database == "neo4j"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://localhost", "http://localhost: no Neo4j URI, which starts with one of neo4j://"),
        ("localhost:7687", "no Neo4j URI"),
        (f"bolt://neo4j:{SECRET}@localhost", "bolt://localhost: a URI must not hold credentials"),
        ("bolt://localhost:port", "the Neo4j URI is not a URI"),
    ],
)
def test_addresses_that_are_none(uri: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        Neo4jStore.connect(uri)
    assert said in line(error)


@pytest.mark.parametrize("agent", ["Neo4j/4.4.11", "Neo4j/5.25.1", "Neo4j/v5.11.0 compatible graph database server"])
def test_a_server_that_is_too_old(agent: str) -> None:
    with pytest.raises(StoreError, match=r"and Neo4j 5\.26 or newer is needed \(upgrade it\)"):
        check_agent(agent, "bolt://localhost")
    check_agent("Neo4j/5.26.0", "bolt://localhost")
    check_agent("Neo4j/2026.08.1", "bolt://localhost")


def test_statements_that_are_wrong(store: Neo4jStore) -> None:
    with pytest.raises(StoreError) as error:
        store.run("MATCH (n RETURN n")
    assert "Invalid input 'RETURN'" in line(error)
    with pytest.raises(StoreError) as error:
        store.run("CREATE (n:Record {id: 'x'})")
    assert "the query writes, and this is for reading (say that it may: --write, or write=True)" in line(error)
    store.run("CREATE (n:Record {id: 'x'})", write=True)
    assert store.run("MATCH (n:Record) RETURN n, date('2026-01-02') AS day").rows == (({"id": "x"}, "2026-01-02"),)


def test_an_export_that_is_not_there(store: Neo4jStore) -> None:
    with pytest.raises(UnknownNameError) as error:
        store.ask("missing-results", "nothing")
    assert "no export has the id or source 'nothing' (load it first)" in line(error)


@pytest.fixture
def read_only(home: Path) -> Login:
    """A server whose database may only be read, which is how rights end in the Community edition."""
    up(home=home, port=choose_port(None, ()))  # the first start makes the database
    down(home=home)
    return up(home=home, settings={"server.databases.default_to_read_only": "true"})


def test_missing_rights(read_only: Login) -> None:
    export = CacheExport(source="x", kind="config", config=CacheConfig(), config_digest="", config_bytes=0)
    with (
        Neo4jStore.connect(read_only.uri, (read_only.username, read_only.password)) as store,
        pytest.raises(StoreError) as error,
    ):
        store.write([ExportGraph(export)])
    assert "missing rights: the user may not do this in the home database, or it is read-only" in line(error)
