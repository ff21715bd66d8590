"""What a build ran since the export before it was written, as far as two exports tell.

A result keeps the time at which it was made when a later build loads it and exports it again. So a result that is newer
than everything in the exports before was made since: its step ran. One that an export before holds too was kept. A
step without a result (``mode=min``, inline cache) has no time; what became of it follows by BuildKit's rules, if the
build imported the export before. It did not where the times of other steps contradict these rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cachegraph.builds.plaintexts import Plaintext
from cachegraph.core.graph import ExportGraph
from cachegraph.core.times import UNKNOWN
from cachegraph.errors import CacheGraphError
from cachegraph.schema.uncached import asked
from cachegraph.solver.causes import Cause, Explanation, Miss
from cachegraph.solver.explain import explain

__all__ = ["Past", "Since", "since"]


@dataclass(slots=True)
class Past:
    """The results of all exports before one.

    Attributes
    ----------
    seen : set of (str, int)
        Digest of the record and time of each result whose time is known.
    newest : int
        The newest of these times.
    """

    seen: set[tuple[str, int]] = field(default_factory=set)
    newest: int = UNKNOWN

    def add(self, graph: ExportGraph) -> None:
        """Add the results of an export."""
        records = graph.export.config.records
        for index, record in enumerate(records):
            for result in graph.results(index):
                time = graph.result_times[result]
                if time != UNKNOWN:
                    self.seen.add((record.digest, time))
                    self.newest = max(self.newest, time)

    def became(self, graph: ExportGraph, record: int) -> str | None:
        """Say by its times what became of a step: ran, kept, other (from elsewhere); None without a time."""
        digest = graph.export.config.records[record].digest
        times = {graph.result_times[result] for result in graph.results(record)} - {UNKNOWN}
        if not times:
            return None
        if max(times) > self.newest:
            return "ran"
        return "kept" if any((digest, time) in self.seen for time in times) else "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What became of the steps of a build.

    Attributes
    ----------
    ran, kept, unknown : tuple of int
        Records: steps that were executed, that were not, and of which cannot be told.
    fits : bool
        Whether the times are those of a build that imported the export before; True where no time tells.
    anew : int
        Steps that ran although the export before has them.
    explained : Explanation or None
        Why steps ran, by a build that imported the export before; None where it does not fit.
    """

    ran: tuple[int, ...]
    kept: tuple[int, ...]
    unknown: tuple[int, ...] = ()
    fits: bool = True
    anew: int = 0
    explained: Explanation | None = None

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What made steps run, the one with most steps first."""
        return () if self.explained is None else self.explained.causes

    def miss(self, cause: Cause) -> Miss | None:
        """Give the step with which a cause begins."""
        return None if self.explained is None else self.explained.miss(cause.record)


def since(
    old: ExportGraph,
    new: ExportGraph,
    past: Past,
    *,
    texts: Mapping[str, Plaintext] | None = None,
    references: Mapping[str, str] | None = None,
) -> Since:
    """Say what the build of an export ran since the one before was written, and why.

    Parameters
    ----------
    old, new : ExportGraph
    past : Past
        All exports before `new`.
    texts, references : mapping, optional
        As `cachegraph.explain` takes them.
    """
    steps = asked(new)
    times = {step: past.became(new, step) for step in steps}
    if all(found == "kept" for found in times.values()):
        return Since(ran=(), kept=tuple(steps))
    try:
        explained = explain([new], [[old]], texts=texts, references=references)
    except CacheGraphError:  # an export that BuildKit refuses has no keys to ask for
        explained = None
    if explained is None:
        return Since(
            ran=tuple(step for step in steps if times[step] == "ran"),
            kept=tuple(step for step in steps if times[step] == "kept"),
            unknown=tuple(step for step in steps if times[step] not in ("ran", "kept")),
            fits=False,
        )
    certain = {miss.record: miss.certain for miss in explained}
    anew = sum(found == "ran" and step not in certain for step, found in times.items())
    fits = not anew and not any(
        found == "other" or (found == "kept" and certain.get(step, False)) for step, found in times.items()
    )
    became = {step: _became(times[step], certain.get(step), fits=fits) for step in steps}
    return Since(
        ran=tuple(step for step in steps if became[step] == "ran"),
        kept=tuple(step for step in steps if became[step] == "kept"),
        unknown=tuple(step for step in steps if became[step] is None),
        fits=fits,
        anew=anew,
        explained=explained if fits else None,
    )


def _became(by_time: str | None, missed: bool | None, *, fits: bool) -> str | None:
    """Say what became of a step: its time counts, then the rules; a miss that is not certain tells nothing."""
    if by_time == "other":
        return "kept"
    if by_time is not None:
        return by_time
    if not fits or missed is False:
        return None
    return "ran" if missed else "kept"
