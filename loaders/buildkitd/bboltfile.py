"""Open bbolt files, also those that a running daemon writes to; nothing is written and no lock is taken."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from cachegraph.errors import AccessError, NotFoundError, SourceError
from cachegraph.loaders.buildkitd.bbolt import HEAD_BYTES, Database, newest_meta

__all__ = ["read_database", "read_snapshot"]

_MAX_BYTES = 4 << 30
_ATTEMPTS = 10


def read_database(path: Path) -> Database:
    """Read a bbolt file.

    Raises
    ------
    cachegraph.errors.NotFoundError, AccessError, SourceError, DecodeError
        No such file; no right to read it; it changes too fast; it is no bbolt file.
    """
    try:
        with path.open("rb") as handle:
            return read_snapshot(handle, str(path))
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such file", hint="give the path of a bbolt file") from None
    except PermissionError:
        raise AccessError(f"{path}: no right to read it", hint="run as a user who may read it, or copy it") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def read_snapshot(handle: BinaryIO, name: str) -> Database:
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
        if used > _MAX_BYTES:
            raise SourceError(f"{name}: {used} bytes in use, more than {_MAX_BYTES}", hint="compact it with bbolt")
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
