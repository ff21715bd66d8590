"""Digests of files on disk, kept between runs by device and inode: a SQLite file under the user's cache folder."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

__all__ = ["Identity", "KnownFiles"]

# Seconds. A file changed just now may change again without its times telling, so it is hashed again next time.
_SETTLED = 2.0
_DAY = 86_400
_KEPT_DAYS = 30
_TABLE = """
CREATE TABLE IF NOT EXISTS files (
  device INTEGER, inode INTEGER, head BLOB, size INTEGER, mtime INTEGER, ctime INTEGER, digest BLOB, used INTEGER,
  PRIMARY KEY (device, inode, head)
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """A file on disk in one state: its bytes, mode and xattrs cannot change without one of these changing."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(slots=True)
class KnownFiles:
    """What is known of files from earlier runs.

    A database that cannot be opened, read or written is done without: it only saves time.

    Parameters
    ----------
    path : pathlib.Path, optional
        The database; without one, nothing is kept.
    """

    path: Path | None = None
    _connection: sqlite3.Connection | None = None
    _added: list[tuple[object, ...]] = field(default_factory=list)
    _used: list[tuple[int, int, bytes]] = field(default_factory=list)
    _today: int = field(default_factory=lambda: int(time.time()) // _DAY)

    def get(self, identity: Identity | None, head: bytes) -> str | None:
        """Give the digest of a file in this state with this header."""
        database = self._open() if identity else None
        if database is None or identity is None:
            return None
        key = (_signed(identity.device), _signed(identity.inode), _short(head))
        with _without_errors():
            found = database.execute(
                "SELECT digest, used FROM files "
                "WHERE device=? AND inode=? AND head=? AND size=? AND mtime=? AND ctime=?",
                (*key, identity.size, identity.mtime_ns, identity.ctime_ns),
            ).fetchone()
            if found:
                if found[1] != self._today:
                    self._used.append(key)
                return f"sha256:{found[0].hex()}"
        return None

    def add(self, identity: Identity | None, head: bytes, digest: str) -> None:
        """Keep a digest, unless the file changed within the last seconds."""
        if identity is None or self.path is None:
            return
        if max(identity.mtime_ns, identity.ctime_ns) / 1e9 > time.time() - _SETTLED:
            return
        state = (identity.size, identity.mtime_ns, identity.ctime_ns, bytes.fromhex(digest[7:]), self._today)
        self._added.append((_signed(identity.device), _signed(identity.inode), _short(head), *state))

    def write(self) -> None:
        """Write down what was learnt, and forget what was not used for a month."""
        database = self._open() if self._added or self._used else None
        if database is not None:
            with _without_errors(), database:
                database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._added)
                today = self._today
                marks = [(today, *key) for key in self._used]
                database.executemany("UPDATE files SET used=? WHERE device=? AND inode=? AND head=?", marks)
                database.execute("DELETE FROM files WHERE used < ?", (today - _KEPT_DAYS,))
        self._added.clear()
        self._used.clear()

    def _open(self) -> sqlite3.Connection | None:
        """Open the database when it is first needed."""
        if self._connection is None and self.path is not None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._connection = sqlite3.connect(self.path, timeout=1.0)
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute("PRAGMA synchronous=OFF")
                self._connection.execute(_TABLE)
            except (OSError, sqlite3.Error):
                self.path = self._connection = None
        return self._connection

    def close(self) -> None:
        """Close the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextlib.contextmanager
def _without_errors() -> Iterator[None]:
    """Go on without the database where it fails, such as when another process holds it for long."""
    with contextlib.suppress(sqlite3.Error):
        yield


def _short(head: bytes) -> bytes:
    return sha256(head).digest()[:16]


def _signed(number: int) -> int:
    """Fold an unsigned 64-bit number into what SQLite holds."""
    return number - 2**64 if number >= 2**63 else number
