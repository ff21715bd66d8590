"""The keys that a recorded build asked for, as the graph of an export.

Provenance tells each operation and so its digest. What it does not tell is the content of files: a slot that BuildKit
also looks up by content is noted as unknown, and what comes from a local folder has no other key at all.

Source: BuildKit ``solver/llbsolver/ops/exec.go`` (``CacheMap``, ``getMountDeps``) and ``file.go`` (``CacheMap``).
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cachegraph.builds import llb
from cachegraph.builds.dockerbuild.operations import Operation, Operations
from cachegraph.core.digests import sha256
from cachegraph.core.model import CacheConfig, CacheExport, CacheInput, CacheRecord

__all__ = ["BuildKeys", "Taking", "build_keys", "takings"]

_ROOT = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """How a step takes one of its inputs.

    Attributes
    ----------
    paths : tuple of str
        What of the input is taken; empty for all of it without a selector.
    by_content : bool
        Whether BuildKit also finds the input by the content of these paths.
    """

    paths: tuple[str, ...] = ()
    by_content: bool = False

    @property
    def selector(self) -> str:
        """The digest that stands for the paths in an export."""
        return sha256("\0".join(self.paths).encode(errors="surrogateescape")) if self.paths else ""


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


def takings(operation: Operation) -> tuple[Taking, ...]:
    """Say how a step takes each of its inputs, slot by slot.

    Parameters
    ----------
    operation : Operation
    """
    op = operation.step.op.op
    count = len(operation.inputs)
    if op.exec is not None:
        return _exec_takings(op.exec, count)
    if op.file is not None:
        return _file_takings(op.file, count)
    return (Taking(),) * count


def _exec_takings(operation: llb.Exec, count: int) -> tuple[Taking, ...]:
    paths: dict[int, list[str]] = defaultdict(list)
    by_content: dict[int, bool] = {}
    for mount in operation.mounts:
        if mount.input < 0:
            continue
        path = posixpath.normpath(posixpath.join(_ROOT, mount.selector))
        paths[mount.input].append(path)
        # The root is too large to be hashed, and files beside the selected ones must not get into a result. Of several
        # mounts of one input, the last one decides.
        cannot_leak = mount.output == -1 or mount.readonly or path == _ROOT
        by_content[mount.input] = cannot_leak and mount.dest != _ROOT
    return tuple(Taking(paths=tuple(paths[n]), by_content=by_content.get(n, False)) for n in range(count))


def _file_takings(operation: llb.File, count: int) -> tuple[Taking, ...]:
    paths: dict[int, list[str]] = defaultdict(list)
    for action in operation.actions:
        chosen = action.action.copy or action.action.mkfile or action.action.mkdir
        owner = chosen.owner if chosen else None
        for option, file in ((owner.user, "/etc/passwd"), (owner.group, "/etc/group")) if owner else ():
            if option and option.user.by_name:
                paths[option.user.by_name.input].append(file)
        if action.action.copy:
            paths[action.secondary_input].append(action.action.copy.src)
    written = {action.input for action in operation.actions}
    return tuple(
        Taking(paths=tuple(sorted(paths[n], reverse=True)), by_content=True)
        if n in paths and n not in written
        else Taking()
        for n in range(count)
    )


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
        takers: dict[str, set[str]] = defaultdict(set)
        for vertex, step in self.steps.items():
            for taken, _ in step.inputs:
                takers[taken].add(vertex)
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
            slots.append(() if index is None else (CacheInput(selector=taking.selector, link=index),))
            if taking.by_content or index is None:
                opened.append(number)
        return tuple(slots), opened
