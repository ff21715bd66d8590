"""Why the steps of a build ran, by first cause: ``cg.explain``.

The build is an export of any kind, or the keys computed of its source: then what runs is predicted. Of a build record
it is known (`cachegraph.solver.explain_record`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cachegraph.builds.dockerbuild.model import BuildRecord
from cachegraph.builds.plaintexts import Plaintext
from cachegraph.core.garbage import collection_paused
from cachegraph.core.graph import ExportGraph
from cachegraph.core.results import State
from cachegraph.solver.caches import Caches, Graph, prepare
from cachegraph.solver.causes import MAX_BEGINS, Explanation, Miss, MissKind
from cachegraph.solver.counterparts import Counterparts
from cachegraph.solver.explain_record import explain_record
from cachegraph.solver.grouping import Costs, group
from cachegraph.solver.key_meanings import Texts
from cachegraph.solver.meanings import Meaning
from cachegraph.solver.prediction import Prediction, Step
from cachegraph.solver.sentences import NAMELESS, Said, first_miss, inputs_said
from cachegraph.solver.single import single
from cachegraph.solver.solution import Solution, solve

__all__ = ["explain"]


def explain(
    new: Graph | BuildRecord,
    caches: Graph | Iterable[Graph],
    *,
    texts: Mapping[str, Plaintext] | None = None,
    references: Mapping[str, str] | None = None,
    meanings: Mapping[str, Meaning] | None = None,
    buildkit: str | None = None,
) -> Explanation:
    """Say why the steps of a build ran although caches were given.

    Parameters
    ----------
    new : CacheGraph or BuildRecord
        One export of the build, the keys computed of its source, or the record of a build that ran.
    caches : CacheGraph or iterable of CacheGraph
        What it imported, or what an earlier build exported; each export of each is a cache.
    texts : mapping of str to Plaintext, optional
        Plaintexts by digest, of either build: they put what changed in words.
    references : mapping of str to str, optional
        How users call images and repositories, by manifest digest or commit.
    meanings : mapping of str to Meaning, optional
        What digests stand for besides, as `cachegraph.solver.source_meanings` tells of a build's source.
    buildkit : str, optional
        Version of the builder; by default the newest.

    Returns
    -------
    Explanation
        A row for each step that ran, or may run; its causes, the one with most steps first.

    Raises
    ------
    UsageError
        The build is not one export; no such version.

    Notes
    -----
    Source: BuildKit ``solver/edge.go`` and ``solver/cachemanager.go``.
    """
    with collection_paused():
        prepared = prepare(caches, buildkit)
        if isinstance(new, BuildRecord):
            return explain_record(new, prepared, texts or {}, references or {}, meanings or {})
        build = single(new, "a build")
        return _Explainer(build, prepared, texts or {}, references or {}, meanings or {}).explain()


class _Explainer:
    """Explains a build of which an export is there, by predicting it."""

    def __init__(
        self,
        build: ExportGraph,
        caches: Caches,
        texts: Texts,
        references: Mapping[str, str],
        meanings: Mapping[str, Meaning],
    ) -> None:
        self.build = build
        self.caches = caches
        self.solution: Solution = solve(build, caches)
        self.prediction: Prediction = self.solution.predict()
        outlook = self.solution.cases[0][0]
        steps = self.solution.steps
        self.found = Counterparts(
            build=build, outlook=outlook, steps=steps, texts=texts, references=references, meanings=meanings
        )
        self.costs = Costs(build, [loads.keys.export for loads in caches.loads])
        self.begins: dict[int, tuple[int, ...]] = {}

    def explain(self) -> Explanation:
        misses = [self._miss(step) for step in self.prediction if step.executed is not False]
        causes = group(misses, self._needers(), self.costs, self.caches)
        return Explanation(
            misses,
            build=self.prediction.build,
            caches=self.caches.given,
            causes=causes,
            notes=tuple(self._notes(misses)),
            steps=len(self.prediction),
        )

    def _needers(self) -> dict[int, int]:
        """Tell for whose sake a step is needed that is cached as a key only."""
        return {
            step.record: step.needed.by for step in self.prediction if step.needed and step.needed.by != step.record
        }

    def _miss(self, step: Step) -> Miss:
        kind = self._kind(step)
        first = step.first is True
        begins = self._begin(step, first=first)
        said = first_miss(self.found, step, kind) if first else self._as_well(step, kind)
        return Miss(
            record=step.record,
            digest=step.digest,
            name=step.name or "",
            kind=kind,
            certain=step.executed is True,
            first=first,
            begins=begins,
            slots=tuple(slot.slot for slot in step.slots) if first else (),
            topic=said.topic if said else None,
            changed=said.changed if said else (),
            was=said.was if said else None,
            now=said.now if said else None,
            bytes=self.costs.bytes([step.record]),
        )

    def _as_well(self, step: Step, kind: MissKind) -> Said | None:
        """Say what else differs for a step that followed: files, or an image, that are not in the cache either."""
        own = [slot.slot for slot in step.slots if slot.kind == "content-or-source"]
        return inputs_said(self.found, step.record, own) if own and kind == "input-differs" else None

    def _kind(self, step: Step) -> MissKind:
        if step.executed is None and step.depends is not None:
            return "another-source" if step.depends.cause in ("collision", "first-answer") else "unknown"
        match step.why:
            case "no-result":
                return "blob-gone" if self._has_lost_blobs(step.record) else "key-without-result"
            case "blob-missing":
                return "blob-gone"
            case "source-not-read":
                return "cache-refused"
            case _:
                if not self.caches.given:
                    return "no-cache"
                return "input-differs" if self.found.has_instruction(step.record) else "key-absent"

    def _has_lost_blobs(self, record: int) -> bool:
        """Tell whether a key without result had one whose blob is not listed."""
        for number, key in self.solution.cases[0][0].hits[record]:
            keys = self.caches.loads[number].keys
            for member in keys.members(key):
                if any(keys.export.state(result) is not State.LOADABLE for result in keys.export.results(member)):
                    return True
        return False

    def _begin(self, step: Step, *, first: bool) -> tuple[int, ...]:
        """Name the steps with which a miss begins."""
        if first or step.first is None:
            self.begins[step.record] = (step.record,)
            return (step.record,)
        found: dict[int, None] = {}
        slots = self.build.export.config.records[step.record].inputs
        for missed in step.slots:
            for alternative in slots[missed.slot]:
                found |= dict.fromkeys(self.begins.get(alternative.link, ()))
        self.begins[step.record] = tuple(found)[:MAX_BEGINS] or (step.record,)
        return self.begins[step.record]

    def _notes(self, misses: Sequence[Miss]) -> Iterable[str]:
        for refused in self.caches.not_imported:
            yield f"BuildKit refuses {refused.source}: {refused.error}. Export it again; `cachegraph check` says more."
        begun = [miss for miss in misses if miss.first and miss.kind in ("key-absent", "input-differs")]
        if any(miss.was is None or miss.now is None for miss in begun):
            yield NAMELESS
