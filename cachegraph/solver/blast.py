"""What a change of each step and source would make run again, and where to cut that short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cachegraph.core.garbage import collection_paused
from cachegraph.core.graph import ExportGraph
from cachegraph.solver.caches import Caches, Graph, prepare
from cachegraph.solver.change import derived
from cachegraph.solver.dominators import dominators
from cachegraph.solver.reach import reach
from cachegraph.solver.rows import Rows
from cachegraph.solver.select import select_target
from cachegraph.solver.simulate import solve_change
from cachegraph.solver.single import single
from cachegraph.solver.solution import Solution, solve
from cachegraph.solver.words import step_title
from cachegraph.text.words import plural, size_text

__all__ = ["Blast", "BlastRadius", "blast_radius", "own_bytes"]

_CHECKED = 10_000
"""Steps that simulating the worst changes may look at, all together,"""
_LINKS = 60_000
"""and what they take: a step may take thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blast:
    """What a change of one step or source makes run again.

    Attributes
    ----------
    record : int
        Index in the export's own ``records``.
    digest : str
    name : str or None
    kind : {"step", "source"}
        Sources are all that has no inputs: images, git, the content of files.
    runs : int
        Steps that run because of it, if what changes makes other content.
    least : int or None
        Steps that run if it makes the same content; None where that was not simulated.
    bytes : int or None
        What these steps make: blobs that are in their results and not in those of their inputs. Steps without a result
        count nothing; None where no size is known.
    seconds : float or None
        What these steps take; None where no times were given.
    fix : int or None
        The step that most of it follows from and need not take the change.
    fix_name : str or None
    saved, saved_bytes : int or None
        Steps that would stay cached if it did not, and their bytes.
    checked : bool
        Whether it was simulated; else `runs` counts all that the change can reach and what that needs.
    """

    record: int
    digest: str
    name: str | None
    kind: Literal["step", "source"]
    runs: int
    least: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    fix: int | None = None
    fix_name: str | None = None
    saved: int | None = None
    saved_bytes: int | None = None
    checked: bool = False


class BlastRadius(Rows[Blast]):
    """Every step and source of a build, by what its change makes run again, most expensive first.

    Attributes
    ----------
    steps : int
        Steps of the build.
    already : int
        Those that run anyway, without any change: they count for no row.
    """

    row = Blast

    def __init__(self, rows: Iterable[Blast], *, steps: int, already: int) -> None:
        super().__init__(rows)
        self.steps = steps
        self.already = already

    @property
    def summary(self) -> str:
        """The answer in a line."""
        if not self:
            return "no steps"
        worst = self[0]
        what = step_title(worst.record, worst.name, worst.digest)
        size = "" if not worst.bytes else f" ({size_text(worst.bytes)})"
        said = f"a change of {what} costs most: {worst.runs:,} of {plural(self.steps, 'step')} run again{size}"
        return f"{said}; {plural(self.already, 'step')} run anyway" if self.already else said

    def __repr__(self) -> str:
        """Say it in one line."""
        return f"<BlastRadius: {self.summary}>"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show it in a notebook."""
        from cachegraph.solver.display import describe_blast

        return describe_blast(self)


def blast_radius(
    build: Graph,
    *,
    target: int | str | None = None,
    seconds: Mapping[str, float] | None = None,
    buildkit: str | None = None,
) -> BlastRadius:
    """Say what a change of each step and source would make run again.

    Parameters
    ----------
    build : CacheGraph
        One export: the build, and the cache that its next run imports.
    target : int or str, optional
        What the build is for; by default all that no other record takes.
    seconds : mapping of str to float, optional
        How long steps take, by the digests of their records.
    buildkit : str, optional
        Version of the builder.

    Returns
    -------
    BlastRadius
        By seconds where they are given, else by bytes, then by steps.

    Raises
    ------
    UsageError
        The build is not one export, or no such target or version.

    Notes
    -----
    All changes are counted at once (`cachegraph.solver.reach`); the most expensive are simulated as well, each with and
    without the fix that cuts most. The fix is found by dominators: the step that most of what runs can only be reached
    through.
    """
    with collection_paused():
        graph = single(build, "a build")
        caches = prepare([graph], buildkit)
        wanted = None if target is None else select_target(graph, target)
        return _Radius(graph, caches, wanted, seconds).rows()


class _Radius:
    """The work on one build."""

    def __init__(
        self, graph: ExportGraph, caches: Caches, wanted: Sequence[int] | None, seconds: Mapping[str, float] | None
    ) -> None:
        self.graph = graph
        self.caches = caches
        self.wanted = wanted
        self.solution: Solution = solve(graph, caches, wanted)
        records = graph.export.config.records
        self.counting = [step for step in self.solution.steps if not self.solution.runs_at_worst(step)]
        self.bytes = own_bytes(graph)
        self.seconds = None if seconds is None else [seconds.get(record.digest, 0.0) for record in records]

    def rows(self) -> BlastRadius:
        """Count everything, then look closer at what costs most."""
        rows = self._counted()
        steps = len(self.solution.steps)
        records = self.graph.export.config.records
        links = sum(len(slot) for step in self.solution.steps for slot in records[step].inputs)
        checks = min(len(rows), _CHECKED // max(1, steps) or 1, _LINKS // max(1, links) or 1)
        rows[:checks] = sorted(map(self._checked, rows[:checks]), key=_expensive)
        return BlastRadius(rows, steps=steps, already=steps - len(self.counting))

    def _counted(self) -> list[Blast]:
        graph = self.graph
        outlook = self.solution.cases[-1][0]
        counted = [0] * len(graph)  # 1 for a step that does not run anyway
        for step in self.counting:
            counted[step] = 1
        costs = [counted, [one * (size or 0) for one, size in zip(counted, self.bytes, strict=True)]]
        if self.seconds is not None:
            costs.append([one * round(1e6 * took) for one, took in zip(counted, self.seconds, strict=True)])
        steps = self.solution.steps
        loadable = [outlook.loadable(record) for record in range(len(graph))]
        runs, size, *took = reach(graph, steps, loadable, costs)
        known = any(own is not None for own in self.bytes)
        rows = [
            Blast(
                record=record,
                digest=graph.export.config.records[record].digest,
                name=graph.naming(record).name or None,
                kind="source" if graph.is_root(record) else "step",
                runs=runs[record],
                bytes=size[record] if known else None,
                seconds=took[0][record] / 1e6 if took else None,
            )
            for record in self._candidates(steps)
        ]
        return sorted(rows, key=_expensive)

    def _candidates(self, steps: Sequence[int]) -> list[int]:
        """List what can change: the steps, and what they take that can change alone."""
        records = self.graph.export.config.records
        taken = {a.link for step in steps for slot in records[step].inputs for a in slot if 0 <= a.link < len(records)}
        sources = taken.intersection(self.graph.roots) - derived(self.graph)
        return [*sorted(sources), *steps]

    # --- Simulated ---------------------------------------------------------------------------------------------------

    def _checked(self, row: Blast) -> Blast:
        after = solve_change(self.graph, self.caches, [row.record], self.wanted)
        caused = [step for step in self.counting if after.runs_at_worst(step)]
        found = replace(
            row,
            runs=len(caused),
            least=sum(map(after.runs_at_best, self.counting)),
            bytes=None if row.bytes is None else self._size(caused),
            seconds=None if self.seconds is None else sum(self.seconds[step] for step in caused),
            checked=True,
        )
        fix = self._fix(row.record, caused)
        if fix is None:
            return found
        spared = solve_change(self.graph, self.caches, [row.record], self.wanted, content="other", spared=[fix])
        saved = [step for step in caused if not spared.runs_at_worst(step)]
        if not saved:
            return found
        return replace(
            found,
            fix=fix,
            fix_name=self.graph.naming(fix).name or None,
            saved=len(saved),
            saved_bytes=None if row.bytes is None else self._size(saved),
        )

    def _size(self, records: Iterable[int]) -> int:
        return sum(self.bytes[record] or 0 for record in records)

    def _fix(self, change: int, caused: Sequence[int]) -> int | None:
        """Find the step that most of what runs follows from: not what changes, nor what has to take it."""
        must = set(self.graph.links.dependents[change]) if self.graph.is_root(change) else {change}
        running = set(caused)
        parent = dominators(self.graph, change)
        worth = dict.fromkeys((change, *parent), (0, 0))
        best, most = None, (0, 0)
        for record in reversed(parent):  # what is dominated comes first
            size, count = worth[record]
            if record in running:
                size, count = size + (self.bytes[record] or 0), count + 1
            above = worth[parent[record]]
            worth[parent[record]] = (above[0] + size, above[1] + count)
            if record in running and record not in must and (size, count) >= most:
                best, most = record, (size, count)
        return best


def _expensive(row: Blast) -> tuple[float, float, int, int]:
    return -(row.seconds or 0.0), -(row.bytes or 0), -row.runs, row.record


def own_bytes(graph: ExportGraph) -> list[int | None]:
    """Give what each record itself adds: blobs of its result that no input's result has.

    Parameters
    ----------
    graph : ExportGraph

    Returns
    -------
    list of (int or None), length records
        Bytes; None where there is no result, or a size is unknown.
    """
    blobs: list[tuple[str, ...]] = []
    for record in range(len(graph)):
        newest = graph.newest_result(record)
        blobs.append(() if newest is None else graph.result_blobs(newest))
    sizes = graph.sizes
    found: list[int | None] = [None] * len(graph)
    for record, own in enumerate(blobs):
        if not own:
            continue
        below = {blob for link in graph.links.inputs[record] for blob in blobs[link]}
        each = [sizes.get(blob) for blob in own if blob not in below]
        known = [size for size in each if size is not None]
        if len(known) == len(each):
            found[record] = sum(known)
    return found
