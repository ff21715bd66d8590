"""What a build will load and run: ``cg.predict``."""

from __future__ import annotations

from collections.abc import Iterable

from cachegraph.core.garbage import collection_paused
from cachegraph.solver.caches import Graph, prepare
from cachegraph.solver.prediction import Prediction
from cachegraph.solver.select import select_target
from cachegraph.solver.single import single
from cachegraph.solver.solution import solve

__all__ = ["predict"]


def predict(
    build: Graph, caches: Graph | Iterable[Graph], *, target: int | str | None = None, buildkit: str | None = None
) -> Prediction:
    """Say what a build loads from caches, what it runs, and why.

    Parameters
    ----------
    build : CacheGraph
        The keys that the build asks for: one export of it, whether made with these caches or without, or the keys
        computed from its source.
    caches : CacheGraph or iterable of CacheGraph
        What it imports; each export of each graph is a cache. One that BuildKit refuses is left out, and named.
    target : int or str, optional
        What the build is for: a record, a digest or name of one, or a stage where names tell it
        (``[build 2/6] RUN ..``); by default all that no other record takes.
    buildkit : str, optional
        Version of the builder, such as ``0.31``; by default the newest.

    Returns
    -------
    Prediction
        Its steps, what each takes first.

    Raises
    ------
    UsageError
        The build is not one export; no such target or version.

    Notes
    -----
    Pure: nothing is read. A blob counts as there unless the graph says that the store has lost it (``probe``).

    Over several caches it is a range, since which one answers first is a race. At best every cache gives what it has;
    at worst a key is answered by the cache that has no result for it, and behind a content-hashed step that several
    caches hold, one cache answers alone.

    Source: BuildKit ``solver/edge.go``, ``solver/cachemanager.go``, ``solver/combinedcache.go``; measured with 0.34.2.
    """
    with collection_paused():
        graph = single(build, "a build")
        prepared = prepare(caches, buildkit)
        wanted = None if target is None else select_target(graph, target)
        return solve(graph, prepared, wanted).predict()
