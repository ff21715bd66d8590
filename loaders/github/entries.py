"""The entries of a repository's Actions cache that are BuildKit's, told apart by their keys.

::

    index-<scope>-1-<hash>#<number>     a cache config; the hash is of the branch scope, the number counts the writes
    buildkit-blob-1-<digest>            a layer

An index entry is never written again: each export adds one with the next number, and the newest wins. A key that
ends in ``-sig`` (before the number of an index) belongs to a signed cache.
Facts from BuildKit's ``cache/remotecache/gha/gha.go`` (``indexKey``, ``blobKey``) and go-actions-cache
(``SaveMutable``); the fields are those of GitHub's REST API, "List GitHub Actions caches for a repository".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

__all__ = ["CacheEntry", "Listing", "blob_key", "index_key", "is_signed", "sort_entries"]

_INDEX = re.compile(r"(?P<group>index-(?P<scope>.+)-1-[0-9a-f]{8}(?:-sig)?)#(?P<number>\d+)")
_BLOB = re.compile(r"buildkit-blob-1-(?P<digest>sha256:[0-9a-f]{64})")


class CacheEntry(msgspec.Struct, frozen=True):
    """An entry as GitHub lists it; the size is in bytes, the times are RFC 3339."""

    key: str
    ref: str = ""
    size_in_bytes: int = 0
    created_at: str = ""
    last_accessed_at: str = ""

    @property
    def scope(self) -> str | None:
        """The ``scope=`` that an index entry belongs to; None for other entries."""
        found = _INDEX.fullmatch(self.key)
        return found["scope"] if found else None

    @property
    def signed(self) -> bool:
        """Whether an index entry belongs to a signed cache."""
        return is_signed(self.key)

    @property
    def digest(self) -> str | None:
        """The digest of a blob's entry; None for other entries."""
        found = _BLOB.fullmatch(self.key)
        return found["digest"] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a repository's cache holds of BuildKit.

    Attributes
    ----------
    indexes : tuple of CacheEntry
        The newest index entry of each scope and branch: what a build reads.
    superseded : tuple of CacheEntry
        Older index entries, which no build reads any more.
    blobs : tuple of CacheEntry
    """

    indexes: tuple[CacheEntry, ...]
    superseded: tuple[CacheEntry, ...]
    blobs: tuple[CacheEntry, ...]

    @property
    def size(self) -> int:
        """Bytes that all of them take up."""
        return sum(entry.size_in_bytes for entry in (*self.indexes, *self.superseded, *self.blobs))


def index_key(scope: str, ref: str) -> str:
    """Return what the keys of a scope's index entries on a branch start with, before ``#``.

    Examples
    --------
    >>> index_key("buildkit", "refs/heads/main")
    'index-buildkit-1-f921bd05'
    """
    return f"index-{scope}-1-{hashlib.sha256(ref.encode()).hexdigest()[:8]}"


def is_signed(key: str) -> bool:
    """Tell the key of an index entry of a signed cache, which only a daemon that is set up for it writes."""
    found = _INDEX.fullmatch(key)
    return found is not None and found["group"].endswith("-sig")


def blob_key(digest: str) -> str:
    """Return the key of a blob's entry."""
    return f"buildkit-blob-1-{digest}"


def sort_entries(entries: Iterable[CacheEntry]) -> Listing:
    """Tell current from superseded index entries and from blobs; entries that are not BuildKit's are left out."""
    newest: dict[tuple[str, str], CacheEntry] = {}
    superseded: list[CacheEntry] = []
    blobs: list[CacheEntry] = []
    for entry in entries:
        if entry.digest is not None:
            blobs.append(entry)
        elif found := _INDEX.fullmatch(entry.key):
            group = found["group"], entry.ref
            older, newer = sorted((newest.get(group, entry), entry), key=_age)
            newest[group] = newer
            if older is not newer:
                superseded.append(older)
    return Listing(indexes=tuple(newest.values()), superseded=tuple(superseded), blobs=tuple(blobs))


def _age(entry: CacheEntry) -> tuple[str, int]:
    return entry.created_at, int(entry.key.rpartition("#")[2])
