"""A real explorer on loopback."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
import uvicorn

import cachegraph as cg
from cachegraph.explorer.app import make_app
from cachegraph.explorer.fleet import Fleet
from cachegraph.explorer.shelf import Shelf


class Served:
    """A server that is up, and what it answers."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._pool = urllib3.PoolManager()

    def ask(self, path: str, method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
        return self._pool.request(method, self.address + path, headers=headers, retries=False, timeout=30)

    def json(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self.ask(path).data)


@contextmanager
def serving(graph: cg.CacheGraph, fleet: Fleet | None = None) -> Iterator[Served]:
    """Serve exports for a while."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(make_app(Shelf(graph), fleet), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield Served(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def graph(layouts: Path) -> cg.CacheGraph:
    """Three exports: one whole, and two halves of an inline one."""
    return cg.load([str(layouts / "web-max"), str(layouts / "web-multi-inline")])


@pytest.fixture(scope="session")
def explorer(graph: cg.CacheGraph) -> Iterator[Served]:
    """An explorer of them."""
    with serving(graph) as served:
        yield served
