"""What a store tells of its work and its contents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cachegraph.errors import CacheGraphError, StoreError
from cachegraph.schema.summary import ExportSummary

__all__ = ["Failure", "PruneSummary", "Status", "StoredExport", "WriteSummary", "stored_export"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A source that could not be read, or an export that could not be loaded, and why."""

    source: str
    error: CacheGraphError


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSummary:
    """What came of a load.

    Attributes
    ----------
    created, unchanged : int
        Exports that were written; that were there already.
    superseded : int
        Earlier exports of the same sources that are current no more.
    removed : int
        Of these and still earlier ones, how many were removed (only with `replace`).
    failed : tuple of Failure
    rows : int
        Rows written: nodes with what ties them to their owner, and relationships.
    seconds : float
    looks : int
        Places that were looked at.
    gone : tuple of str
        Sources that an earlier look found and this load did not.
    run : str
        Id of the ``Run`` node.
    stopped : StoreError, optional
        Why the load ended before its end: the server cannot be used any more.
    unloaded : tuple of str
        Sources that had been read when it stopped, and whose exports are not loaded.
    """

    created: int
    unchanged: int
    superseded: int
    removed: int
    failed: tuple[Failure, ...]
    rows: int
    seconds: float
    looks: int = 0
    gone: tuple[str, ...] = ()
    run: str = ""
    stopped: StoreError | None = None
    unloaded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneSummary:
    """What a prune removed, or would remove: superseded exports, and remains of loads that died."""

    exports: tuple[StoredExport, ...]
    abandoned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExport(ExportSummary):
    """An export in the store.

    Attributes
    ----------
    current : bool
        Whether it is the newest of its source and platform.
    loaded_at : str
        When its load was complete, UTC.
    """

    current: bool
    loaded_at: str


_UNKNOWN: Mapping[str, Any] = {
    "earlier_steps": 0,
    "store_type": "",
    "listed_blobs": 0,
    "probed_blobs": 0,
    "lost_blobs": 0,
    "damaged_blobs": 0,
    "breaks_builds": False,
}
"""What stands for a property that the version which wrote an export did not have; None for others."""


def stored_export(found: Mapping[str, Any]) -> StoredExport:
    """Make the summary of an export from its properties.

    Parameters
    ----------
    found : mapping
        Those that it has; `newest_at` in nanoseconds since 1970 UTC, other times as texts.
    """
    names = StoredExport.__dataclass_fields__
    values = {name: found.get(name, _UNKNOWN.get(name)) for name in names}
    values["compression"] = tuple(values["compression"] or ())
    return StoredExport(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a store holds.

    Attributes
    ----------
    server : str
        What the server calls itself, such as ``Neo4j/5.26.30``.
    place, database : str
    exports, current : int
        Complete exports, and those that are the newest of their source.
    loading, abandoned : int
        Exports that a load is at, and those whose load died.
    nodes : mapping of str to int
        By label.
    missing_schema : tuple of str
        Constraints and indexes that are not there or not usable.
    """

    server: str
    place: str
    database: str
    exports: int
    current: int
    loading: int
    abandoned: int
    nodes: Mapping[str, int]
    missing_schema: tuple[str, ...]
