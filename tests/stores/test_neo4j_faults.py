"""A server that is killed and a disk that is full: nothing half-loaded is seen, and the next run ends well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from cachegraph.server import DEFAULT_VERSION, Login
from cachegraph.stores.neo4j import Neo4jStore
from tests.stores.test_neo4j_loading import dump, emptied, made


@pytest.fixture(scope="module")
def seen(neo4j_jars: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `tests.stores.full_disk` saw, in a namespace of its own where it may mount a small disk."""
    folder = tmp_path_factory.mktemp("disk")
    spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    spaces += ["--map-root-user"] if os.getuid() else []
    if subprocess.run([*spaces, "mount", "-t", "tmpfs", "tmpfs", folder], check=False).returncode:
        # Nothing else makes a disk that is really full.
        pytest.skip("this machine mounts no small disk: run as root, or allow user namespaces")
    words = [*spaces, sys.executable, "-m", "tests.stores.full_disk", str(folder)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=590, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")  # no word of the driver's, either
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.fixture(scope="module")
def clean(neo4j_servers: Callable[[str], Login]) -> Callable[[Iterable[int]], dict[str, list[Any]]]:
    """What loads without a fault make: ``clean(numbers)``."""

    def contents(numbers: Iterable[int]) -> dict[str, list[Any]]:
        server = neo4j_servers(DEFAULT_VERSION)
        with Neo4jStore.connect(server.uri, (server.username, server.password)) as store:
            emptied(store)
            store.write(map(made, numbers))
            found: dict[str, list[Any]] = json.loads(json.dumps(dump(store)))
            return found

    return contents


Clean = Callable[[Iterable[int]], dict[str, list[Any]]]


def test_a_server_that_dies_ends_the_load_soon_in_one_line_with_a_summary(seen: dict[str, Any]) -> None:
    died = seen["died"]
    assert "no Neo4j answers: " in died["said"]
    assert died["said"].count("\n") == 0
    assert died["stopped"] == died["said"]
    assert died["seconds"] < 20
    assert (died["created"], died["unloaded"]) == (1, ["ref 501"])


def test_a_server_that_is_killed_and_started_again_costs_the_load_nothing_but_time(
    seen: dict[str, Any], clean: Clean
) -> None:
    assert seen["survived"] == [[2, 0, 0]]
    assert seen["contents"] == clean((0, 1, 2))


def test_a_load_stops_before_the_disk_is_full(seen: dict[str, Any]) -> None:
    assert "disk full: " in seen["watched"]["said"]
    assert "are kept free so that Neo4j goes on working (free some space on that disk)" in seen["watched"]["said"]
    assert (seen["watched"]["unloaded"], seen["watched outcome"]) == (["ref 3"], [["stopped"]])
    assert seen["prune when full"] == 0
    assert (seen["watched, then room"], seen["as before"]) == (1, True)


def test_a_database_that_stopped_because_the_disk_is_full_is_told_everywhere(seen: dict[str, Any]) -> None:
    assert "disk full on the server, its database has stopped (free some space on that disk" in seen["full"]["said"]
    assert "disk full on the server" in seen["full again"]["said"]
    assert seen["full again"]["seconds"] < 30
    running, answers, ailment = seen["status"]
    assert (running, answers) == (True, False)
    assert "space" in ailment
    assert seen["logs"] == [f"reason: {ailment}"]
    assert "runs, but its database does not answer: disk full: " in seen["up"]
    assert (seen["down"], seen["crashed"]) == (True, False)
    assert "disk full" in seen["up when full"]


def test_with_room_it_starts_again_with_all_that_was_loaded_and_nothing_half(
    seen: dict[str, Any], clean: Clean
) -> None:
    created = seen["full"]["created"]
    assert created > 0
    assert seen["visible"] == [0, 1, 2, *range(4, 4 + created)]
    assert seen["abandoned"] == 1
    assert without_looks(seen["whole"]) == without_looks(clean(seen["visible"]))
    assert seen["again"] == 1


def without_looks(found: dict[str, list[Any]]) -> list[Any]:
    """Leave out the sources: what a load that stopped had seen was not written."""
    return [[node for node in found["nodes"] if node[0] != ["Source"]], found["ties"]]
