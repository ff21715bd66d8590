"""What each of several caches brings a build, where they get in each other's way, and which to import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cachegraph.core.garbage import collection_paused
from cachegraph.core.graph import ExportGraph
from cachegraph.solver.caches import Caches, Graph, prepare
from cachegraph.solver.loads import Loadable
from cachegraph.solver.prediction import Prediction
from cachegraph.solver.rows import Rows
from cachegraph.solver.select import select
from cachegraph.solver.single import single
from cachegraph.solver.solution import Solution, solve
from cachegraph.solver.words import between
from cachegraph.text.words import plural

__all__ = ["Collision", "SourceShare", "Sources", "sources"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShare:
    """What one cache brings.

    Attributes
    ----------
    source : str
    rank : int
        Place among the caches by what it saves alone; 1 is best.
    matched : int
        Steps of the build whose key it holds.
    loadable : int
        Steps of the build that it has a result for.
    runs : int or None
        Steps that run if it is the only cache; None where its results are unknown.
    saves : int or None
        Steps that need not run thanks to it alone.
    bytes : int or None
        What is loaded then.
    only : int
        Steps that no other of the caches has a result for.
    collides : int
        Steps whose key it holds without a result, while another cache has one: it can hide that.
    error : str or None
        BuildKit's words, if it refuses the cache.
    """

    source: str
    rank: int
    matched: int = 0
    loadable: int = 0
    runs: int | None = None
    saves: int | None = None
    bytes: int | None = None
    only: int = 0
    collides: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """A step whose key several caches hold, not all of them with a result.

    Attributes
    ----------
    record : int
    name : str or None
    has, lacks : tuple of str
        The caches with a result, and those without.
    """

    record: int
    name: str | None
    has: tuple[str, ...]
    lacks: tuple[str, ...]


class Sources(Rows[SourceShare]):
    """What each cache brings a build, best first.

    Attributes
    ----------
    steps : int
        Steps of the build.
    together : Prediction
        What comes of all caches at once, in the order given.
    collisions : tuple of Collision
    best : str or None
        The cache to import alone; None if none brings anything.
    order : tuple of str
        The order for importing several: those that bring nothing of their own left out, the best one last.
    """

    row = SourceShare

    def __init__(
        self,
        rows: Iterable[SourceShare],
        *,
        steps: int,
        together: Prediction,
        collisions: tuple[Collision, ...],
        best: str | None,
        order: tuple[str, ...],
    ) -> None:
        super().__init__(rows)
        self.steps = steps
        self.together = together
        self.collisions = collisions
        self.best = best
        self.order = order

    @property
    def summary(self) -> str:
        """The answer in a line."""
        if not self:
            return f"no cache: all {plural(self.steps, 'step')} run"
        if self.best is None:
            return f"none of {plural(len(self), 'cache')} saves a step of this build"
        first = self[0]
        said = f"{first.runs:,} of {plural(self.steps, 'step')} run with {self.best} alone"
        if len(self) == 1:
            return said
        best, worst = self.together.best.runs, self.together.worst.runs
        return f"{said}, {between(best, worst)} with {_all(len(self))}. {self.advice}"

    @property
    def advice(self) -> str:
        """What to import."""
        if self.best is None or len(self) == 1:
            return ""
        alone = self[0].runs or 0
        others = "the other saves" if len(self) == 2 else "the others save"
        if self.together.worst.runs <= alone and self.together.best.runs < alone:
            return f"Import them together, in this order: {', '.join(self.order)}"
        if self.together.best.runs < alone:
            return (
                f"Import {self.best} alone: more caches can save more, but which one answers first is a race, and then "
                f"they can save less. If you import several, put the best one last: {', '.join(self.order)}"
            )
        if self.together.worst.runs > alone:
            return f"Import {self.best} alone: {others} nothing more, and can hide what it has"
        return f"Import {self.best} alone: {others} nothing more"

    def __repr__(self) -> str:
        """Say it in one line."""
        return f"<Sources: {self.summary}>"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show it in a notebook."""
        from cachegraph.solver.display import describe_sources

        return describe_sources(self)


def _all(count: int) -> str:
    return "both" if count == 2 else f"all {count}"


def sources(
    build: Graph,
    candidates: Graph | Iterable[Graph],
    *,
    target: int | str | None = None,
    buildkit: str | None = None,
) -> Sources:
    """Compare caches for a build: what each brings, what collides, which to import and in which order.

    Parameters
    ----------
    build : CacheGraph
        The keys that the build asks for: one export.
    candidates : CacheGraph or iterable of CacheGraph
        Each export of each is a cache.
    target : int or str, optional
        What the build is for; by default all that no other record takes.
    buildkit : str, optional
        Version of the builder.

    Returns
    -------
    Sources

    Raises
    ------
    UsageError
        The build is not one export, or no such target or version.
    """
    with collection_paused():
        graph = single(build, "a build")
        caches = prepare(candidates, buildkit)
        wanted = None if target is None else select(graph, target)
        together = solve(graph, caches, wanted)
        shares = _shares(graph, caches, wanted, together)
        ranked = sorted(shares, key=_rank)
        rows = [replace(share, rank=place) for place, share in enumerate(ranked, 1)]
        best = rows[0].source if rows and rows[0].saves else None
        return Sources(
            rows,
            steps=len(together.steps),
            together=together.predict(),
            collisions=_collisions(graph, caches, together),
            best=best,
            order=tuple(row.source for row in reversed(rows) if row.source == best or row.only),
        )


def _shares(graph: ExportGraph, caches: Caches, wanted: Sequence[int] | None, together: Solution) -> list[SourceShare]:
    steps, states = together.steps, _states(caches, together)
    shares = [SourceShare(source=refused.source, rank=0, error=refused.error) for refused in caches.not_imported]
    for number, (loads, name) in enumerate(zip(caches.loads, caches.titles, strict=True)):
        alone = Caches(loads=(loads,), lossy=(caches.lossy[number],), titles=(name,), given=(name,), not_imported=())
        prediction = solve(graph, alone, wanted).predict()
        known = loads.keys.export.export.results_known
        with_result = {step for step in steps if states[step].get(number) is Loadable.YES}
        of_others = {s for s in steps if any(c != number and v is Loadable.YES for c, v in states[s].items())}
        held = {step for step in steps if number in states[step]}
        shares.append(
            SourceShare(
                source=name,
                rank=0,
                matched=len(held),
                loadable=len(with_result),
                runs=prediction.worst.runs if known else None,
                saves=len(prediction) - prediction.worst.runs if known else None,
                bytes=prediction.best.bytes if known else None,
                only=len(with_result - of_others),
                collides=len((held - with_result) & of_others),
            )
        )
    return shares


def _rank(share: SourceShare) -> tuple[bool, int, int, int, str]:
    """Sort by what a cache saves, then by what it holds, then by what it loads."""
    return share.runs is None, share.runs or 0, -share.loadable, share.bytes or 0, share.source


def _states(caches: Caches, together: Solution) -> dict[int, dict[int, Loadable]]:
    """Say of each step what each cache that holds its key has for it."""
    states: dict[int, dict[int, Loadable]] = {step: {} for step in together.steps}
    for step, found in states.items():
        for cache, key in together.cases[0][0].hits[step]:
            state = caches.loads[cache].state(key)
            found[cache] = max(state, found.get(cache, state))
    return states


def _collisions(graph: ExportGraph, caches: Caches, together: Solution) -> tuple[Collision, ...]:
    found = []
    for step, states in _states(caches, together).items():
        has = tuple(caches.titles[cache] for cache, state in states.items() if state is Loadable.YES)
        lacks = tuple(caches.titles[cache] for cache, state in states.items() if state is not Loadable.YES)
        if has and lacks:
            found.append(Collision(record=step, name=graph.naming(step).name or None, has=has, lacks=lacks))
    return tuple(found)
