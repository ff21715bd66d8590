"""Which process of a parallel run takes which tests: a server is started once, and long work comes first."""

from __future__ import annotations

import re

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from cachegraph.server import DEFAULT_VERSION, VERSIONS

_VERSION = re.compile(rf"[\[-]({'|'.join(map(re.escape, VERSIONS))})[]-]")
_ALIKE = {"tests/server/": DEFAULT_VERSION, "tests/stores/": DEFAULT_VERSION, "tests/views/test_": "views"}
_LONG = [*VERSIONS, "views"]


def unit(nodeid: str) -> str:
    """Name what goes to one process as a whole: a version of Neo4j, the views with their browser, or a file.

    A process of xdist's tells another no more of a test than its id, which has the version where there is a choice.
    """
    if version := _VERSION.search(nodeid):
        return version[1]
    path = nodeid.partition("::")[0]
    return next((name for start, name in _ALIKE.items() if path.startswith(start)), path)


class Sharing(LoadFileScheduling):  # type: ignore[misc] # xdist comes without types
    """By file, and so that no two processes start the same server."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    return Sharing(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process is left alone with it at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def rank(item: pytest.Item) -> int:
        name = unit(item.nodeid)
        return _LONG.index(name) if name in _LONG else len(_LONG) + (item.path not in slow)

    items.sort(key=rank)
