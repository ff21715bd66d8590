"""Why the steps of a recorded build ran: what ran is known, and only the content of files is not.

A step of which a cache has the instruction with a result, and which ran all the same, must have missed in an input. Of
its inputs those are named that cannot match; where all can, the one whose content the record does not tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cachegraph.builds.dockerbuild.keys import paths, takings
from cachegraph.builds.dockerbuild.model import BuildRecord, RecordStep
from cachegraph.builds.operation_names import clean
from cachegraph.core.graph import ExportGraph
from cachegraph.core.results import State
from cachegraph.solver.caches import Caches
from cachegraph.solver.causes import MAX_BEGINS, Explanation, Miss, MissKind
from cachegraph.solver.counterparts import Counterparts
from cachegraph.solver.grouping import Costs, group
from cachegraph.solver.key_meanings import Texts
from cachegraph.solver.loads import Loadable
from cachegraph.solver.meanings import Meaning
from cachegraph.solver.outlook import Assumption, Outlook
from cachegraph.solver.sentences import NAMELESS, Said, first_miss

__all__ = ["explain_record"]

_STAGE = re.compile(r"\[(?:\S+ )?(?P<stage>\S+) \d+/\d+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    record: int
    slots: tuple[_Slot, ...]


def explain_record(
    record: BuildRecord,
    caches: Caches,
    texts: Texts,
    references: Mapping[str, str],
    meanings: Mapping[str, Meaning],
) -> Explanation:
    """Say why the steps of a recorded build ran.

    Parameters
    ----------
    record : BuildRecord
    caches : Caches
        What it imported, as far as it could be read.
    texts : Texts
        Plaintexts of the caches; the record brings its own.
    references : mapping of str to str
    meanings : mapping of str to Meaning
    """
    if not record.has_provenance:
        return _without_keys(record, caches)
    known = {**texts, **record.texts}
    return _Explainer(record, caches, known, {**references, **record.references}, meanings).explain()


def _whole(record: BuildRecord, caches: Caches) -> MissKind | None:
    """Say what holds for every step, whatever its key; None where the keys must be looked at."""
    imports = record.cache_imports
    if imports and all(entry.read is False for entry in imports):
        return "cache-missing"
    if caches.given and not caches.loads:
        return "cache-refused"
    if caches.given:
        return None
    return "unknown" if imports else "no-cache"


def _asked(record: BuildRecord, step: RecordStep) -> bool:
    """Tell whether the build was told not to use the cache for a step."""
    stages = record.attributes.get("no-cache")
    if stages is None:
        return False
    found = _STAGE.match(step.name)
    return not stages or (found is not None and found["stage"] in stages.split(","))


def _notes(record: BuildRecord, caches: Caches) -> Iterable[str]:
    for entry in record.cache_imports:
        where = entry.spec or f"type={entry.type}"
        if entry.read is False:
            yield f"The cache {where} could not be read: {entry.error}."
        elif entry.spec is None and not caches.given:
            yield f"The record does not say where the cache {where} was: give it with --cache-from."
    if not record.cache_imports and caches.given:
        yield "The build itself was given no cache: this compares it with the one given here."
    for refused in caches.not_imported:
        yield f"BuildKit refuses {refused.source}: {refused.error}. Export it again; `cachegraph check` says more."
    if record.error is not None:
        yield f"The build failed: {record.error}"


def _without_keys(record: BuildRecord, caches: Caches) -> Explanation:
    """Explain a record without provenance: its steps have names and no keys."""
    whole = _whole(record, caches) or "unknown"
    steps = [(index, step) for index, step in enumerate(record.steps) if step.inputs]
    misses = [
        Miss(
            record=index,
            digest=step.digest,
            name=step.name,
            kind="asked-for" if _asked(record, step) else whole,
            first=True,
            begins=(index,),
            seconds=step.seconds,
        )
        for index, step in steps
        if step.executed
    ]
    empty = ExportGraph(record.keys.export)
    seconds = {miss.record: miss.seconds for miss in misses if miss.seconds is not None}
    causes = group(misses, {}, _NoBytes(empty, [], seconds), caches)
    notes = [*_notes(record, caches)]
    if whole == "unknown" and misses:
        notes.append(
            "Cannot tell more: the record has no provenance (BuildKit keeps none of a failed build), so no keys."
        )
    return Explanation(
        misses, build=record.source, caches=caches.given, causes=causes, notes=tuple(notes), steps=len(steps)
    )


class _NoBytes(Costs):
    """Costs of a record: it tells seconds, and no bytes."""

    def bytes(self, records: Iterable[int]) -> int | None:  # noqa: ARG002 - nothing tells
        """Give None."""
        return None


class _Explainer:
    """Explains a record with provenance."""

    def __init__(
        self,
        record: BuildRecord,
        caches: Caches,
        texts: Texts,
        references: Mapping[str, str],
        meanings: Mapping[str, Meaning],
    ) -> None:
        self.record = record
        self.caches = caches
        self.build = ExportGraph(record.keys.export, record.names)
        self.vertices = record.keys.vertices
        self.best = Outlook(self.build, caches.loads, Assumption())
        self.worst = Outlook(self.build, caches.loads, Assumption(hopeful=False))
        steps = [index for index in self.build.links.order if not self.build.is_root(index)]
        self.found = Counterparts(
            build=self.build,
            outlook=self.best,
            steps=steps,
            texts=texts,
            references=references,
            meanings=meanings,
        )
        self.whole = _whole(record, caches)
        self.missed: dict[int, bool | None] = {}
        self.begins: dict[int, tuple[int, ...]] = {}

    def explain(self) -> Explanation:
        records = self.build.export.config.records
        misses: list[Miss] = []
        seen: set[str] = set()
        for index in self.build.links.order:
            step = self._step(index)
            if not records[index].inputs or step is None:
                continue
            self._follow(index, step)
            if step.executed and self.vertices[index] not in seen:
                seen.add(self.vertices[index])
                misses.append(self._miss(index, step))
        seconds = {miss.record: miss.seconds for miss in misses if miss.seconds is not None}
        causes = group(misses, self._needers(misses), _NoBytes(self.build, [], seconds), self.caches)
        steps = {self.vertices[i] for i, record in enumerate(records) if record.inputs and self._step(i)}
        notes = list(_notes(self.record, self.caches))
        if any(miss.first and miss.kind == "key-absent" and miss.was is None for miss in misses):
            notes.append(NAMELESS)
        notes += self._keyless(misses)
        return Explanation(
            misses,
            build=self.build.export.source,
            caches=self.caches.given,
            causes=causes,
            notes=tuple(notes),
            steps=len(steps),
        )

    def _step(self, index: int) -> RecordStep | None:
        return self.record.by_digest.get(self.vertices[index])

    def _needers(self, misses: Iterable[Miss]) -> dict[int, int]:
        """Tell for whose sake a step with a key ran: the first that ran and takes it."""
        ran = {miss.record for miss in misses}
        return {
            miss.record: next(
                (taker for taker in self.build.links.dependents[miss.record] if taker in ran), miss.record
            )
            for miss in misses
        }

    def _keyless(self, misses: Iterable[Miss]) -> Iterator[str]:
        """Name the sources of first misses whose keys provenance does not tell, and why."""
        steps, asked = self.record.operations.steps, ("input-differs", "unknown")
        first = [steps[self.vertices[miss.record]] for miss in misses if miss.first and miss.kind in asked]
        for vertex in dict.fromkeys(vertex for operation in first for vertex, _ in operation.inputs):
            taken, step = steps.get(vertex), self.record.by_digest.get(vertex)
            if taken is not None and taken.unknown is not None:
                name = clean(step.name) if step is not None else "a source"
                yield f"Cannot tell whether {name} was cached by its own key: {clean(taken.unknown)}."

    # --- What missed -------------------------------------------------------------------------------------------------

    def _follow(self, index: int, step: RecordStep) -> None:
        """Say whether a step's key is in no cache, and with which steps that begins."""
        self.missed[index] = self._is_missed(index, step)
        if not self.missed[index]:
            return
        found: dict[int, None] = {}
        for slot in self.build.export.config.records[index].inputs:
            for alternative in slot:
                if self.missed.get(alternative.link):
                    found |= dict.fromkeys(self.begins[alternative.link])
        self.begins[index] = tuple(found)[:MAX_BEGINS] or (index,)

    def _is_missed(self, index: int, step: RecordStep) -> bool | None:
        if not self.found.has_instruction(index) or not self.best.matched(index):
            return True
        if self.worst.matched(index) or not step.executed:
            return False
        return True if self.best.loadable(index) else None

    def _kind(self, index: int, step: RecordStep) -> MissKind:
        if _asked(self.record, step):
            return "asked-for"
        if self.whole is not None:
            return self.whole
        state = self._state(index)
        if state == "with-result" and self.missed[index] is False:
            return "another-source" if len(self.caches.loads) > 1 else "unknown"
        kinds: dict[str, MissKind] = {
            "absent": "key-absent",
            "with-result": "input-differs",
            "lost": "blob-gone",
            "key-only": "key-without-result",
        }
        return kinds[state]

    def _state(self, index: int) -> str:
        """Say what the caches have under a step's digest, on whatever inputs."""
        digest = self.build.export.config.records[index].digest
        found = "absent"
        for loads in self.caches.loads:
            export = loads.keys.export
            for key in self._keys(export, digest):
                if loads.keys.key[key] >= 0 and loads.state(loads.keys.key[key]) in (Loadable.YES, Loadable.UNKNOWN):
                    return "with-result"
                lost = any(export.state(result) is not State.LOADABLE for result in export.results(key))
                found = "lost" if lost else found if found == "lost" else "key-only"
        return found

    def _keys(self, export: object, digest: str) -> list[int]:
        if not hasattr(self, "_by_digest"):
            self._by_digest: dict[int, dict[str, list[int]]] = {}
            for loads in self.caches.loads:
                known = self._by_digest.setdefault(id(loads.keys.export), {})
                for index, record in enumerate(loads.keys.export.export.config.records):
                    known.setdefault(record.digest, []).append(index)
        return self._by_digest[id(export)].get(digest, [])

    # --- In words ----------------------------------------------------------------------------------------------------

    def _miss(self, index: int, step: RecordStep) -> Miss:
        kind = self._kind(index, step)
        begins = self.begins.get(index, (index,))
        first = begins == (index,)
        slots = self._slots(index) if first and kind in ("key-absent", "input-differs") else ()
        said = self._said(index, kind, slots) if first else Said()
        return Miss(
            record=index,
            digest=self.build.export.config.records[index].digest,
            name=step.name,
            kind=kind,
            first=first,
            begins=begins if kind in ("key-absent", "input-differs") else (index,),
            slots=slots,
            topic=said.topic,
            changed=said.changed,
            was=said.was,
            now=said.now,
            seconds=step.seconds,
        )

    def _slots(self, index: int) -> tuple[int, ...]:
        """Name the slots that differ: those that cannot match, else those whose content is not known."""
        unknown = self.build.export.unknown
        slots = self.build.export.config.records[index].inputs
        closed = [
            number
            for number, slot in enumerate(slots)
            if (index, number) not in unknown and not any(self.best.matched(a.link) for a in slot)
        ]
        if closed or not self.found.has_instruction(index):
            return tuple(closed)
        return tuple(number for number in range(len(slots)) if (index, number) in unknown)

    def _said(self, index: int, kind: MissKind, slots: tuple[int, ...]) -> Said:
        unknown = self.build.export.unknown
        if kind != "input-differs" or not any((index, slot) in unknown for slot in slots):
            step = _Step(record=index, slots=tuple(_Slot(slot=slot) for slot in slots))
            return first_miss(self.found, step, kind)
        operation = self.record.operations.steps[self.vertices[index]]
        said = [
            self._place(operation.inputs[slot][0], path) for slot in slots for path in paths(takings(operation)[slot])
        ]
        what = ", ".join(dict.fromkeys(said)) or "the files that it takes"
        return Said(topic="files", changed=(f"the content of {what} differs",))

    def _place(self, vertex: str, path: str) -> str:
        """Name files: a path, with the step or folder that it is in."""
        taken = self.record.operations.steps.get(vertex)
        local = taken.source.identifier.removeprefix("local://") if taken is not None and taken.source else ""
        if local:
            folder = "the build context" if local == "context" else f"the context {local}"
            return path.lstrip("/") or folder if local == "context" else f"{path} of {folder}"
        step = self.record.by_digest.get(vertex)
        return f"{path} of {step.name}" if step is not None else path
