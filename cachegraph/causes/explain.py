"""Why steps miss: each first miss of a prediction, with its cause."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.keys import Keys, key_of
from cachegraph.builds.operations import ImageOrigin, Operation
from cachegraph.builds.records import BuildStep
from cachegraph.builds.work import Work
from cachegraph.causes.contents import ContentSearch
from cachegraph.causes.instructions import InstructionSearch
from cachegraph.causes.model import Cause, History
from cachegraph.causes.neighbours import Neighbour, neighbours, wanted_contents
from cachegraph.causes.sources import image_cause, source_cause
from cachegraph.causes.variants import local_origins
from cachegraph.core.graph import ExportGraph
from cachegraph.solver.keys import CacheKeys
from cachegraph.solver.match import Matches, match
from cachegraph.solver.prediction import Prediction

__all__ = ["explain"]


def explain(
    build: ExportGraph,
    steps: Sequence[BuildStep],
    caches: Iterable[ExportGraph],
    prediction: Prediction,
    work: Work,
    history: History | None = None,
    *,
    seconds: float = 10.0,
) -> dict[int, Cause]:
    """Find the causes of the misses.

    Parameters
    ----------
    build : ExportGraph
        The build's keys.
    steps : sequence of BuildStep
        Its operations.
    caches : iterable of ExportGraph
    prediction : Prediction
        Of this build and these caches.
    work : Work
    history : History, optional
        Commits to look through; without, none is named.
    seconds : float
        How long to look through commits, in all.

    Returns
    -------
    dict of int to Cause
        By the record of the step. A step that only follows another miss has none.
    """
    graphs = [cache for cache in caches if cache.import_error is None]
    every = [match(build, CacheKeys(cache)) for cache in graphs]
    names = {id(matches): cache for matches, cache in zip(every, graphs, strict=True)}
    operations = {step.record: step.operation for step in steps if step.record is not None and step.operation.inputs}
    explainer = _Explainer(
        every,
        steps,
        work,
        history,
        time.monotonic() + seconds,
        lambda one: names[id(one.matches)].naming(one.key).name,
    )
    found = {}
    for step in prediction:
        operation = operations.get(step.record)
        if operation is not None and step.first and step.why in ("instruction", "input"):
            cause = explainer.cause(step.record, operation)
            if cause is not None:
                found[step.record] = cause
    return found


@dataclass(slots=True)
class _Explainer:
    """Looks for causes, one step after the other."""

    every: list[Matches]
    steps: Sequence[BuildStep]
    work: Work
    history: History | None
    deadline: float
    name: Callable[[Neighbour], str]

    def cause(self, record: int, operation: Operation) -> Cause | None:
        """Find the cause of one miss."""
        key = key_of(operation)
        if isinstance(key, Unknown):
            return None
        same = neighbours(self.every, record, key.record)
        if same:
            return self._other_inputs(record, operation, key, same)
        search = InstructionSearch(self.every, self.steps, self.work, self.history, self.deadline, self.name)
        return search.cause(record, operation)

    def _other_inputs(self, record: int, operation: Operation, key: Keys, same: Sequence[Neighbour]) -> Cause | None:
        """Say which input differs, where a cache has the step on other ones."""
        for slot in same[0].missed:
            cause: Cause | None
            source, selections = operation.inputs[slot], key.slots[slot].content
            if selections is not None and source.op.file and not local_origins(source):
                cause = _written(record)
            elif selections is not None:
                wanted = wanted_contents([one for one in same if slot in one.missed], slot)
                search = ContentSearch(self.work, self.history, self.deadline)
                cause = search.cause(record, source, selections, wanted)
            elif isinstance(source.origin, ImageOrigin):
                cause = image_cause(record, source.origin, self.every)
            elif source.origin is not None:
                cause = source_cause(record, source.origin)
            else:
                cause = None
            if cause is not None:
                return cause
        return None


def _written(record: int) -> Cause:
    """Say that what the instruction writes itself is another text."""
    return Cause(
        record=record,
        kind="instruction",
        text="what the instruction writes itself, such as the text of its heredoc, is another one than in the cache",
    )
