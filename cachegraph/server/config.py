"""The versions of Neo4j, and the settings and ports of a server."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from cachegraph.errors import StoreError
from cachegraph.server.home import HOST, Home, State
from cachegraph.server.places import write_private

__all__ = ["DEFAULT_VERSION", "RELEASES", "VERSIONS", "choose_port", "configure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Release:
    main: str
    settings: Mapping[str, str]


# A quiet period of none lets the server stop in half a second instead of ten.
RELEASES = {
    "5.26.30": _Release(
        main="org.neo4j.server.CommunityEntryPoint",
        settings={"internal.dbms.bolt.netty_server_shutdown_quiet_period": "0"},
    ),
    "2026.08.1": _Release(
        main="org.neo4j.server.Neo4jCommunity",
        settings={
            "internal.dbms.bolt.netty_server_shutdown_quiet_period_duration": "0s",
            "dbms.fleet_manager.enabled": "false",
            "server.fleet_discovery.enabled": "false",
            "server.http.x_forward.enabled": "false",
        },
    ),
}
"""For each version the class that starts it and the settings that only it knows."""
VERSIONS = tuple(RELEASES)
"""Versions of Neo4j that can be started, oldest first."""
DEFAULT_VERSION = VERSIONS[0]
"""The long-term support version."""


def choose_port(wanted: int | None, usual: tuple[int, ...]) -> int:
    """Give the wanted port; without one the first usual port that is free, else any that is.

    Raises
    ------
    cachegraph.errors.StoreError
        The wanted port is in use.
    """
    if wanted is None:
        return next(filter(_is_free, usual), None) or _any_free()
    if not _is_free(wanted):
        raise StoreError(f"{HOST}:{wanted}: the port is in use", hint="name another, or none to take a free one")
    return wanted


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def configure(home: Home, state: State) -> Mapping[str, str]:
    """Write ``neo4j.conf``: small, quiet, on loopback only.

    Parameters
    ----------
    home : Home
    state : State
        Version, ports, and the user's settings, which win over these.

    Returns
    -------
    mapping of str to str
        All settings; those of the heap are for the command line, which is the only place where they work.
    """
    settings = {
        "server.default_listen_address": HOST,
        "server.bolt.listen_address": f"{HOST}:{state.bolt_port}",
        "server.bolt.advertised_address": f"{HOST}:{state.bolt_port}",
        "server.http.enabled": "false",
        "server.https.enabled": "false",
        "server.memory.heap.initial_size": "256m",
        "server.memory.heap.max_size": "1g",
        "server.memory.pagecache.size": "256m",
        "db.tx_log.preallocate": "false",  # Else an empty server takes 512 MB of disk.
        "dbms.usage_report.enabled": "false",
        "client.allow_telemetry": "false",
        **RELEASES[state.version].settings,
    }
    if state.http_port is not None:
        address = f"{HOST}:{state.http_port}"
        settings |= {
            "server.http.enabled": "true",
            "server.http.listen_address": address,
            "server.http.advertised_address": address,
        }
    settings |= state.settings
    lines = [f"{key}={value}\n" for key, value in settings.items()]
    write_private(home.conf / "neo4j.conf", "# Written again at each start.\n" + "".join(lines))
    return settings
