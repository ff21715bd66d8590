"""Open bbolt files, also those that a running daemon writes to; nothing is written and no lock is taken."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from cachegraph.errors import SourceError
from cachegraph.loaders.buildkitd.bbolt import HEAD_BYTES, Database, newest_meta
from cachegraph.loaders.limits import DEFAULT, Limits, over_limit
from cachegraph.loaders.paths import kind_of, open_file, refused

__all__ = ["read_database", "read_snapshot"]

_ATTEMPTS = 10


def read_database(path: Path, limits: Limits = DEFAULT) -> Database:
    """Read a bbolt file.

    Raises
    ------
    cachegraph.errors.NotFoundError, AccessError, SourceError, DecodeError
        No such file; no right to read it; it changes too fast; it is no bbolt file.
    """
    hint = "give the path of a bbolt file"
    if kind_of(path) == "other":
        raise SourceError(f"{path}: this is no regular file", hint=hint)
    with open_file(path, str(path), hint) as handle:
        try:
            return read_snapshot(handle, str(path), limits)
        except (OSError, ValueError, OverflowError) as error:
            raise refused(error, str(path), hint) from None


def read_snapshot(handle: BinaryIO, name: str, limits: Limits = DEFAULT) -> Database:
    """Read a file that may be written meanwhile, so that all pages belong to one transaction.

    bbolt writes new versions of pages to free places and commits by writing a meta page. Pages of transaction N become
    free when N+1 commits, and only then can they be overwritten. So if N is still the newest transaction after the
    reading, every page of N is intact. The file is copied to memory, rather than mapped, to keep that time short: a
    map would have to stay unchanged while all of it is decoded.

    Raises
    ------
    cachegraph.errors.SourceError
        Another transaction was committed during each of several attempts, or the file has more than 4 GiB in use.
    cachegraph.errors.DecodeError
        No meta page is valid.
    """
    for _ in range(_ATTEMPTS):
        before = newest_meta(_read_from_start(handle, HEAD_BYTES), name)
        used = before.high_water * before.page_size
        if used > limits.database_bytes:
            raise over_limit(name, limits.database_bytes, "bytes in use", "database_bytes")
        data = _read_from_start(handle, max(used, 2 * before.page_size))
        after = newest_meta(_read_from_start(handle, HEAD_BYTES), name)
        database = Database(data, name)
        if before == after == database.meta:
            return database
    raise SourceError(
        f"{name}: changed during each of {_ATTEMPTS} attempts to read it", hint="try again when fewer builds run"
    )


def _read_from_start(handle: BinaryIO, size: int) -> bytes:
    handle.seek(0)
    return handle.read(size)
