"""A build against its caches: at best, at worst, and what makes the difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import combinations
from typing import TypeAlias

from cachegraph.core.graph import ExportGraph
from cachegraph.solver.caches import Caches
from cachegraph.solver.deciding import Deciding
from cachegraph.solver.demand import Demand, How, Need, demand
from cachegraph.solver.loads import KeyLoads, Load, Loadable
from cachegraph.solver.outlook import Assumption, Outlook, shared_behind
from cachegraph.solver.prediction import (
    HowText,
    Loads,
    MissedSlot,
    Needed,
    Prediction,
    Step,
    Totals,
    Why,
)

__all__ = ["Case", "Solution", "solve"]

Case: TypeAlias = tuple[Outlook, Demand]
"""What is found under one assumption, and what follows from it."""

_CHEAP = 200_000
"""Steps to look at for the sake of every choice of caches."""


def solve(build: ExportGraph, caches: Caches, wanted: Sequence[int] | None = None) -> Solution:
    """Work out what a build gets out of its caches.

    Parameters
    ----------
    build : ExportGraph
    caches : Caches
    wanted : sequence of int, optional
        Records that the build is for; by default those that no other takes.
    """
    best = [_case(build, caches.loads, Assumption(), wanted)]
    worst: list[Case] = []
    certain = not build.export.unknown and all(loads.keys.export.export.results_known for loads in caches.loads)
    if len(caches.loads) > 1:
        best += [_case(build, some, Assumption(), wanted) for some in _fewer(caches.loads, *best[0])]
        behind = shared_behind(best[0][0])
        worst += [
            _case(build, caches.lossy, Assumption(hopeful=False, first=first, behind=behind), wanted)
            for first in sorted(frozenset().union(*behind.values())) or [0]
        ]
    elif not certain or caches.lossy != caches.loads:
        worst.append(_case(build, caches.lossy, Assumption(hopeful=False), wanted))
    return Solution(build, caches, best, worst)


def _fewer(caches: Sequence[KeyLoads], outlook: Outlook, best: Demand) -> Iterator[Sequence[KeyLoads]]:
    """Give every choice of fewer caches, while that is cheap and can make a difference.

    A cache that adds keys without results can make a build run more: a step that then matches has its content looked
    at. Whether the other caches get ahead of it is a race, so at best they do. What runs for another reason runs with
    fewer caches as well, unless a slot takes several steps.
    """
    running = [record for record, how in best.how.items() if how is How.RUNS]
    looked_at = any(best.needed[record][0] in (Need.HASH, Need.HASH_AGAIN) for record in running)
    if not running or not (looked_at or outlook.takes_several) or len(best.steps) << len(caches) > _CHEAP:
        return
    for size in range(1, len(caches)):
        yield from combinations(caches, size)


def _case(build: ExportGraph, caches: Sequence[KeyLoads], assumption: Assumption, wanted: Sequence[int] | None) -> Case:
    outlook = Outlook(build, caches, assumption)
    return outlook, demand(outlook, wanted)


class Solution:
    """What becomes of each step, in each case that can happen.

    Parameters
    ----------
    build : ExportGraph
    caches : Caches
    best, worst : sequence of tuple of (Outlook, Demand)
        Cases that can happen: the hopeful ones, that of all caches first and those of fewer after it, and the others.
    """

    def __init__(self, build: ExportGraph, caches: Caches, best: Sequence[Case], worst: Sequence[Case]) -> None:
        self.build = build
        self.caches = caches
        self.best = best
        self.cases = [best[0], *worst]
        self._compared: dict[int, Deciding] = {}

    @property
    def steps(self) -> list[int]:
        """Records that are steps of the build, what each takes first."""
        return self.cases[0][1].steps

    def runs_at_best(self, record: int) -> bool:
        """Tell whether a step runs even at best."""
        return all(case.runs(record) for _, case in self.best)

    def runs_at_worst(self, record: int) -> bool:
        """Tell whether there is a case in which a step runs."""
        return any(case.runs(record) for _, case in self.cases)

    def worst_case(self, record: int) -> Case:
        """Give a case in which a step runs, the least hopeful one; the hopeful one if it runs in none."""
        return next((case for case in reversed(self.cases) if case[1].runs(record)), self.cases[0])

    def predict(self, labels: ExportGraph | None = None) -> Prediction:
        """Put it into rows.

        Parameters
        ----------
        labels : ExportGraph, optional
            Where digests and names come from, record by record; steps that are none of it are left out. By default
            the build.
        """
        labels = labels or self.build
        steps = [self._step(record, labels) for record in self.steps if record < len(labels)]
        return Prediction(
            steps,
            build=self.build.export.source,
            caches=self.caches.given,
            not_imported=self.caches.not_imported,
            best=self._totals((step.best, step.loads) for step in steps),
            worst=self._totals((step.worst, step.loads) for step in steps),
        )

    def _totals(self, steps: Iterable[tuple[HowText, Loads | None]]) -> Totals:
        counts = {"loaded": 0, "not-needed": 0, "runs": 0}
        blobs: set[str] = set()
        for how, loads in steps:
            counts[how] += 1
            if how == "loaded" and loads is not None:
                blobs.update(loads.blobs)
        return Totals(
            loaded=counts["loaded"], not_needed=counts["not-needed"], runs=counts["runs"], bytes=self._size(blobs)
        )

    def _step(self, record: int, labels: ExportGraph) -> Step:
        hows = [case.of(record) for _, case in self.cases]
        best = next((how for _, case in self.best if (how := case.of(record)) is not How.RUNS), How.RUNS)
        runs = [best is How.RUNS, *(how is How.RUNS for how in hows)]
        executed = True if all(runs) else None if any(runs) else False
        worst = How.RUNS if any(runs) else How.LOADED if How.LOADED in hows else How.NOT_NEEDED
        outlook, case = self.worst_case(record)
        needed = case.needed.get(record)
        why, slots, first = self._why(outlook, record) if any(runs) else (None, (), None)
        loads, source = self._loads(record) if How.LOADED in hows else (None, None)
        return Step(
            record=record,
            digest=labels.export.config.records[record].digest,
            name=labels.naming(record).name or None,
            executed=executed,
            how=None if executed is None else worst.value,
            best=best.value,
            worst=worst.value,
            why=why,
            slots=slots,
            first=first,
            needed=None if needed is None else Needed(why=needed[0].value, by=needed[1]),
            loads=loads,
            source=source,
            depends=self._deciding(record).of(record) if executed is None else None,
            fails=why == "blob-missing" and self._fails(outlook, record),
        )

    def _deciding(self, record: int) -> Deciding:
        """Give what compares the best case with the worst one for a step."""
        outlook, case = self.worst_case(record)
        return self._compared.setdefault(id(case), Deciding(self.caches, self.cases[0][0], outlook, case))

    # --- Why it runs -------------------------------------------------------------------------------------------------

    def _why(self, outlook: Outlook, record: int) -> tuple[Why, tuple[MissedSlot, ...], bool | None]:
        records = self.build.export.config.records
        slots = records[record].inputs
        if record in self.build.export.uncached:
            return "asked-for", (), True
        if outlook.matched(record):
            return ("blob-missing" if outlook.state[record] is Loadable.BLOB_MISSING else "no-result"), (), None
        count = len(records)
        missed = tuple(
            self._missed(number, taken)
            for number, taken in enumerate([a.link for a in slot if 0 <= a.link < count] for slot in slots)
            if not any(map(outlook.matched, taken))
        )
        first = all(slot.kind != "step" for slot in missed)
        if not self.caches.loads and self.caches.given:
            return "source-not-read", (), first
        return ("input" if missed else "instruction"), missed, first

    def _missed(self, slot: int, taken: Sequence[int]) -> MissedSlot:
        step = next((link for link in taken if self.build.export.config.records[link].inputs), None)
        return MissedSlot(slot, "content-or-source" if step is None else "step", step)

    def _fails(self, outlook: Outlook, record: int) -> bool:
        return any(self.caches.loads[cache].is_lazy for cache, _ in outlook.hits[record])

    # --- What it loads -----------------------------------------------------------------------------------------------

    def _loads(self, record: int) -> tuple[Loads | None, str | None]:
        """Give the newest result that any cache has for a record."""
        found: list[tuple[Load, int]] = []
        for cache, key in self.cases[0][0].hits[record]:
            load = self.caches.loads[cache].load(key)
            if load is not None:
                found.append((load, cache))
        if not found:
            return None, None
        load, cache = max(found, key=lambda one: one[0].time)
        return Loads(blobs=load.blobs, bytes=self._size(load.blobs)), self.caches.titles[cache]

    def _size(self, blobs: Iterable[str]) -> int | None:
        sizes = [self._sizes.get(blob) for blob in blobs]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @cached_property
    def _sizes(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for loads in reversed(self.caches.loads):
            sizes |= loads.keys.export.sizes
        return sizes
