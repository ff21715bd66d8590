"""A server that is killed and a disk that is full: nothing half-loaded is seen, and the next run ends well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest


@pytest.fixture(scope="module")
def seen(neo4j_jars: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `tests.stores.full_disk` saw, in a namespace of its own where it may mount a small disk."""
    folder = tmp_path_factory.mktemp("disk")
    spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    spaces += ["--map-root-user"] if os.getuid() else []
    if subprocess.run([*spaces, "mount", "-t", "tmpfs", "tmpfs", folder], check=False).returncode:
        pytest.fail("a small disk cannot be made: run as root, or allow user namespaces")
    words = [*spaces, sys.executable, "-m", "tests.stores.full_disk", str(folder)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=590, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")  # no word of the driver's, either
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_a_server_that_dies_ends_the_load_soon_in_one_line_with_a_summary(seen: dict[str, Any]) -> None:
    died = seen["died"]
    assert "no Neo4j answers: " in died["said"]
    assert died["said"].count("\n") == 0
    assert died["stopped"] == died["said"]
    assert died["seconds"] < 20
    assert (died["created"], died["unloaded"]) == (1, ["ref 2"])


def test_a_server_that_is_killed_and_started_again_costs_the_load_nothing_but_time(seen: dict[str, Any]) -> None:
    assert seen["survived"] == [[1, 1, 0]]
    assert seen["contents"] is True


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


def test_with_room_it_starts_again_with_all_that_was_loaded_and_nothing_half(seen: dict[str, Any]) -> None:
    assert seen["visible"] == 3 + seen["full"]["created"]
    assert seen["equal"] is True
    assert seen["again"] == 1
