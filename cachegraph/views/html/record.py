"""One record: its inputs, its results, what depends on it, and what the questions say of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheInput, Op
from cachegraph.core.times import rfc3339
from cachegraph.queries import merge_subsets, missing_results, unreachable_roots
from cachegraph.queries.base import Finding
from cachegraph.queries.catalogue import get
from cachegraph.schema.facts import whole
from cachegraph.text.clean import legal, one_line
from cachegraph.text.render import render
from cachegraph.text.words import plural, size_text
from cachegraph.views.states import LOOKS, State, states
from cachegraph.views.words import caption, short

__all__ = ["Alternative", "RecordView", "Result", "look_at", "look_at_all"]

_MOST = 20
"""Dependents that are listed before the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One alternative of a slot.

    Attributes
    ----------
    record : int
        Index of the record that it takes, as the export says it; it may be out of range in an export that BuildKit
        refuses.
    title : str
        Its name, or what its digest gives away.
    selector : str
        Digest of the paths that it is narrowed to; empty for all.
    path : str or None
        Those paths, where known.
    state : str or None
        What the record is worth (see `cachegraph.views.states`); None if there is no such record.
    """

    record: int
    title: str
    selector: str
    path: str | None
    state: State | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One result of a record.

    Attributes
    ----------
    kind : str
        ``layer`` (a layer with all of its parents) or ``chain`` (exactly these layers).
    layers : tuple of int
        Indexes of layers, bottom first.
    blobs : tuple of str
        Their digests.
    size : int or None
        Bytes of the blobs together; None where one is unknown.
    created_at : str or None
        RFC 3339, in UTC; None where unknown, or outside of the years 1678 to 2261.
    loadable : bool
    reason : str or None
        Why not: ``blob-missing``, ``blob-not-listed``, ``invalid``.
    """

    kind: str
    layers: tuple[int, ...]
    blobs: tuple[str, ...]
    size: int | None
    created_at: str | None
    loadable: bool
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RecordView:
    """A record: its inputs, its results, what depends on it, and what the questions say of it.

    Attributes
    ----------
    export : str
        Id of the export.
    index : int
        Index in the export's own ``records``.
    digest : str
    op : str
        ``unknown`` where that is not known.
    name : str or None
    state : str
        See `cachegraph.views.states`.
    slots : tuple of tuple of Alternative
        A slot is matched by one of its alternatives, the record by all of its slots.
    results : tuple of Result
        In BuildKit's order.
    dependents : tuple of int
        Records that take this one as an input.
    downstream : int
        How many depend on it, directly or not.
    downstream_loadable : int
        How many of those are loadable.
    findings : tuple of Finding
        What the questions about records say of it.
    """

    export: str
    index: int
    digest: str
    op: Op
    name: str | None
    state: State
    slots: tuple[tuple[Alternative, ...], ...]
    results: tuple[Result, ...]
    dependents: tuple[int, ...]
    downstream: int
    downstream_loadable: int
    findings: tuple[Finding, ...]

    @property
    def loadable(self) -> bool:
        """Whether it has a loadable result."""
        return any(result.loadable for result in self.results)

    def __repr__(self) -> str:
        """Name it in one line; `str` says all of it."""
        return f"<RecordView of record {self.index}: {one_line(self.name or self.digest)}, {self.state}>"

    def __str__(self) -> str:
        """Say all of it in plain text."""
        lines = [f"record {self.index}: {legal(self.name or self.digest)}", f"  {LOOKS[self.state].meaning}"]
        for number, slot in enumerate(self.slots):
            lines.append(f"  slot {number}: " + (" or ".join(_input(a) for a in slot) or "empty"))
        lines += [f"  {result.kind}: {_held(result)}" for result in self.results]
        lines.append(f"  {self._dependents_text()}")
        lines += [f"  {finding.severity}: {legal(finding.message)}" for finding in self.findings]
        return "\n".join(lines)

    def _dependents_text(self) -> str:
        if not self.downstream:
            return "no record depends on it"
        depend = "depends" if self.downstream == 1 else "depend"
        more = f" and {len(self.dependents) - _MOST:,} more (.dependents)" if len(self.dependents) > _MOST else ""
        directly = ", ".join(map(str, self.dependents[:_MOST])) + more
        count = f"{plural(self.downstream, 'record')} {depend} on it, {self.downstream_loadable:,} loadable"
        return f"{count}; directly {directly}"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Show it in a notebook."""
        page = render(
            "cachegraph.views.html/record.html.jinja",
            record=self,
            looks=LOOKS,
            depend=self._dependents_text(),
            short=short,
            size=size_text,
        )
        return {"text/plain": str(self), "text/html": page}


def _input(alternative: Alternative) -> str:
    at = alternative.path or (short(alternative.selector) if alternative.selector else "")
    return f"record {alternative.record} ({alternative.title}{', at ' + legal(at) if at else ''})"


def _held(result: Result) -> str:
    state = "loadable" if result.loadable else f"not loadable ({result.reason})"
    return f"layers {list(result.layers)}, {size_text(result.size)}, {result.created_at or 'time unknown'}, {state}"


def look_at(graph: ExportGraph, record: int) -> RecordView:
    """Gather what there is to know of a record.

    Parameters
    ----------
    graph : ExportGraph
    record : int

    Returns
    -------
    RecordView
        Of the whole export, in a window (see `cachegraph.schema.focus`) too.

    Raises
    ------
    cachegraph.errors.UnknownNameError
        No such record.
    """
    graph.record(record)
    return next(look_at_all(graph, [record]))


def look_at_all(graph: ExportGraph, records: Iterable[int]) -> Iterator[RecordView]:
    """Gather what there is to know of several records; what is asked of the whole export is asked once.

    Parameters
    ----------
    graph : ExportGraph
    records : iterable of int

    Yields
    ------
    RecordView
    """
    of = states(graph)
    findings: dict[int | None, list[Finding]] = {}
    for query in (missing_results.QUERY, unreachable_roots.QUERY, merge_subsets.QUERY):
        for finding in query.ask(graph):
            findings.setdefault(finding.record, []).append(finding)
    for record in records:
        found, naming = graph.export.config.records[record], graph.naming(record)
        above = graph.links.above(record)
        yield RecordView(
            export=graph.id,
            index=record,
            digest=found.digest,
            op=naming.op,
            name=naming.name or None,
            state=of[record],
            slots=tuple(tuple(_alternative(graph, a, of) for a in slot) for slot in found.inputs),
            results=tuple(_result(graph, result) for result in graph.results(record)),
            dependents=tuple(graph.links.dependents[record]),
            downstream=len(above),
            downstream_loadable=sum(graph.loadable[other] for other in above),
            findings=tuple(get(f.query).worded(f, graph.title) for f in findings.get(record, ())),
        )


def _alternative(graph: ExportGraph, alternative: CacheInput, of: list[State]) -> Alternative:
    there = 0 <= alternative.link < len(graph)
    return Alternative(
        record=alternative.link,
        title=caption(graph, alternative.link, 40) if there else "no such record",
        selector=alternative.selector,
        path=graph.names.selectors.get(alternative.selector),
        state=of[alternative.link] if there else None,
    )


def _result(graph: ExportGraph, result: int) -> Result:
    facts = whole(graph, "Result")
    created_at = facts["created_at"][result]
    return Result(
        kind=facts["kind"][result],
        layers=tuple(graph.result_layers(result)),
        blobs=graph.result_blobs(result),
        size=facts["bytes"][result],
        created_at=None if created_at is None else rfc3339(created_at),
        loadable=facts["loadable"][result],
        reason=facts["reason"][result],
    )
