"""Paths that users and files name: the one place where they become `pathlib.Path` and are looked at or read.

A text may hold a NUL, a lone surrogate, a component of 300 characters, ``~nosuchuser``: each of them makes the file
system raise another exception, whose words repeat the text. Here nothing is raised but our own errors.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO, Literal

from cachegraph.errors import AccessError, NotFoundError, SourceError
from cachegraph.loaders.limits import over_limit

__all__ = ["KindOfFile", "kind_of", "local_path", "open_file", "read_file", "read_stream", "refused"]

KindOfFile = Literal["directory", "file", "other"]


def local_path(text: str) -> Path:
    """Make a path of a text, with ``~`` filled in where there is such a user."""
    try:
        return Path(text).expanduser()
    except (RuntimeError, ValueError):  # no such user, no home, a NUL
        return Path(text)


def kind_of(path: Path) -> KindOfFile | None:
    """Say what lies at a path, symbolic links followed; None where there is nothing, or nothing that may be seen."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    return "directory" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


def refused(error: OSError | ValueError | OverflowError, place: str, hint: str) -> SourceError:
    """Turn what the file system raises into our words, without repeating the path.

    Parameters
    ----------
    error : OSError, ValueError or OverflowError
    place : str
        What the error calls it.
    hint : str
        What to check.
    """
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NotFoundError(f"{place}: there is no such file", hint=hint)
    if isinstance(error, PermissionError):
        return AccessError(f"{place}: no right to read it", hint="run as a user who may read it, or copy it")
    if isinstance(error, IsADirectoryError):
        return SourceError(f"{place}: this is a directory", hint=hint)
    if not isinstance(error, OSError) or not error.strerror:  # NUL, a lone surrogate
        return NotFoundError(f"{place}: no file can have this name", hint=hint)
    return SourceError(f"{place}: {error.strerror}", hint=hint)


def open_file(path: Path, place: str, hint: str) -> BinaryIO:
    """Open a file to read.

    Raises
    ------
    cachegraph.errors.SourceError
        Not there, or no right to read it.
    """
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        raise refused(error, place, hint) from None


def read_file(path: Path, place: str, *, limit: int, name: str, hint: str) -> bytes:
    """Read a file of at most so many bytes.

    Parameters
    ----------
    path : pathlib.Path
    place : str
        What errors call it.
    limit : int
        Bytes.
    name : str
        The field of `cachegraph.loaders.limits.Limits` that the limit is.
    hint : str

    Raises
    ------
    cachegraph.errors.SourceError
        Not there, no right to read it, or it has more bytes.
    """
    with open_file(path, place, hint) as file:
        try:
            return read_stream(file, place, limit=limit, name=name)
        except OSError as error:
            raise refused(error, place, hint) from None


def read_stream(file: BinaryIO, place: str, *, limit: int, name: str) -> bytes:
    """Read a stream of at most so many bytes; see `read_file`."""
    data = bytearray()
    while chunk := file.read(min(limit + 1 - len(data), 1 << 20)):
        data += chunk
        if len(data) > limit:
            raise over_limit(place, limit, "bytes", name)
    return bytes(data)
