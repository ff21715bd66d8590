"""Room on the server's disk, and what its log says of a database that does not answer."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from cachegraph.errors import StoreError
from cachegraph.server import space
from cachegraph.server.home import Home, State
from cachegraph.server.space import ailing, ailment, check_start, free_bytes, means_full_disk

FULL = (
    "System is out of disk space for store file at: /data/neostore. To be able to proceed please allocate more disk "
    "space for the database and restart. Call error: ErrorCode=28, errorMessage='No space left on device'"
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A server's directory, started at 12:00."""
    for name in ("logs", "run"):
        (tmp_path / name).mkdir()
    (tmp_path / "run" / "server.args").touch()
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
    os.utime(tmp_path / "run" / "server.args", (noon, noon))
    return tmp_path


def log(home: Path, *lines: str) -> None:
    (home / "logs" / "debug.log").write_text("\n".join(lines))


def panic(time: str, cause: str) -> tuple[str, ...]:
    return (
        f"2026-11-25 {time}.047+0000 ERROR [o.n.m.DatabaseHealth] [neo4j/ec8e8265] Database panic: It has to restart.",
        "java.lang.RuntimeException: outer",
        "\tat org.neo4j.Somewhere.else(Somewhere.java:1)",
        f"Caused by: org.neo4j.exceptions.UnderlyingStorageException: x.y.Inner: {cause}",
        f"Caused by: org.neo4j.io.pagecache.Inner: {cause}",
        f"2026-11-25 {time}.050+0000 INFO  [o.n.k.Other] Caused by: nothing at all",
    )


def test_the_innermost_cause_of_the_newest_error_since_the_start(home: Path) -> None:
    assert ailment(home) is None
    log(home, *panic("11:00:00", "an older one"))
    assert ailment(home) is None  # of the run before
    log(home, *panic("12:00:01", "the disk burns"), *panic("12:00:02", "the disk has burnt down"))
    assert ailment(home) == "the disk has burnt down"
    # What follows from a full disk does not hide it.
    log(home, *panic("12:00:01", FULL), *panic("12:00:02", "the database needs to be restarted"))
    found = ailment(home)
    assert found is not None
    assert found == FULL
    assert means_full_disk(found)
    assert not means_full_disk("the disk has burnt down")


def test_without_room_for_a_log_the_room_itself_says_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = free_bytes(home)
    assert free is not None
    assert ailing(home) is None
    check_start(home)
    monkeypatch.setattr(space, "START", 1 << 60)
    found = ailing(home)
    assert found is not None
    assert found.startswith("no space left on its disk: ")
    assert means_full_disk(found)
    with pytest.raises(StoreError, match=rf"^{home}: disk full: .* left, and Neo4j needs .* to start \(free some"):
        check_start(home)
    assert free_bytes(home / "nowhere") is None
    check_start(home / "nowhere")  # nobody can tell


def test_on_a_full_disk_a_shorter_state_is_written_over_the_longer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Home(tmp_path)
    state = State(version="5.26.30", bolt_port=7687, http_port=None, settings={}, pid=1, ready=True)
    place.write(state)

    def full(path: Path, text: str) -> None:
        path.with_name(f"{path.name}.partial").touch()
        raise StoreError(f"{path}: cannot be written: No space left on device")

    monkeypatch.setattr("cachegraph.server.home.write_private", full)
    place.write(replace(state, pid=None))
    assert place.read() == replace(state, pid=None)
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    with pytest.raises(StoreError, match="No space left"):
        place.write(replace(state, settings={"a": "b" * 100}))
    assert place.read() == replace(state, pid=None)
