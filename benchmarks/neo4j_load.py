"""Load synthetic exports into a real Neo4j; report rates against a bare driver, memory, and what each question costs.

    python -m benchmarks.neo4j_load --records 100000 --exports 2

A server is started for the run, or one is named with --uri (everything in it is deleted; NEO4J_PASSWORD is read).
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import neo4j

from benchmarks.synthetic import make_config
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Blob, CacheExport
from cachegraph.queries.library import library
from cachegraph.server import DEFAULT_VERSION, VERSIONS, down, up
from cachegraph.stores.neo4j import Neo4jStore
from cachegraph.stores.neo4j.batches import batches
from cachegraph.stores.neo4j.connection import literal

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """Where to load, and what."""

    uri: str
    auth: tuple[str, str]
    records: int  # of an export


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000, help="records in all")
    parser.add_argument("--exports", type=int, default=2, help="exports that hold them")
    parser.add_argument("--version", choices=VERSIONS, default=DEFAULT_VERSION)
    parser.add_argument("--uri")
    given = parser.parse_args()
    if given.uri:
        run(given.uri, ("neo4j", os.environ["NEO4J_PASSWORD"]), given.records, given.exports)
        return
    with tempfile.TemporaryDirectory() as directory:
        server = up(given.version, home=Path(directory))
        try:
            run(server.uri, (server.username, server.password), given.records, given.exports)
        finally:
            down(home=Path(directory))


def run(uri: str, auth: tuple[str, str], records: int, exports: int) -> None:
    target = Target(uri, auth, records // exports)
    with Neo4jStore.connect(uri, auth) as store:
        print(f"{store.status().server}: {records:,} records in {exports} exports")
        store.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS", write=True)
        store.ensure_schema()
    warm = Target(uri, auth, min(target.records, 20_000))
    apart(load_bare, warm, 1000, 1)  # the server compiles while it works
    apart(load_with_store, warm, 1000, 1)
    before = apart(load_bare, target, 2000, 1)
    rows, seconds, peaks = apart(load_with_store, target, 0, exports)
    after = apart(load_bare, target, 3000, 1)  # the machine and the store are not what they were
    bare = (before[0] + after[0]) / (before[1] + after[1])
    print(f"bare driver, ready rows: {bare:,.0f} rows/s ({before[0] / before[1]:,.0f} before, ", end="")
    print(f"{after[0] / after[1]:,.0f} after)")
    rate = rows / seconds
    print(f"store: {rate:,.0f} rows/s, {rate / bare:.0%} of it; {rows:,} rows in {seconds:,.1f} s")
    print("peak memory of the loader after each export, MiB:", " ".join(f"{peak:,.0f}" for peak in peaks))
    with Neo4jStore.connect(uri, auth) as store:
        store.prune()
        (key,) = store.run("MATCH (r:Record {is_root: false, loadable: true}) RETURN r.key_id LIMIT 1").rows[0]
        for name, file in library().items():
            text, params = file.bound({"key": key} if "key" in file.defaults else {})
            times = []
            for _ in range(2):
                start = time.monotonic()
                found = len(store.run(text, params))
                times.append(time.monotonic() - start)
            print(f"{name:22} {times[0]:7.2f} s, again {times[1]:7.2f} s {found:9,} rows", flush=True)


def apart(work: Callable[[Target, int, int], T], target: Target, first: int, count: int) -> T:
    """Run in a process of its own, so that its memory can be told."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, target, first, count).result()


def load_with_store(target: Target, first: int, count: int) -> tuple[int, float, list[float]]:
    peaks: list[float] = []

    def graphs() -> Iterator[ExportGraph]:
        for number in range(first, first + count):
            graph = make_graph(target.records, number)
            yield graph
            peaks.append(peak())

    with Neo4jStore.connect(target.uri, target.auth) as store:
        made = sum(prepared(target.records, number) for number in range(first, first + count))
        summary = store.write(graphs())
    return summary.rows, summary.seconds - made, peaks


def prepared(records: int, number: int) -> float:
    """Time what making the synthetic export takes, which is no part of loading."""
    start = time.monotonic()
    make_graph(records, number)
    return time.monotonic() - start


def load_bare(target: Target, first: int, count: int) -> tuple[int, float, list[float]]:
    """Write ready rows with the same statements: no claims, no marks, nothing computed on the way."""
    rows, seconds = 0, 0.0
    with neo4j.GraphDatabase.driver(target.uri, auth=target.auth) as driver, driver.session() as session:
        for number in range(first, first + count):
            graph = make_graph(target.records, number)
            ready = list(batches(graph))
            session.run("CREATE (:Export {id: $id})", id=graph.id).consume()
            start = time.monotonic()
            for text, batch in ready:
                session.run(literal(text), rows=batch, export=graph.id).consume()
            seconds += time.monotonic() - start
            rows += sum(len(batch) for _, batch in ready)
    return rows, seconds, [peak()]


def make_graph(records: int, number: int) -> ExportGraph:
    config = make_config(records, number)
    blobs = tuple(Blob(digest=layer.blob, size=1000 + int(layer.blob[-6:], 16)) for layer in config.layers)
    export = CacheExport(
        source=f"type=registry,ref=registry.example.com/app{number}:cache",
        kind="registry",
        config=config,
        config_digest=f"sha256:{number:064x}",
        config_bytes=records * 400,
        blobs=blobs,
    )
    return ExportGraph(export)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
