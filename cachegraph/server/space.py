"""Room on the server's disk, and what its log says of a database that does not answer.

A Neo4j whose disk is full stops its database until it is started again, and does not start while there is no room: it
writes its log first. So the room is watched, and what its own words leave out is read from its log.
"""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from cachegraph.errors import StoreError
from cachegraph.text.words import size_text

__all__ = ["FREE_SPACE", "RESERVE", "ailing", "ailment", "check_start", "free_bytes", "means_full_disk"]

RESERVE = 256 << 20
"""Bytes that a load leaves free: Neo4j lengthens a file of a store by tens of mebibytes at once."""

START = 64 << 20
"""Bytes without which a server is not started."""

FREE_SPACE = "free some space on that disk"

_TAIL = 4 << 20  # bytes of the log that are read
_LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.\d+\+0000 (\w+)")
_FULL = re.compile(r"OutOfDiskSpace|out of disk space|no space left|disk quota exceeded", re.IGNORECASE)
_CAUSE = re.compile(r"^Caused by: (?:(?:[\w$]+\.)+[\w$]+: )+(.*)")
_PANIC = re.compile(r"Database panic|Client triggered an unexpected error|Failed to start|Exception occurred")
_SAID = 300  # characters of a cause


def free_bytes(path: Path) -> int | None:
    """Give the room that is left on the disk of a directory; None if nobody can tell."""
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None


def check_start(path: Path) -> None:
    """Refuse to start a server that has no room for its log.

    Raises
    ------
    cachegraph.errors.StoreError
    """
    free = free_bytes(path)
    if free is not None and free < START:
        message = f"{path}: disk full: {size_text(free)} left, and Neo4j needs {size_text(START)} to start"
        raise StoreError(message, hint=FREE_SPACE)


def means_full_disk(text: str) -> bool:
    """Tell whether an error's words say that there is no room left."""
    return _FULL.search(text) is not None


def ailment(path: Path, since: float = 0.0) -> str | None:
    """Find in the log of a server what ails its database.

    Parameters
    ----------
    path : Path
        The server's directory.
    since : float
        Seconds since 1970 from which on it counts; by default, the last start.

    Returns
    -------
    str or None
        The innermost cause of the newest error, in one line.
    """
    since = since or _started(path)
    found: str | None = None
    counts = False
    for line in _tail(path / "logs" / "debug.log"):
        if begun := _LINE.match(line):
            moment = datetime.strptime(begun[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            counts = begun[2] == "ERROR" and moment.timestamp() >= since - 1 and bool(_PANIC.search(line))
        if counts and (cause := _CAUSE.match(line)) and not (found and means_full_disk(found)):
            found = cause[1][:_SAID]
    return found


def ailing(path: Path, least: int | None = None) -> str | None:
    """Say what ails a server that does not do its work: what its log says, or that it has no room for a log.

    Parameters
    ----------
    path : Path
        The server's directory.
    least : int, optional
        Bytes of room below which its disk counts as full; by default, those that it needs to start.
    """
    found, free = ailment(path), free_bytes(path)
    if not (found and means_full_disk(found)) and free is not None and free < (START if least is None else least):
        return f"no space left on its disk: {size_text(free)}"
    return found


def _started(path: Path) -> float:
    """Say when the server was started last: then the arguments of its command are written."""
    try:
        return (path / "run" / "server.args").stat().st_mtime
    except OSError:
        return 0.0


def _tail(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            return file.read(_TAIL).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
