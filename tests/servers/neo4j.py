"""Real Neo4j servers for the tests: one of each version for a run, started when the first test asks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import neo4j
import pytest
from filelock import FileLock

from cachegraph.server import VERSIONS, Login, Running, down, java, up
from cachegraph.server.config import choose_port
from cachegraph.stores.neo4j import Neo4jStore
from tests.servers.programs import LOCKS, missing_jars

# These servers live for minutes: Java's second compiler and its many collectors take more time than they save.
java._FLAGS += ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")

# Points the tests at another server instead; everything in it is deleted.
_OTHER = os.environ.get("NEO4J_TEST_URI")


@pytest.fixture(scope="session")
def neo4j_jars() -> None:
    """The jars of Neo4j are there; tests fetch none."""
    if any(missing_jars(lock) for lock in LOCKS):
        pytest.fail("the jars of Neo4j are not there yet: make servers")


@pytest.fixture(scope="session")
def neo4j_servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Login]]:
    """Gives the server of a version, started at the first call."""
    started: dict[str, Running] = {}

    def server(version: str) -> Login:
        if _OTHER:
            username = os.environ.get("NEO4J_TEST_USERNAME", "neo4j")
            return Login(uri=_OTHER, username=username, password=os.environ.get("NEO4J_TEST_PASSWORD", ""))
        if version not in started:
            request.getfixturevalue("neo4j_jars")
            # Not the usual port, which a server of the user's own may want meanwhile.
            started[version] = up(version, home=tmp_path_factory.mktemp("neo4j"), port=choose_port(None, ()))
        return started[version]

    yield server
    for running in started.values():
        down(home=running.home)


@pytest.fixture(scope="session", params=["other"] if _OTHER else VERSIONS)
def neo4j_server(request: pytest.FixtureRequest, neo4j_servers: Callable[[str], Login]) -> Login:
    """A server, of each version in turn."""
    return neo4j_servers(request.param)


@pytest.fixture
def clean_neo4j(neo4j_server: Login) -> Login:
    """A server, of each version in turn, without nodes; constraints, indexes and plans of earlier tests stay."""
    auth = (neo4j_server.username, neo4j_server.password)
    with neo4j.GraphDatabase.driver(neo4j_server.uri, auth=auth) as driver, driver.session() as session:
        session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS").consume()
    return neo4j_server


@pytest.fixture
def empty_neo4j(clean_neo4j: Login) -> Login:
    """A server, of each version in turn, without nodes, constraints and indexes."""
    auth = (clean_neo4j.username, clean_neo4j.password)
    with neo4j.GraphDatabase.driver(clean_neo4j.uri, auth=auth) as driver, driver.session() as session:
        for (name,) in session.run("SHOW CONSTRAINTS YIELD name").values():
            session.run(f"DROP CONSTRAINT `{name}`").consume()
        for (name,) in session.run("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name").values():
            session.run(f"DROP INDEX `{name}`").consume()
    return clean_neo4j


@contextmanager
def usual_port() -> Iterator[None]:
    """Have Neo4j's usual port, which a server of one's own takes, to oneself among the processes of the tests."""
    with FileLock(Path(tempfile.gettempdir()) / f"cachegraph-tests-{os.getuid()}.lock"):
        yield


@pytest.fixture
def home(neo4j_jars: None, tmp_path: Path) -> Iterator[Path]:
    """A place for a server of the test's own, which is stopped at its end."""
    with usual_port():
        yield tmp_path / "neo4j"
        if (tmp_path / "neo4j").is_dir():
            down(home=tmp_path / "neo4j")


@pytest.fixture
def store(clean_neo4j: Login) -> Iterator[Neo4jStore]:
    """An empty store on a server, of each version in turn."""
    auth = (clean_neo4j.username, clean_neo4j.password)
    with Neo4jStore.connect(clean_neo4j.uri, auth) as connected:
        yield connected
