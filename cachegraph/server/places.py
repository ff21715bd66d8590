"""Where the server keeps its things, and how they are written."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cachegraph.errors import MissingExtraError, StoreError

__all__ = ["cache_home", "data_home", "needs_server_extra", "write_private", "writing"]


@contextmanager
def needs_server_extra() -> Iterator[None]:
    """Import inside this block what the extra brings.

    Raises
    ------
    cachegraph.errors.MissingExtraError
        A package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError("A Neo4j of your own", "server") from error


def data_home() -> Path:
    """Directory of the user's server, in the user's data directory."""
    with needs_server_extra():
        from platformdirs import user_data_path
    return user_data_path("cachegraph") / "neo4j"


def cache_home() -> Path:
    """Directory of the downloaded jars, in the user's cache directory; safe to delete."""
    with needs_server_extra():
        from platformdirs import user_cache_path
    return user_cache_path("cachegraph") / "neo4j"


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn the system's refusal to write into one line that names the file.

    Raises
    ------
    cachegraph.errors.StoreError
        No rights, no space, not a directory, ...
    """
    try:
        yield
    except OSError as error:
        hint = "free some space on that disk" if error.errno in {errno.ENOSPC, errno.EDQUOT} else None
        message = f"{error.filename or place}: cannot be written: {error.strerror or error}"
        raise StoreError(message, hint=hint) from error


def write_private(path: Path, text: str) -> None:
    """Write a file that only the user can read, whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    with writing(path):
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600, exist_ok=False)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
