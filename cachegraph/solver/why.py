"""What keeps a record, a layer or a blob: what uses it, the way to it, and what is lost without it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UnknownNameError
from cachegraph.solver.rows import Rows
from cachegraph.solver.single import Graphs, single
from cachegraph.text.words import plural, size_text

__all__ = ["Reason", "Why", "why"]

Relation = Literal["uses", "way", "lost"]
Thing = Literal["record", "layer", "blob"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One record that has to do with it.

    Attributes
    ----------
    relation : {"uses", "way", "lost"}
        It uses it (takes the record, or has a result with the layer or blob); it is a step of the shortest way from a
        source to it; or it can be loaded only thanks to it.
    record : int
        Index in the export.
    digest, name : str
    detail : str
        Which slot or result.
    """

    relation: Relation
    record: int
    digest: str
    name: str
    detail: str


class Why(Rows[Reason]):
    """What keeps one thing in an export.

    Attributes
    ----------
    what : {"record", "layer", "blob"}
    label : str
        The thing, as a sentence names it.
    bytes : int or None
        What it takes; None where nothing says.
    """

    row = Reason

    def __init__(self, reasons: Iterable[Reason], what: Thing, label: str, size: int | None) -> None:
        super().__init__(reasons)
        self.what = what
        self.label = label
        self.bytes = size

    def records(self, relation: Relation) -> tuple[int, ...]:
        """List the records of one relation, each once."""
        return tuple(dict.fromkeys(row.record for row in self if row.relation == relation))

    @property
    def summary(self) -> str:
        """The answer in a line."""
        uses, lost = len(self.records("uses")), len(self.records("lost"))
        used = f"used by {plural(uses, 'record')}" if uses else "used by nothing"
        size = "" if not self.bytes else f" ({size_text(self.bytes)})"
        without = f"without it {plural(lost, 'step')} could not be loaded" if lost else "without it no step is lost"
        return f"{self.label}{size} is {used}; {without}."


def why(graph: Graphs, what: int | str) -> Why:
    """Say what keeps a record, a layer or a blob in an export.

    Parameters
    ----------
    graph : ExportGraph, or a graph of one export
    what : int or str
        Index of a record; ``layer:N`` for a layer; or a digest of a record or blob, whole or its beginning, with or
        without ``sha256:``.

    Returns
    -------
    Why

    Raises
    ------
    cachegraph.errors.UnknownNameError
        Nothing of that name, or several.
    cachegraph.errors.UsageError
        Not one export.
    """
    export = single(graph, "what is asked about")
    kind, found = _named(export, str(what))
    if kind == "record":
        return _why_record(export, found)
    return _why_layers(export, kind, found)


def _named(graph: ExportGraph, what: str) -> tuple[Thing, list[int]]:
    """Find what is meant: records, or layers."""
    config = graph.export.config
    place = graph.export.source
    if what.isdecimal() and len(what) < 12:
        graph.record(int(what))
        return "record", [int(what)]
    word, _, number = what.partition(":")
    if word == "layer":
        if not number.isdecimal() or int(number) >= len(config.layers):
            raise UnknownNameError(f"{place}: no layer {number!r}", hint=f"layers are 0 to {len(config.layers) - 1}")
        return "layer", [int(number)]
    start = what if ":" in what else f"sha256:{what}"
    digests = {record.digest for record in config.records if record.digest.startswith(start)}
    blobs = {layer.blob for layer in config.layers if layer.blob.startswith(start)}
    if len(digests) + len(blobs) > 1:
        several = ", ".join(sorted(digest[:23] for digest in digests | blobs)[:5])
        raise UnknownNameError(f"{place}: {what!r} is not one thing", hint=f"give more digits; there are {several}")
    if digests:
        return "record", [i for i, record in enumerate(config.records) if record.digest in digests]
    if blobs:
        return "blob", [i for i, layer in enumerate(config.layers) if layer.blob in blobs]
    raise UnknownNameError(
        f"{place}: no record, layer or blob {what!r}", hint="give a record's index, layer:N, or the start of a digest"
    )


def _reason(graph: ExportGraph, relation: Relation, record: int, detail: str) -> Reason:
    found = graph.export.config.records[record]
    return Reason(relation=relation, record=record, digest=found.digest, name=graph.naming(record).name, detail=detail)


def _why_record(graph: ExportGraph, targets: list[int]) -> Why:
    """Explain records of one digest: those that take them, and what nothing else can reach."""
    reasons: list[Reason] = []
    asked = set(targets)
    for target in targets:
        for taker in dict.fromkeys(graph.links.dependents[target]):
            slots = [
                str(number)
                for number, slot in enumerate(graph.export.config.records[taker].inputs)
                if any(a.link == target for a in slot)
            ]
            reasons.append(_reason(graph, "uses", taker, f"slot {', '.join(slots)}"))
    reasons += [_reason(graph, "way", record, "") for record in _way(graph, asked)]
    everything = graph.matched(graph.roots)
    without = _matched_without(graph, asked)
    lost = sorted(record for record in everything - without if graph.loadable[record])
    reasons += [_reason(graph, "lost", record, "its result" if record in asked else "") for record in lost]
    label = graph.title(targets[0]) if len(targets) == 1 else f"{len(targets)} records of one digest"
    sizes = [_result_bytes(graph, target) for target in targets]
    return Why(reasons, "record", label, None if None in sizes else sum(size or 0 for size in sizes))


def _matched_without(graph: ExportGraph, left_out: set[int]) -> set[int]:
    """Find what still matches when some records are gone: AND over slots, OR over alternatives."""
    found: set[int] = set()
    for index in graph.links.order:
        slots = graph.export.config.records[index].inputs
        if index not in left_out and all(any(a.link in found for a in slot) for slot in slots):
            found.add(index)
    return found


def _way(graph: ExportGraph, targets: set[int]) -> list[int]:
    """Find the shortest way from a source to one of these records, the source first."""
    before: dict[int, int | None] = dict.fromkeys(targets)
    queue = list(before)
    for record in queue:  # grows while it is walked
        if graph.is_root(record):
            way = [record]
            while (after := before[way[-1]]) is not None:
                way.append(after)
            return way
        for dependency in graph.links.inputs[record]:
            if dependency not in before:
                before[dependency] = record
                queue.append(dependency)
    return []


def _result_bytes(graph: ExportGraph, record: int) -> int | None:
    result = graph.newest_result(record)
    if result is None:
        return 0
    sizes = [graph.sizes.get(blob) for blob in dict.fromkeys(graph.result_blobs(result))]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _why_layers(graph: ExportGraph, kind: Thing, layers: list[int]) -> Why:
    """Explain layers of one blob: the results that hold them, and the records with no other result."""
    asked = set(layers)
    reasons: list[Reason] = []
    lost: list[int] = []
    for record in range(len(graph)):
        loadable = list(graph.loadable_results(record))
        with_it = [result for result in loadable if not asked.isdisjoint(graph.result_layers(result))]
        reasons += [
            _reason(graph, "uses", record, f"result {result - graph.results(record).start}") for result in with_it
        ]
        if with_it and len(with_it) == len(loadable):
            lost.append(record)
    users = {reason.record for reason in reasons}
    reasons += [_reason(graph, "way", record, "") for record in (_way(graph, users) if users else ())]
    reasons += [_reason(graph, "lost", record, "") for record in lost]
    blob = graph.export.config.layers[layers[0]].blob
    label = f"layer {layers[0]} ({blob[:19]})" if kind == "layer" else f"blob {blob[:19]}"
    return Why(reasons, kind, label, graph.sizes.get(blob))
