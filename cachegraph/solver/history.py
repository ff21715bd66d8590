"""Exports of one cache over time: coverage, caches that alternate, and results that were there and are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from cachegraph.core.garbage import collection_paused
from cachegraph.core.graph import ExportGraph
from cachegraph.core.times import UNKNOWN
from cachegraph.solver.diff import Change, Diff, diff_keys, measure
from cachegraph.solver.keys import CacheKeys
from cachegraph.solver.rows import Rows
from cachegraph.text.words import plural

__all__ = ["Event", "Events", "History", "Point", "history", "made_at"]

EventKind = Literal["alternates", "result gone", "result back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One export of the cache.

    Attributes
    ----------
    source : str
    at : str or None
        When its newest result was made, RFC 3339; None where no result says so.
    records, steps, loadable : int
    coverage : float or None
        Share of the steps that have a loadable result; None without steps.
    bytes : int or None
        Of all loadable results, each blob once.
    keys_gained, keys_lost, results_lost : int or None
        Against the export before it; None for the first.
    same_as : int or None
        Position of the latest earlier export with the same keys and results.
    """

    source: str
    at: str | None
    records: int
    steps: int
    loadable: int
    coverage: float | None
    bytes: int | None
    keys_gained: int | None
    keys_lost: int | None
    results_lost: int | None
    same_as: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that the sequence shows and no export alone.

    Attributes
    ----------
    kind : {"alternates", "result gone", "result back"}
        Two contents take turns; a result is not there any more though its key is; one is there again.
    position : int
        Of the export in which it shows.
    record : int or None
        In that export.
    digest, name : str
    since : str or None
        Until when the result was there, or which export the alternation began with, as far as known.
    """

    kind: EventKind
    position: int
    record: int | None
    digest: str
    name: str
    since: str | None


class Events(Rows[Event]):
    """What the sequence shows, in its order."""

    row = Event


class History(Rows[Point]):
    """The exports in order, oldest first.

    Attributes
    ----------
    events : Events
    """

    row = Point

    def __init__(self, points: Iterable[Point], events: Iterable[Event]) -> None:
        super().__init__(points)
        self.events = Events(events)

    @property
    def summary(self) -> str:
        """The answer in a line."""
        if not self:
            return "No exports."
        first, last = self[0], self[-1]
        said = [f"{plural(len(self), 'export')}: {_covered(first)} loadable at first, {_covered(last)} now."]
        turns = sum(event.kind == "alternates" for event in self.events)
        if turns:
            said.append(
                f"Two contents take turns ({turns} times): the cache fits every other build; "
                "give each its own scope, tag or name."
            )
        gone = sum(event.kind == "result gone" for event in self.events)
        if gone:
            said.append(f"{plural(gone, 'result')} went though nothing changed: the store lost blobs, or mode did.")
        return " ".join(said)

    def __repr__(self) -> str:
        """Say it in one line."""
        return f"<{type(self).__name__}: {self.summary}>"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show it in a notebook."""
        from cachegraph.solver.display import describe_history

        return describe_history(self)


def _covered(point: Point) -> str:
    return f"{point.loadable} of {plural(point.steps, 'step')}"


def history(exports: Iterable[ExportGraph]) -> History:
    """Follow a cache through its exports.

    Parameters
    ----------
    exports : iterable of ExportGraph
        In the order in which they were written, oldest first.

    Returns
    -------
    History

    Notes
    -----
    Each export is compared with the one before and the one before that.
    """
    with collection_paused():
        return _follow(list(exports))


def _follow(graphs: Sequence[ExportGraph]) -> History:
    """Compare each export with the one before."""
    keys = [CacheKeys(graph) for graph in graphs]
    digests = [frozenset(record.digest for record in graph.export.config.records) for graph in graphs]

    def compare(old: int, new: int) -> Diff:
        return diff_keys(keys[old], keys[new], graphs[old], graphs[new])

    steps: list[Diff | None] = [compare(new - 1, new) if new else None for new in range(len(graphs))]
    points: list[Point] = []
    for position, graph in enumerate(graphs):
        before = steps[position]
        same: int | None = None
        if before is not None and not before:
            same = position - 1
        # A key needs its digest: where these differ, nothing has to be matched.
        elif position > 1 and digests[position - 2] == digests[position] and not compare(position - 2, position):
            same = position - 2
        points.append(_point(graph, before, same))
    return History(points, _events(graphs, steps, points))


def _point(graph: ExportGraph, before: Diff | None, same: int | None) -> Point:
    side = measure(graph)
    return Point(
        source=side.source,
        at=made_at(graph),
        records=side.records,
        steps=side.steps,
        loadable=side.loadable,
        coverage=side.loadable / side.steps if side.steps else None,
        bytes=side.bytes,
        keys_gained=before.count("key gained") if before is not None else None,
        keys_lost=before.count("key lost") if before is not None else None,
        results_lost=before.count("result lost") if before is not None else None,
        same_as=same,
    )


def _events(graphs: Sequence[ExportGraph], steps: Sequence[Diff | None], points: Sequence[Point]) -> list[Event]:
    found: list[Event] = []
    there: set[str] = set()  # digests with a loadable result in some earlier export
    for position, before in enumerate(steps):
        if before is not None and points[position].same_as == position - 2 and before.count("key gained"):
            source = points[position - 2].source
            found.append(Event(kind="alternates", position=position, record=None, digest="", name="", since=source))
        for change in before or ():
            kind: EventKind
            if change.change == "result lost":
                if _is_superseded(graphs[position], change):
                    continue
                kind = "result gone"
            elif change.change == "result gained" and change.digest in there:
                kind = "result back"
            else:
                continue
            found.append(
                Event(
                    kind=kind,
                    position=position,
                    record=change.new,
                    digest=change.digest,
                    name=change.name,
                    since=points[position - 1].at,
                )
            )
        records = graphs[position].export.config.records
        there.update(records[index].digest for index, loadable in enumerate(graphs[position].loadable) if loadable)
    return found


def _is_superseded(graph: ExportGraph, change: Change) -> bool:
    """Tell whether a result went because the step was made anew on other inputs, which is not a loss."""
    record = change.new
    if record is None or len(graph.results(record)):  # results that cannot be loaded: the blobs are gone
        return False
    return any(
        graph.loadable[index] and found.digest == change.digest
        for index, found in enumerate(graph.export.config.records)
    )


def made_at(graph: ExportGraph) -> str | None:
    """Say when the newest result of an export was made, RFC 3339; None where no result says so.

    Parameters
    ----------
    graph : ExportGraph
    """
    newest = max(graph.result_times, default=UNKNOWN)
    if newest == UNKNOWN:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=newest // 1000)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{newest % 1_000_000_000:09d}Z"
