"""What a change would cost: the next build with it, against the caches of today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cachegraph.core.garbage import collection_paused
from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UnknownNameError, UsageError
from cachegraph.solver.caches import Caches, Graph, prepare
from cachegraph.solver.change import Content, changed
from cachegraph.solver.prediction import Prediction, Step
from cachegraph.solver.select import select, select_target
from cachegraph.solver.single import single
from cachegraph.solver.solution import Solution, solve
from cachegraph.solver.words import between, step_title
from cachegraph.text.words import some_of

__all__ = ["BASE_IMAGE", "Simulation", "select_changes", "simulate", "solve_change"]

BASE_IMAGE = "base image"
"""Names every source that is known to be an image."""


class Simulation(Prediction):
    """What a build loads and runs after a change.

    Its rows are the steps of the changed build, under the records, digests and names that they have today.

    Attributes
    ----------
    changes : tuple of int
        Records that change.
    titles : tuple of str
        Of those.
    before : Prediction
        The same build without the change.
    """

    changes: tuple[int, ...]
    titles: tuple[str, ...]
    before: Prediction

    @classmethod
    def of(cls, after: Prediction, before: Prediction, changes: Sequence[int], titles: Sequence[str]) -> Simulation:
        """Put two predictions and what lies between them together."""
        made = cls(
            after,
            build=after.build,
            caches=after.caches,
            not_imported=after.not_imported,
            best=after.best,
            worst=after.worst,
        )
        made.changes, made.titles, made.before = tuple(changes), tuple(titles), before
        return made

    @property
    def caused(self) -> tuple[Step, ...]:
        """Steps that run, or may run, because of the change."""
        return tuple(
            step
            for step in self
            if step.worst == "runs" and ((old := self.before.step(step.record)) is None or old.worst != "runs")
        )

    @property
    def summary(self) -> str:
        """The answer in a line."""
        sure = sum(step.executed is True for step in self.caused)
        what = some_of(self.titles[:3], len(self.titles))
        return f"a change of {what} makes {_more(sure, len(self.caused))}; then {super().summary}"


def _more(low: int, high: int) -> str:
    return f"{between(low, high)} more {'step' if low == high == 1 else 'steps'} run"


def simulate(
    build: Graph,
    changes: int | str | Iterable[int | str],
    *,
    caches: Graph | Iterable[Graph] | None = None,
    target: int | str | None = None,
    content: Content = "unknown",
    buildkit: str | None = None,
) -> Simulation:
    """Say what a build would load and run after a change.

    Parameters
    ----------
    build : CacheGraph
        The build of today: one export.
    changes : int, str or iterable of these
        What changes: the record, digest or name of a step, a source or a content key (with names, by its path); or
        ``base image`` for every source that is known to be one.
    caches : CacheGraph or iterable of CacheGraph, optional
        What the next build imports; by default the same export.
    target : int or str, optional
        What it is for, as `cachegraph.predict` takes it; by default all that no other record takes.
    content : {"unknown", "same", "other"}
        What changed steps make: unknown before they run, the same files as today, or others.
    buildkit : str, optional
        Version of the builder.

    Returns
    -------
    Simulation

    Raises
    ------
    UsageError
        The build is not one export, or no such change, target or version.
    """
    with collection_paused():
        graph = single(build, "a build")
        chosen = [changes] if isinstance(changes, (int, str)) else list(changes)
        records = select_changes(graph, chosen)
        prepared = prepare([graph] if caches is None else caches, buildkit)
        wanted = None if target is None else select_target(graph, target)
        before = solve(graph, prepared, wanted).predict()
        after = solve_change(graph, prepared, records, wanted, content=content).predict(graph)
        titles = [_title(graph, record) for record in records]
        return Simulation.of(after, before, records, titles)


def solve_change(
    graph: ExportGraph,
    caches: Caches,
    records: Sequence[int],
    wanted: Sequence[int] | None,
    *,
    content: Content = "unknown",
    spared: Sequence[int] = (),
) -> Solution:
    """Work out a build in which some records have changed."""
    if wanted is None:
        wanted = [record for record, above in enumerate(graph.links.dependents) if not above]
    return solve(changed(graph, records, content=content, spared=spared), caches, wanted)


def select_changes(graph: ExportGraph, changes: Iterable[int | str]) -> list[int]:
    """Find the records that a user wants to change, each once.

    Parameters
    ----------
    graph : ExportGraph
    changes : iterable of int or str

    Raises
    ------
    UnknownNameError, UsageError
        Nothing, or several things, are called so.
    """
    found: dict[int, None] = {}
    for change in changes:
        if isinstance(change, str) and change.casefold() == BASE_IMAGE:
            images = list(graph.images.layers) or [r for r in graph.roots if graph.is_source(r)]
            if not images:
                hint = "give the record or digest of one; cachegraph records lists them"
                raise UnknownNameError(f"{graph.export.source}: no source is known to be a base image", hint=hint)
            found |= dict.fromkeys(images)
        else:
            found |= dict.fromkeys(select(graph, change))
    if not found:
        raise UsageError("nothing is to change", hint="name a step, a source or a content key")
    return list(found)


def _title(graph: ExportGraph, record: int) -> str:
    return step_title(record, graph.naming(record).name, graph.export.config.records[record].digest)
