"""What it takes to ask what a build gets out of its caches: ``python benchmarks/solver.py``.

CPU seconds of one process, the best of several runs, against the load of the exports that are asked. Build and cache
are two configs that share two thirds of their stages, as the exports of a repository do from one day to the next.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent.parent))

import cachegraph as cg
from benchmarks.synthetic import make_config
from cachegraph.core.decode import encode
from cachegraph.graph import CacheGraph
from cachegraph.solver.diff import diff
from cachegraph.solver.match import match

T = TypeVar("T")

SIZES = (2_500, 50_000)


def best(work: Callable[[], T], times: int = 3) -> tuple[float, T]:
    """CPU seconds of the quickest of several runs, and what it gave."""
    seconds = []
    for _ in range(times):
        begin = time.process_time()
        made = work()
        seconds.append(time.process_time() - begin)
    return min(seconds), made


def measure(records: int) -> None:
    """Print the figures of one size."""
    ours, theirs = encode(make_config(records)), encode(make_config(records, seed=1))

    def load() -> tuple[CacheGraph, CacheGraph]:
        return cg.from_config(ours), cg.from_config(theirs)

    loaded, _ = best(load)
    rows = [("load of both", loaded)]

    def ask(name: str, work: Callable[[CacheGraph, CacheGraph], object]) -> None:
        """Ask two graphs that have answered nothing yet."""
        seconds = []
        for _ in range(3):
            build, cache = load()
            begin = time.process_time()
            work(build, cache)
            seconds.append(time.process_time() - begin)
        rows.append((name, min(seconds)))

    ask("match, key by key", lambda build, cache: match(build.graphs[0], cache.graphs[0]))
    ask("predict", cg.predict)
    ask("predict, unchanged", lambda build, _: cg.predict(build, build))
    ask("predict, two caches", lambda build, cache: cg.predict(build, [cache, build]))
    ask("diff", diff)
    ask("simulate a change", lambda build, _: cg.simulate(build, records // 2))
    ask("blast-radius", lambda build, _: cg.blast_radius(build))
    ask("sources, two caches", lambda build, cache: cg.sources(build, [cache, build]))

    print(f"\n### {records:,} records\n")
    print("| question | ms | against the load of both |\n| --- | ---: | ---: |")
    for name, value in rows:
        print(f"| {name} | {value * 1000:,.0f} | {value / loaded:.1f} |")


if __name__ == "__main__":
    for size in SIZES:
        measure(size)
