"""What becomes of each look at a source, whether or not there was something to load, and of each load as a whole.

An export says nothing of the days on which its source could not be read. So a load keeps a ``Source`` for each place
that it looked at, and a ``Run`` for itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import CacheGraphError, NotFoundError
from cachegraph.stores.neo4j.connection import Connection, literal

if TYPE_CHECKING:
    import neo4j

__all__ = ["Journal", "Listing", "Look"]

_ROWS = 200
"""Looks of a transaction."""

_TOLD = 100
"""Failures that a `Run` names."""

_KEPT_RUNS = 1000
"""Loads that are remembered; older ones go when the next begins."""

_SEEN = """
UNWIND $rows AS row
UNWIND row.sources AS id
MERGE (s:Source {id: id})
SET s.place = row.place, s.looked_at = datetime(), s.last_seen = datetime()
REMOVE s.last_error, s.broken_since, s.failed_looks, s.gone_at
"""
_NOT_SEEN = """
UNWIND $rows AS row
MATCH (s:Source {place: row.place})
WHERE s.gone_at IS NULL AND NOT s.id IN row.sources
SET s.looked_at = datetime(), s.gone_at = datetime()
RETURN s.id
"""
_FAILED = """
UNWIND $rows AS row
OPTIONAL MATCH (known:Source {place: row.place})
WITH row, collect(known.id) AS known
UNWIND CASE WHEN size(known) > 0 THEN known ELSE [row.place] END AS id
MERGE (s:Source {id: id})
SET s.place = row.place, s.looked_at = datetime(), s.last_error = row.error,
    s.broken_since = coalesce(s.broken_since, datetime()), s.failed_looks = coalesce(s.failed_looks, 0) + 1
WITH row, s
WITH row, s, CASE WHEN row.gone THEN coalesce(s.gone_at, datetime()) END AS gone_at, s.gone_at IS NULL AS was
SET s.gone_at = gone_at
WITH s.id AS id, was, gone_at, s.last_seen IS NOT NULL AS seen
WHERE was AND gone_at IS NOT NULL AND seen
RETURN id
"""
_BEGIN = """
CREATE (run:Run {id: $id, began_at: datetime()})
WITH run
MATCH (old:Run)
WITH old ORDER BY old.began_at DESC SKIP $kept
DELETE old
"""
_END = "MATCH (run:Run {id: $id}) SET run += $counts, run.ended_at = datetime(), run.outcome = $outcome"
_LISTED = "MATCH (s:Source) WHERE s.id STARTS WITH $prefix AND s.gone_at IS NULL RETURN s.id"
_GONE = """
MATCH (s:Source)
WHERE s.id IN $ids
SET s.looked_at = datetime(), s.gone_at = datetime()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a place gave when it was read.

    Attributes
    ----------
    place : str
        What names it, the same at each look and without credentials; empty if it cannot be named.
    graphs : tuple of ExportGraph
        Its exports.
    errors : tuple of CacheGraphError
        Why it could not be read, or not all of it.
    """

    place: str
    graphs: tuple[ExportGraph, ...] = ()
    errors: tuple[CacheGraphError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All that there is of a kind was looked at: what of it the store knows and no look named is gone.

    Attributes
    ----------
    prefix : str
        What the sources concerned begin with.
    concerns : callable
        Tells whether a source that begins so is one of them.
    """

    prefix: str
    concerns: Callable[[str], bool]


class Journal:
    """The record of a load.

    Parameters
    ----------
    connection : Connection

    Attributes
    ----------
    gone : list of str
        Sources that an earlier look found and this load did not.
    """

    def __init__(self, connection: Connection) -> None:
        self.id = secrets.token_hex(8)
        self.gone: list[str] = []
        self._connection = connection
        self._looked: set[str] = set()
        self._seen: list[dict[str, Any]] = []
        self._failed: list[dict[str, Any]] = []
        self._told: list[str] = []

    def begin(self) -> None:
        """Say that the load is at work."""
        self._connection.write(lambda tx: tx.run(_BEGIN, id=self.id, kept=_KEPT_RUNS).consume())

    def seen(self, look: Look) -> None:
        """Record a look that went well."""
        sources = list(dict.fromkeys(graph.export.source for graph in look.graphs))
        self._looked.update((look.place, *sources))
        self._seen.append({"place": look.place, "sources": sources})
        self._flush_if_many()

    def failed(self, look: Look, error: CacheGraphError) -> None:
        """Record a look that failed."""
        self._looked.update((look.place, *(graph.export.source for graph in look.graphs)))
        gone = isinstance(error, NotFoundError)
        if look.place:
            self._failed.append({"place": look.place, "error": str(error), "gone": gone})
        self.tell(look.place, error)
        self._flush_if_many()

    def tell(self, source: str, error: CacheGraphError) -> None:
        """Name a failure in the record of the load."""
        if len(self._told) < _TOLD:
            self._told.append(str(error) if not source or source in str(error) else f"{source}: {error}")

    def listed(self, listing: Listing) -> None:
        """Record as gone what a whole listing does not name any more."""
        self.flush()
        known = self._connection.read(_LISTED, {"prefix": listing.prefix})
        gone = [id_ for (id_,) in known if id_ not in self._looked and listing.concerns(id_)]
        for first in range(0, len(gone), _ROWS):
            self._connection.write(partial(_mark_gone, ids=gone[first : first + _ROWS]))
        self.gone += gone

    def flush(self) -> None:
        """Write what was recorded."""
        seen, failed = self._seen, self._failed
        if not seen and not failed:
            return

        def work(tx: neo4j.ManagedTransaction) -> list[str]:
            tx.run(literal(_SEEN), rows=seen).consume()
            gone = [id_ for (id_,) in tx.run(literal(_NOT_SEEN), rows=seen)]
            return gone + [id_ for (id_,) in tx.run(literal(_FAILED), rows=failed)]

        self.gone += self._connection.write(work)
        self._seen, self._failed = [], []

    def end(self, counts: dict[str, int], outcome: str) -> None:
        """Say what came of the load.

        Parameters
        ----------
        counts : dict of str to int
            Properties of the ``Run``.
        outcome : str
            Whether it was done, or stopped.
        """
        self.flush()
        everything = {**counts, "gone": len(self.gone), "failures": self._told}
        self._connection.write(
            lambda tx: tx.run(_END, id=self.id, counts=everything, outcome=outcome).consume(),
        )

    def _flush_if_many(self) -> None:
        if len(self._seen) + len(self._failed) >= _ROWS:
            self.flush()


def _mark_gone(tx: neo4j.ManagedTransaction, *, ids: list[str]) -> None:
    tx.run(_GONE, ids=ids).consume()
