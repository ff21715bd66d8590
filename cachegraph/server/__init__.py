"""A Neo4j in one command: downloads, starts and stops a real Neo4j Community server of the user's own.

>>> from cachegraph.server import down, up
>>> server = up()  # doctest: +SKIP
>>> server.uri  # doctest: +SKIP
'bolt://127.0.0.1:7687'
>>> down()  # doctest: +SKIP
True
"""

from __future__ import annotations

from cachegraph.server.config import DEFAULT_VERSION, VERSIONS
from cachegraph.server.home import Login, Running, Status
from cachegraph.server.lifecycle import down, logs, running, status, up
from cachegraph.server.shell import cypher_shell

__all__ = [
    "DEFAULT_VERSION",
    "VERSIONS",
    "Login",
    "Running",
    "Status",
    "cypher_shell",
    "down",
    "logs",
    "running",
    "status",
    "up",
]
