"""Exports of one cache over time: what each build ran and why, growth, caches that alternate, results that went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cachegraph.builds.plaintexts import Plaintext
from cachegraph.core.garbage import collection_paused
from cachegraph.core.graph import ExportGraph
from cachegraph.core.times import UNKNOWN
from cachegraph.schema.uncached import asked, uncached
from cachegraph.solver.diff import Change, Diff, diff_keys, measure
from cachegraph.solver.history_rows import Became, Event, EventKind, History, Point, StepChange
from cachegraph.solver.history_words import cause_word, labels, story
from cachegraph.solver.keys import CacheKeys
from cachegraph.solver.since import Past, Since, since
from cachegraph.solver.single import Graphs, exports_of

__all__ = ["history", "made_at"]


def history(
    exports: Iterable[Graphs],
    *,
    texts: Mapping[str, Plaintext] | None = None,
    references: Mapping[str, str] | None = None,
) -> History:
    """Follow a cache through its exports.

    Parameters
    ----------
    exports : CacheGraph, or iterable of ExportGraph or CacheGraph
        In the order in which they were written, oldest first.
    texts, references : mapping, optional
        Plaintexts by digest and how users call images, as `cachegraph.explain` takes them.

    Returns
    -------
    History

    Notes
    -----
    Each export is compared with the one before of its platform, and the one before that. What ran is told by the times
    of results, and where there is none by BuildKit's rules, as if the build had imported the export before; unless the
    times of other steps contradict that.
    """
    with collection_paused():
        return _follow(exports_of(exports, "a history"), texts, references)


def _follow(
    graphs: Sequence[ExportGraph], texts: Mapping[str, Plaintext] | None, references: Mapping[str, str] | None
) -> History:
    """Follow the exports of each platform by themselves."""
    chains: dict[str | None, list[int]] = {}
    for position, graph in enumerate(graphs):
        chains.setdefault(graph.export.platform, []).append(position)
    called = labels([(graph.export.source, graph.export.platform) for graph in graphs])
    points, events, changes = dict[int, Point](), list[Event](), list[StepChange]()
    for places in chains.values():
        chain = _Chain([graphs[place] for place in places], [called[place] for place in places], texts, references)
        for place, point in zip(places, chain.points, strict=True):
            points[place] = point if point.same_as is None else replace(point, same_as=places[point.same_as])
        events += [replace(event, position=places[event.position]) for event in chain.events]
        changes += [replace(change, position=places[change.position]) for change in chain.changes]
    return History(
        [points[position] for position in range(len(graphs))],
        sorted(events, key=lambda event: event.position),
        sorted(changes, key=lambda change: change.position),
    )


class _Chain:
    """Compares each export with the one before.

    Parameters
    ----------
    graphs : sequence of ExportGraph
        Of one platform.
    called : sequence of str
        What to call each of them.
    texts, references : mapping or None
    """

    def __init__(
        self,
        graphs: Sequence[ExportGraph],
        called: Sequence[str],
        texts: Mapping[str, Plaintext] | None,
        references: Mapping[str, str] | None,
    ) -> None:
        self._graphs = graphs
        self._keys = [CacheKeys(graph) for graph in graphs]
        steps: list[Diff | None] = [self._compare(new - 1, new) if new else None for new in range(len(graphs))]
        same = list(self._same(steps))
        self.events = _events(graphs, steps, same)
        at: dict[int, list[Event]] = {}
        for event in self.events:
            at.setdefault(event.position, []).append(event)
        past = Past()
        self.points: list[Point] = []
        self.changes: list[StepChange] = []
        for position, graph in enumerate(graphs):
            old, before, twin = graphs[position - 1] if position else None, steps[position], same[position]
            became = None if old is None else since(old, graph, past, texts=texts, references=references)
            past.add(graph)
            words = story(graph, old, became, gone=at.get(position, ()), same="" if twin is None else called[twin])
            self.points.append(_point(graph, old, became, before, twin, words))
            if became is not None and old is not None:
                self.changes += _changes(position, old, graph, became, before)

    def _compare(self, old: int, new: int) -> Diff:
        return diff_keys(self._keys[old], self._keys[new], self._graphs[old], self._graphs[new])

    def _same(self, steps: Sequence[Diff | None]) -> Iterator[int | None]:
        """Find the latest earlier export with the same keys and results, of the last two."""
        digests = [frozenset(record.digest for record in graph.export.config.records) for graph in self._graphs]
        for position, before in enumerate(steps):
            if before is not None and not before:
                yield position - 1
            # A key needs its digest: where these differ, nothing has to be matched.
            elif (
                position > 1
                and digests[position - 2] == digests[position]
                and not self._compare(position - 2, position)
            ):
                yield position - 2
            else:
                yield None


def _point(
    graph: ExportGraph,
    old: ExportGraph | None,
    became: Since | None,
    before: Diff | None,
    same: int | None,
    said: str,
) -> Point:
    side = measure(graph)
    return Point(
        source=side.source,
        platform=graph.export.platform,
        at=made_at(graph),
        records=side.records,
        steps=side.steps,
        loadable=side.loadable,
        carried=side.carried,
        coverage=side.loadable / side.steps if side.steps else None,
        bytes=side.bytes,
        new_bytes=None if old is None else _new_bytes(old, graph),
        ran=None if became is None else len(became.ran),
        kept=None if became is None else len(became.kept),
        unknown=None if became is None else len(became.unknown),
        cause=None if became is None else cause_word(became),
        keys_gained=before.count("key gained") if before is not None else None,
        keys_lost=before.count("key lost") if before is not None else None,
        results_lost=before.count("result lost") if before is not None else None,
        same_as=same,
        said=said,
    )


def _new_bytes(old: ExportGraph, new: ExportGraph) -> int | None:
    """Add up the blobs of loadable results that the older export does not list."""
    there = {layer.blob for layer in old.export.config.layers}
    blobs = {new.export.config.layers[layer].blob for layer, used in enumerate(new.used_layers) if used} - there
    sizes = [new.sizes.get(blob) for blob in blobs]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _changes(
    position: int, old: ExportGraph, new: ExportGraph, became: Since, before: Diff | None
) -> Iterator[StepChange]:
    told: list[tuple[Became, ExportGraph, Sequence[int]]] = [
        ("ran", new, became.ran),
        ("cannot tell", new, became.unknown),
    ]
    lost = {change.old for change in before or () if change.change == "key lost"}
    told.append(("went", old, [step for step in asked(old) if step in lost]))
    for word, graph, records in told:
        for record in records:
            yield StepChange(
                position=position,
                became=word,
                record=record,
                digest=graph.export.config.records[record].digest,
                name=graph.naming(record).name,
            )


def _events(graphs: Sequence[ExportGraph], steps: Sequence[Diff | None], same: Sequence[int | None]) -> list[Event]:
    found: list[Event] = []
    gone: Counter[str] = Counter()  # results that went and are not back, by digest
    for position, before in enumerate(steps):
        if before is not None and same[position] == position - 2 and before.count("key gained"):
            source = graphs[position - 2].export.source
            found.append(Event(kind="alternates", position=position, record=None, digest="", name="", since=source))
        for change in before or ():
            kind: EventKind
            if change.change == "result lost":
                if _is_superseded(graphs[position], change):
                    continue
                kind = "result gone"
                gone[change.digest] += 1
            elif change.change == "result gained" and gone[change.digest]:
                kind = "result back"
                gone[change.digest] -= 1
            else:
                continue
            found.append(
                Event(
                    kind=kind,
                    position=position,
                    record=change.new,
                    digest=change.digest,
                    name=change.name,
                    since=made_at(graphs[position - 1]),
                    blob=_lost_blob(graphs[position], change) if kind == "result gone" else None,
                )
            )
    return found


def _is_superseded(graph: ExportGraph, change: Change) -> bool:
    """Tell whether a result went because this build asked for another one in its place, which is not a loss."""
    record = change.new
    if record in uncached(graph) and uncached(graph)[record].cause == "earlier-build":
        return True
    if record is None or len(graph.results(record)):  # results that cannot be loaded: the blobs are gone
        return False
    return any(
        graph.loadable[index] and found.digest == change.digest
        for index, found in enumerate(graph.export.config.records)
    )


def _lost_blob(graph: ExportGraph, change: Change) -> str | None:
    """Give the blob for whose lack a result cannot be loaded."""
    cause = None if change.new is None else uncached(graph).get(change.new)
    return cause.blob if cause is not None and cause.cause == "lost-blob" else None


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
