"""A server on a disk of its own that is killed, and whose disk is filled; prints what was seen as JSON.

    unshare --mount --pid --fork --kill-child --mount-proc python -m tests.stores.full_disk FOLDER

It mounts a small tmpfs on the folder, which nothing outside of its namespace sees.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from cachegraph.errors import StoreError
from cachegraph.server import Running, down, logs, space, status, up
from cachegraph.server.config import choose_port
from cachegraph.stores.neo4j import Neo4jStore, StoppedError, connection
from tests.servers import neo4j  # noqa: F401 - for a Java that costs little
from tests.stores.test_neo4j_loading import dump, made

MIB = 1 << 20


def main() -> None:
    disk = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(disk)], check=True)
    space.RESERVE, space.START = 24 * MIB, 8 * MIB  # a small disk, and a small store
    home = disk / "neo4j"
    port = choose_port(None, ())
    try:
        seen = {**restarted(home, port), **full(home, disk / "filler"), **killed(home)}
    finally:
        down(home=home)
    print(json.dumps(seen))


def stopped(work: Callable[[], object]) -> dict[str, Any]:
    """Do what must stop, and tell how."""
    began = time.monotonic()
    try:
        work()
    except StoppedError as error:
        summary = error.summary
        return {
            "said": str(error),
            "seconds": time.monotonic() - began,
            "created": summary.created,
            "unloaded": list(summary.unloaded),
            "stopped": str(summary.stopped),
        }
    return {"said": None}


def opened(server: Running) -> Neo4jStore:
    """Connect as `Neo4jStore.connect` does to the user's own server."""
    auth = (server.username, server.password)
    return Neo4jStore(connection.Connection(server.uri, auth, None, server.home))


def restarted(home: Path, port: int) -> dict[str, Any]:
    """Kill the server in the middle of a load, and start it again."""
    server = up(home=home, port=port)
    connection._RETRY = 200.0
    with opened(server) as store:
        store.write([made(1)])
        begun = threading.Event()
        ended: list[Any] = []

        def load() -> None:
            done = store.write([made(0), made(2)], batch=100, lease=0.5, report=killer(server, 2, begun))
            ended.append((done.created, done.unchanged, len(done.failed)))

        thread = threading.Thread(target=load)
        thread.start()
        begun.wait(60)
        up(home=home)
        thread.join(200)
        return {"survived": ended, "contents": dump(store)}


def killed(home: Path) -> dict[str, Any]:
    """Kill the server in the middle of a load for good."""
    server = up(home=home)
    connection._RETRY = 3.0
    with opened(server) as store:
        return {"died": stopped(lambda: store.write([made(500), made(501)], batch=100, report=killer(server, 501)))}


def killer(server: Running, number: int, done: threading.Event | None = None) -> Callable[[str, int, int | None], None]:
    """Kill the server after the third batch of an export."""
    told: list[str] = []

    def report(what: str, *_: object) -> None:
        told.append(what)
        if told.count(f"loading ref {number}") == 3:
            os.kill(server.pid, signal.SIGKILL)
            psutil.wait_procs([psutil.Process(server.pid)], timeout=10)
            if done:
                done.set()

    return report


def full(home: Path, filler: Path) -> dict[str, Any]:
    """Fill the disk: as far as a load notices by itself, and then until the database stops."""
    seen: dict[str, Any] = {}
    server = up(home=home)
    with opened(server) as store:
        before = dump(store)
        fill(filler, 16 * MIB)
        seen["watched"] = stopped(lambda: store.write([made(3)]))
        seen["watched outcome"] = store.run("MATCH (r:Run) RETURN r.outcome ORDER BY r.began_at DESC LIMIT 1").rows
        seen["prune when full"] = store.prune().abandoned
        filler.unlink()
        seen["watched, then room"] = store.write([made(3)]).created
        store.forget("ref 3")
        store.prune()
        seen["as before"] = dump(store) == before
        space.RESERVE = 0  # as if another program took the room
        fill(filler, 2 * MIB)
        seen["full"] = stopped(lambda: store.write(map(made, range(4, 400))))
        seen["full again"] = stopped(lambda: store.write([made(3)]))
    found = status(home=home)
    seen["status"] = [found.running is not None, found.answers, found.ailment]
    seen["logs"] = logs(1, home=home)
    seen["up"] = refused(lambda: up(home=home))
    seen["down"] = down(home=home)
    seen["crashed"] = status(home=home).crashed
    fill(filler, 0)
    seen["up when full"] = refused(lambda: up(home=home))
    filler.unlink()
    space.RESERVE = 24 * MIB
    server = up(home=home)
    with opened(server) as store:
        seen["visible"] = sorted(int(export.source.removeprefix("ref ")) for export in store.exports())
        seen["abandoned"] = store.prune().abandoned  # what the dead load left
        seen["whole"] = dump(store)
        seen["again"] = store.write([made(3)]).created
    return seen


def refused(work: Callable[[], object]) -> str | None:
    try:
        work()
    except StoreError as error:
        return str(error)
    return None


def fill(filler: Path, left: int) -> None:
    """Take all of the disk but so many bytes."""
    free = space.free_bytes(filler.parent) or 0
    try:
        with filler.open("ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), max(free - left, 4096))
    except OSError:
        if left:
            raise


if __name__ == "__main__":
    main()
