"""A load: many exports, one after the other, with a record of every look, and a summary however it ends."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from cachegraph.core.graph import ExportGraph
from cachegraph.core.progress import Report
from cachegraph.errors import StoreError
from cachegraph.stores.neo4j import loading
from cachegraph.stores.neo4j.connection import Connection
from cachegraph.stores.neo4j.failures import ServerError
from cachegraph.stores.neo4j.looks import Journal, Listing, Look
from cachegraph.stores.neo4j.summaries import Failure, WriteSummary

__all__ = ["Given", "StoppedError", "Writer"]

Given = ExportGraph | Look | Listing
"""What a load takes."""

_ASIDE = 4
"""Exports that wait in memory because another load is at them, while those after them are loaded."""

_OLDER = (
    "MATCH (e:Export {source: $source, complete: true}) "
    "WHERE NOT e.current AND coalesce(e.platform, '') = coalesce($platform, '') "
    "RETURN e.id ORDER BY e.loaded_at"
)


class StoppedError(ServerError):
    """A load ended before its end because the server could not be used any more.

    Attributes
    ----------
    summary : WriteSummary
        What had been loaded, which stays, and what had failed.
    """

    def __init__(self, error: ServerError, summary: WriteSummary) -> None:
        super().__init__(error.message, hint=error.hint, answers=error.answers)
        self.summary = summary


@dataclass
class Writer:
    """A load under way.

    Parameters
    ----------
    connection : Connection
    report : Report
    replace : bool
    batch : int
    lease : float
        As `cachegraph.stores.neo4j.Neo4jStore.write` has them.
    """

    connection: Connection
    report: Report
    replace: bool
    batch: int
    lease: float
    _created: int = 0
    _unchanged: int = 0
    _superseded: int = 0
    _removed: int = 0
    _rows: int = 0
    _looks: int = 0
    _failed: list[Failure] = field(default_factory=list)
    _aside: deque[ExportGraph] = field(default_factory=deque)
    _at: ExportGraph | None = None

    def write(self, given: Iterable[Given]) -> WriteSummary:
        """Load everything.

        Raises
        ------
        StoppedError
        """
        self._began = time.monotonic()
        self._journal = Journal(self.connection)
        try:
            self._journal.begin()
            for one in given:
                if isinstance(one, Listing):
                    self._journal.listed(one)
                else:
                    self._look(one if isinstance(one, Look) else _look_of(one))
            while self._aside:
                self._load(self._aside.popleft(), wait=True)
            self._journal.end(self._counts(), "done")
        except ServerError as error:
            if error.answers:
                with suppress(StoreError):
                    self._journal.end(self._counts(), "stopped")
            unloaded = dict.fromkeys(graph.export.source for graph in (self._at, *self._aside) if graph is not None)
            raise StoppedError(error, self._summary(error, tuple(unloaded))) from error
        return self._summary()

    def _look(self, look: Look) -> None:
        self._looks += 1
        for graph in look.graphs:
            self._take(graph)
        for error in look.errors:
            self._failed.append(Failure(source=look.place, error=error))
            self._journal.failed(look, error)
        if not look.errors:
            self._journal.seen(look)

    def _take(self, graph: ExportGraph) -> None:
        """Load an export, or put it aside; of one source and platform the order stays."""
        while any(_place(other) == _place(graph) for other in self._aside):
            self._load(self._aside.popleft(), wait=True)
        if self._load(graph, wait=False):
            return
        self._aside.append(graph)
        if len(self._aside) > _ASIDE:
            self._load(self._aside.popleft(), wait=True)

    def _load(self, graph: ExportGraph, *, wait: bool) -> bool:
        """Load an export.

        Returns
        -------
        bool
            False while another load is at it.
        """
        self._at = graph
        source, platform = _place(graph)
        try:
            loaded = loading.load(self.connection, graph, self.report, size=self.batch, lease=self.lease, wait=wait)
            if loaded is None:
                self._at = None
                return False
            if self.replace:
                self._removed += self._remove_older(source, platform)
        except ServerError:
            raise
        except StoreError as error:
            self._failed.append(Failure(source=source, error=error))
            self._journal.tell(source, error)
        else:
            self._created += loaded.rows is not None
            self._unchanged += loaded.rows is None
            self._superseded += loaded.superseded
            self._rows += loaded.rows or 0
        self._at = None
        return True

    def _remove_older(self, source: str, platform: str | None) -> int:
        old = self.connection.read(_OLDER, {"source": source, "platform": platform})
        return sum(loading.remove(self.connection, id_, size=self.batch, lease=self.lease) for (id_,) in old)

    def _counts(self) -> dict[str, int]:
        return {
            "created": self._created,
            "unchanged": self._unchanged,
            "superseded": self._superseded,
            "removed": self._removed,
            "failed": len(self._failed),
            "rows": self._rows,
        }

    def _summary(self, stopped: StoreError | None = None, unloaded: tuple[str, ...] = ()) -> WriteSummary:
        return WriteSummary(
            created=self._created,
            unchanged=self._unchanged,
            superseded=self._superseded,
            removed=self._removed,
            failed=tuple(self._failed),
            rows=self._rows,
            seconds=time.monotonic() - self._began,
            looks=self._looks,
            gone=tuple(self._journal.gone),
            run=self._journal.id,
            stopped=stopped,
            unloaded=unloaded,
        )


def _place(graph: ExportGraph) -> tuple[str, str | None]:
    return graph.export.source, graph.export.platform


def _look_of(graph: ExportGraph) -> Look:
    """Take an export that somebody read for a look at its source."""
    return Look(place=graph.export.source, graphs=(graph,))
