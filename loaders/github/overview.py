"""What a repository's Actions cache holds of BuildKit: scopes and branches, sizes, ages, what is superseded.

A scope's index entries are small; the layers are blobs that belong to no scope. What GitHub deletes is the least
recently used entry, whoever wrote it, once all entries together pass the repository's limit, and any that nobody used
for seven days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from cachegraph.loaders.github.entries import CacheEntry, Listing

__all__ = ["QUOTA", "Overview", "ScopeRow", "make_overview"]

QUOTA = 10 * 10**9
"""Bytes that GitHub keeps for a repository unless somebody pays for more ("Usage limits and eviction policy")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeRow:
    """The cache of one scope on one branch.

    Attributes
    ----------
    scope : str
    branch : str
        As a workflow's run knows it: ``refs/heads/main``.
    signed : bool
        Whether it is for daemons that verify signatures.
    size : int
        Bytes of the index entry that a build reads; the layers are among the blobs.
    written, used : str
        When it was written and last read, RFC 3339.
    superseded : int
        Older index entries of the same scope and branch, which no build reads.
    superseded_size : int
        Their bytes.
    """

    scope: str
    branch: str
    signed: bool
    size: int
    written: str
    used: str
    superseded: int
    superseded_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What a repository's cache holds.

    Attributes
    ----------
    repository : str
    rows : tuple of ScopeRow
        By scope, then by branch.
    blobs, blobs_size : int
        Layers of all scopes, and their bytes.
    oldest_use : str
        When the blob that nobody used for longest was last used, RFC 3339; empty where there is none.
    size : int
        Bytes of all that is BuildKit's.
    all_entries, all_size : int or None
        Entries of the whole cache, other programs' included, and their bytes; None where GitHub does not say.
    quota : int
        Bytes that GitHub keeps by default.
    """

    repository: str
    rows: tuple[ScopeRow, ...]
    blobs: int
    blobs_size: int
    oldest_use: str
    size: int
    all_entries: int | None
    all_size: int | None
    quota: int = QUOTA


def make_overview(repository: str, listing: Listing, used: tuple[int, int] | None) -> Overview:
    """Sum up a listing.

    Parameters
    ----------
    repository : str
    listing : Listing
    used : tuple of (int, int), optional
        Entries of the whole cache, and their bytes.
    """
    older: dict[tuple[str | None, str, bool], list[CacheEntry]] = defaultdict(list)
    for entry in listing.superseded:
        older[entry.scope, entry.ref, entry.signed].append(entry)
    rows = [_row(entry, older[entry.scope, entry.ref, entry.signed]) for entry in listing.indexes]
    return Overview(
        repository=repository,
        rows=tuple(sorted(rows, key=lambda row: (row.scope, row.branch, row.signed))),
        blobs=len(listing.blobs),
        blobs_size=_bytes(listing.blobs),
        oldest_use=min((entry.last_accessed_at for entry in listing.blobs), default=""),
        size=listing.size,
        all_entries=None if used is None else used[0],
        all_size=None if used is None else used[1],
    )


def _row(entry: CacheEntry, older: Iterable[CacheEntry]) -> ScopeRow:
    superseded = list(older)
    return ScopeRow(
        scope=entry.scope or "",
        branch=entry.ref,
        signed=entry.signed,
        size=entry.size_in_bytes,
        written=entry.created_at,
        used=entry.last_accessed_at,
        superseded=len(superseded),
        superseded_size=_bytes(superseded),
    )


def _bytes(entries: Iterable[CacheEntry]) -> int:
    return sum(entry.size_in_bytes for entry in entries)
