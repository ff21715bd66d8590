"""Which server is meant: its address and credentials, as given, from the environment, or the user's own."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cachegraph.errors import MissingExtraError, StoreError, UsageError

if TYPE_CHECKING:
    from cachegraph.server import Running

__all__ = ["OLDEST", "Auth", "check_agent", "checked", "environment"]

Auth = tuple[str, str] | str | None
"""User and password, a bearer token, or nothing."""

OLDEST = (5, 26)
"""The oldest version of Neo4j that is supported: the long-term support release."""

_SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")


def environment(uri: str | None, auth: Auth, database: str | None) -> tuple[str, Auth, str | None, Path | None]:
    """Fill in what was not given: from the environment, else from the user's own running server.

    Returns
    -------
    tuple of (str, auth, str or None, Path or None)
        Address, credentials, database, and the directory of the server if it is the user's own.

    Raises
    ------
    StoreError
        There is neither.
    """
    database = database or os.environ.get("NEO4J_DATABASE")
    if auth is None and (password := os.environ.get("NEO4J_PASSWORD")) is not None:
        auth = (os.environ.get("NEO4J_USERNAME") or "neo4j", password)
    if found := uri or os.environ.get("NEO4J_URI"):
        return found, auth, database, _home_of(found)
    server = _own()
    if server is None:
        raise StoreError("no Neo4j is known", hint="set NEO4J_URI, or start one with `cachegraph neo4j up`")
    return server.uri, (server.username, server.password), database, server.home


def _home_of(uri: str) -> Path | None:
    """Give the directory of a server that is the user's own after all."""
    if not re.search(r"//(localhost|127\.0\.0\.1)\b", uri):
        return None
    own = _own()
    return own.home if own and own.uri.rpartition(":")[2] == uri.rpartition(":")[2] else None


def _own() -> Running | None:
    """Find the server that ``cachegraph neo4j up`` started, if it runs."""
    from cachegraph.server import running

    try:
        return running()
    except MissingExtraError:
        return None


def checked(uri: str) -> str:
    """Give the address without anything secret; refuse what is none."""
    try:
        parts = urlsplit(uri)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        place = f"{parts.scheme}://{host or ''}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        raise UsageError("the Neo4j URI is not a URI", hint="such as neo4j://localhost:7687") from None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        allowed = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        raise UsageError(f"{place}: no Neo4j URI, which starts with one of {allowed}", hint="neo4j://localhost:7687")
    if parts.username or parts.password:
        raise UsageError(f"{place}: a URI must not hold credentials", hint="use NEO4J_USERNAME and NEO4J_PASSWORD")
    return place


def check_agent(agent: str, place: str) -> None:
    """Refuse a server that is too old.

    Parameters
    ----------
    agent : str
        What the server calls itself, such as ``Neo4j/5.26.30``.
    place : str
        Its address.

    Raises
    ------
    StoreError
    """
    found = re.match(r"Neo4j/(\d+)\.(\d+)", agent)
    if not found or (int(found[1]), int(found[2])) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise StoreError(f"{place}: the server is {agent}, and Neo4j {wanted} or newer is needed", hint="upgrade it")
