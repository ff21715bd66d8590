"""The keys that a recorded build asked for, as the graph of an export.

Provenance tells each operation and so its digest. What it does not tell is the content of files: a slot that BuildKit
also looks up by content is noted as unknown, and what comes from a local folder has no other key at all.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cachegraph.builds.cachemaps import Dependency, dependencies
from cachegraph.builds.dockerbuild.operations import Operation, Operations
from cachegraph.core.digests import sha256
from cachegraph.core.model import CacheConfig, CacheExport, CacheInput, CacheRecord

__all__ = ["BuildKeys", "build_keys", "paths", "takings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildKeys:
    """The keys of a build.

    Attributes
    ----------
    export : CacheExport
        Its ``unknown`` says which slots may take content that is not known.
    vertices : tuple of str
        For each record, the vertex that it comes from.
    """

    export: CacheExport
    vertices: tuple[str, ...]


def takings(operation: Operation) -> tuple[Dependency, ...]:
    """Say by which paths and content a step takes each of its inputs, slot by slot.

    Parameters
    ----------
    operation : Operation
    """
    return dependencies(operation.step.op.op, len(operation.inputs))


def paths(dependency: Dependency) -> tuple[str, ...]:
    """Name the paths that an input is narrowed to; none for all of it."""
    return tuple(os.fsdecode(path) for path in dependency.selector.split(b"\0")) if dependency.selector else ()


def build_keys(operations: Operations, source: str) -> BuildKeys:
    """Lay the keys of a build out as an export does.

    Parameters
    ----------
    operations : Operations
    source : str
        What errors and reports call the build.
    """
    return _Layout(operations.steps).keys(source)


class _Layout:
    """Gives every output of every step a record, what it takes first."""

    def __init__(self, steps: Mapping[str, Operation]) -> None:
        self.steps = steps
        self.records: list[CacheRecord] = []
        self.vertices: list[str] = []
        self.place: dict[tuple[str, int], int] = {}
        self.unknown: set[tuple[int, int]] = set()

    def keys(self, source: str) -> BuildKeys:
        for vertex in self._ordered():
            self._add(vertex, self.steps[vertex])
        export = CacheExport(
            source=source,
            kind="config",
            config=CacheConfig(records=tuple(self.records)),
            config_digest=sha256("\n".join(self.vertices).encode()),
            config_bytes=0,
            results_known=False,
            unknown=frozenset(self.unknown),
        )
        return BuildKeys(export=export, vertices=tuple(self.vertices))

    def _ordered(self) -> Sequence[str]:
        """List the steps, inputs first; those on a loop, which no build has, are left out."""
        waiting = {vertex: len({v for v, _ in step.inputs if v in self.steps}) for vertex, step in self.steps.items()}
        takers: dict[str, dict[str, None]] = defaultdict(dict)  # in order: indices are the same in every run
        for vertex, step in self.steps.items():
            for taken, _ in step.inputs:
                takers[taken][vertex] = None
        order = [vertex for vertex, count in waiting.items() if not count]
        for vertex in order:  # grows while it is walked
            for taker in takers[vertex]:
                waiting[taker] -= 1
                if not waiting[taker]:
                    order.append(taker)
        return order

    def _add(self, vertex: str, operation: Operation) -> None:
        digests = operation.record_digests
        slots, open_slots = self._slots(operation)
        for position, output in enumerate(operation.outputs):
            index = len(self.records)
            self.place[vertex, output] = index
            if digests:
                self.records.append(CacheRecord(digest=digests[position], inputs=slots))
            else:  # a local folder, or a source whose key provenance does not tell
                self.records.append(CacheRecord(digest=f"unknown:{vertex}@{output}", inputs=slots))
                if digests is None:
                    self.unknown.add((index, -1))
            self.vertices.append(vertex)
            self.unknown |= {(index, slot) for slot in open_slots}

    def _slots(self, operation: Operation) -> tuple[tuple[tuple[CacheInput, ...], ...], list[int]]:
        """Lay out the slots, and say which may take unknown content."""
        slots: list[tuple[CacheInput, ...]] = []
        opened: list[int] = []
        for number, ((vertex, output), taking) in enumerate(zip(operation.inputs, takings(operation), strict=True)):
            index = self.place.get((vertex, output))
            selector = "" if taking.selector is None else sha256(taking.selector)
            slots.append(() if index is None else (CacheInput(selector=selector, link=index),))
            if taking.content is not None or index is None:
                opened.append(number)
        return tuple(slots), opened
