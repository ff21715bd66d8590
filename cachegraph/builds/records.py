"""From operations to the records that BuildKit would export of the build: a graph like that of any cache.

Every slot lists what can be known before the build: the key of what it takes, and the key of its content. A slot whose
content a step has to make first is marked, and so is an operation that is not known itself (`CacheExport.unknown`).
Operations that stand on a folder of the client get a new key in each build, so they are in no cache and not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.keys import Keys, Remotes, content_record, key_of
from cachegraph.builds.operation_names import clean
from cachegraph.builds.operations import Operation
from cachegraph.builds.trees import Trees
from cachegraph.core.model import CacheConfig, CacheExport, CacheInput, CacheRecord, Name, Names, Op

__all__ = ["BuildStep", "Recorded", "in_order", "op_of", "record_build"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStep:
    """An operation of the build, and what became of it.

    Attributes
    ----------
    operation : Operation
    record : int or None
        Its record; None where it can have none, since it gets a new key in each build.
    unknown : tuple of Unknown
        What is not known of it: its own key, or the content of a slot.
    """

    operation: Operation
    record: int | None
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The records of a build.

    Attributes
    ----------
    export : CacheExport
    names : Names
    steps : tuple of BuildStep
        All operations, inputs first.
    """

    export: CacheExport
    names: Names
    steps: tuple[BuildStep, ...]


def record_build(
    targets: Iterable[Operation | None],
    trees: Trees,
    remotes: Remotes | None = None,
    *,
    source: str = "Dockerfile",
    file: str = "Dockerfile",
) -> Recorded:
    """Compute the records of a build.

    Parameters
    ----------
    targets : iterable of Operation or None
    trees : Trees
    remotes : Remotes, optional
    source : str
        What the export is called.
    file : str
        What the Dockerfile is called.

    Raises
    ------
    DockerfileError
        Something that an instruction takes is not there: BuildKit would end the build.
    """
    recorder = _Recorder(trees=trees, remotes=remotes, file=file)
    for operation in in_order(targets):
        recorder.add(operation)
    return recorder.finish(source)


def in_order(targets: Iterable[Operation | None]) -> list[Operation]:
    """List operations, inputs first, each once."""
    done: dict[str, Operation] = {}
    waiting = [target for target in reversed(list(targets)) if target is not None]
    while waiting:
        operation = waiting[-1]
        missing = [source for source in operation.inputs if source.identity not in done]
        if operation.identity not in done and missing:
            waiting += reversed(missing)
            continue
        done.setdefault(operation.identity, operation)
        waiting.pop()
    return list(done.values())


@dataclass(slots=True, kw_only=True)
class _Recorder:
    trees: Trees
    remotes: Remotes | None
    file: str
    records: list[CacheRecord] = field(default_factory=list)
    unknown: set[tuple[int, int]] = field(default_factory=set)
    steps: list[BuildStep] = field(default_factory=list)
    _known: dict[tuple[str, tuple[tuple[CacheInput, ...], ...]], int] = field(default_factory=dict)
    _of: dict[str, int | None] = field(default_factory=dict)
    _names: dict[str, dict[str, None]] = field(default_factory=dict)
    _ops: dict[str, Op] = field(default_factory=dict)

    def add(self, operation: Operation) -> None:
        """Add the record of an operation whose inputs were added before."""
        key = key_of(operation, self.remotes)
        if isinstance(key, Unknown):
            record = None if key.because == "random" else self._unknown_step(operation, key)
            self._note(operation, record, (key,) if record is not None else ())
            return
        refusal = self.trees.refusal(operation)
        if refusal is not None:
            raise self._refused(operation, refusal)
        slots: list[tuple[CacheInput, ...]] = []
        open_slots: dict[int, Unknown] = {}
        for number in range(len(operation.inputs)):
            alternatives, unknown = self._slot(operation, key, number)
            if not alternatives:
                self._note(operation, None, ())
                return
            slots.append(alternatives)
            if unknown is not None:
                open_slots[number] = unknown
        record = self._record(key.record, tuple(slots))
        self.unknown |= {(record, number) for number in open_slots}
        self._name(key.record, operation)
        self._note(operation, record, tuple(open_slots.values()))

    def _slot(self, operation: Operation, key: Keys, number: int) -> tuple[tuple[CacheInput, ...], Unknown | None]:
        """List what a slot can be matched by, and say what of it is not known."""
        dependency = key.slots[number]
        source = operation.inputs[number]
        found: list[CacheInput] = []
        unknown: Unknown | None = None
        if dependency.content is not None:
            content = self.trees.content(source, dependency.content)
            if isinstance(content, Unknown):
                if content.because == "refused":
                    raise self._refused(operation, content)
                unknown = content
            else:
                digest = content_record(content)
                found.append(CacheInput(link=self._record(digest, ())))
                self._ops.setdefault(digest, "content")
        taken = self._of[source.identity]
        if taken is not None:
            found.append(CacheInput(selector=_digest(dependency.selector), link=taken))
        elif unknown is not None and not found:
            found.append(CacheInput(link=self._placeholder(f"{operation.identity} {number}", ())))
        return tuple(found), unknown

    def _unknown_step(self, operation: Operation, unknown: Unknown) -> int:
        """Make a record for an operation whose key is not known."""
        del unknown
        slots = []
        for number, source in enumerate(operation.inputs):
            taken = self._of[source.identity]
            link = self._placeholder(f"{operation.identity} {number}", ()) if taken is None else taken
            slots.append((CacheInput(link=link),))
        record = self._placeholder(operation.identity, tuple(slots))
        self._name(self.records[record].digest, operation)
        return record

    def _placeholder(self, text: str, slots: tuple[tuple[CacheInput, ...], ...]) -> int:
        record = self._record(f"unknown:{sha256(text.encode()).hexdigest()}", slots)
        self.unknown.add((record, -1))
        return record

    def _record(self, digest: str, slots: tuple[tuple[CacheInput, ...], ...]) -> int:
        identity = (digest, slots)
        if identity not in self._known:
            self._known[identity] = len(self.records)
            self.records.append(CacheRecord(digest=digest, inputs=slots))
        return self._known[identity]

    def _note(self, operation: Operation, record: int | None, unknown: Sequence[Unknown]) -> None:
        self._of[operation.identity] = record
        self.steps.append(BuildStep(operation=operation, record=record, unknown=tuple(unknown)))

    def _name(self, digest: str, operation: Operation) -> None:
        label = operation.label
        name = f"{label.name} ({self.file}:{label.start})" if label.start else label.name
        self._names.setdefault(digest, {})[name] = None
        self._ops.setdefault(digest, op_of(operation))

    def _refused(self, operation: Operation, unknown: Unknown) -> DockerfileError:
        label = operation.label
        return DockerfileError(f"{label.name}: {unknown.reason}", file=self.file, line=label.start)

    def finish(self, source: str) -> Recorded:
        """Give the records as one export."""
        # BuildKit exports nothing of a build that is a source and nothing else.
        if not any(record.inputs for record in self.records):
            self._drop_sources()
        config = CacheConfig(records=tuple(self.records))
        data = msgspec.json.encode(config)
        names: Mapping[str, Name] = {
            digest: Name(op=self._ops[digest], name=clean("; ".join(found))) for digest, found in self._names.items()
        }
        return Recorded(
            export=CacheExport(
                source=source,
                kind="config",
                config=config,
                config_digest=_digest(data),
                config_bytes=len(data),
                unknown=frozenset(self.unknown),
            ),
            names=Names(records=names),
            steps=tuple(self.steps),
        )

    def _drop_sources(self) -> None:
        if all(step.operation.origin is not None for step in self.steps):
            self.records.clear()
            self.unknown.clear()
            self.steps = [BuildStep(operation=step.operation, record=None, unknown=step.unknown) for step in self.steps]


def op_of(operation: Operation) -> Op:
    """Say what kind of record an operation makes."""
    op = operation.op
    return "exec" if op.exec else "file" if op.file else "merge" if op.merge else "source"


def _digest(text: bytes | None) -> str:
    return "" if text is None else f"sha256:{sha256(text).hexdigest()}"
