"""Loading: the same graph whatever happens meanwhile, history, and what is removed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Blob, CacheConfig, CacheExport, CacheLayer, CacheRecord, CacheResult, Name, Names
from cachegraph.errors import UsageError
from cachegraph.stores.neo4j import Neo4jStore
from cachegraph.stores.neo4j.claims import Claim
from cachegraph.stores.server import Login

# Made anew by each process: layers that several exports share, records in chains.
LOADER = """
import os, sys
from benchmarks.synthetic import make_config
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport
from cachegraph.stores.neo4j import Neo4jStore

def made(number):
    config = make_config(100, number)
    return ExportGraph(CacheExport(source=f"ref {number}", kind="s3", config=config, config_digest=f"sha256:{number}",
                                   config_bytes=1))

if __name__ == "__main__":
    with Neo4jStore.connect() as store:
        print("ready", flush=True)
        sys.stdin.readline()
        batch, lease, *numbers = sys.argv[1:]
        summary = store.write((made(int(n)) for n in numbers), batch=int(batch), lease=float(lease))
        print(summary.created, summary.unchanged, len(summary.failed), flush=True)
"""
Start = Callable[..., subprocess.Popen[str]]
PASSING = ("loaded_at", "superseded_at")
"""Properties that tell when, and so differ from load to load."""


@pytest.fixture
def loader(tmp_path: Path, empty_neo4j: Login) -> Iterator[Start]:
    """Starts processes that load exports; they begin when told to."""
    script = tmp_path / "loader.py"
    script.write_text(LOADER)
    root = Path(__file__).parents[2]
    environment = os.environ | {
        "NEO4J_URI": empty_neo4j.uri,
        "NEO4J_USERNAME": empty_neo4j.username,
        "NEO4J_PASSWORD": empty_neo4j.password,
        "PYTHONPATH": str(root),
    }
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(script), *map(str, arguments)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def begin(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()


def ended(process: subprocess.Popen[str]) -> list[str]:
    """Wait for a loader: how many exports it created, found there, failed to load."""
    return process.communicate(timeout=100)[0].split()


def made(number: int) -> ExportGraph:
    names: dict[str, Any] = {"__name__": "loader"}
    exec(LOADER, names)
    graph: ExportGraph = names["made"](number)
    return graph


def dump(store: Neo4jStore) -> dict[str, list[Any]]:
    """All that is in the store, but for when."""
    nodes = store.run("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties")
    ties = store.run(
        "MATCH (a)-[r]->(b) RETURN coalesce(a.id, a.digest), type(r), coalesce(b.id, b.digest), properties(r)"
    )
    kept = [[row["labels"], {k: v for k, v in row["properties"].items() if k not in PASSING}] for row in nodes]
    return {"nodes": sorted(kept, key=repr_of), "ties": sorted((list(row) for row in ties.rows), key=repr_of)}


def repr_of(row: list[Any]) -> str:
    return repr([sorted(part.items()) if isinstance(part, dict) else part for part in row])


def emptied(store: Neo4jStore) -> None:
    store.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 1000 ROWS", write=True)


def test_twice_is_once(store: Neo4jStore) -> None:
    first = store.write([made(0)], batch=50)
    once = dump(store)
    second = store.write([made(0)])
    assert (first.created, first.unchanged, second.created, second.unchanged) == (1, 0, 0, 1)
    assert (second.rows, dump(store)) == (0, once)
    assert store.status().missing_schema == ()


def test_the_size_of_a_batch_does_not_matter(store: Neo4jStore) -> None:
    store.write([made(0), made(1)], batch=7)
    small = dump(store)
    emptied(store)
    store.write([made(0), made(1)])
    assert dump(store) == small


def test_a_load_that_is_killed_leaves_nothing_behind(store: Neo4jStore, loader: Start) -> None:
    store.write([made(0)])
    clean = dump(store)
    unharmed, *victims = [loader(40, 0.5, 0) for _ in range(11)]  # as many on the other version
    emptied(store)
    start = time.monotonic()
    begin(unharmed)
    assert ended(unharmed) == ["1", "0", "0"]
    whole = time.monotonic() - start
    assert dump(store) == clean
    chance = random.Random(4)
    interrupted = 0
    for process in victims:
        emptied(store)
        begin(process)
        time.sleep(chance.random() * whole)
        process.kill()
        process.wait()
        status = store.status()
        interrupted += status.exports == 0 and status.loading + status.abandoned == 1
        if status.exports == 0:
            assert len(store.check()) == 0
        store.write([made(0)], lease=0.5)
        assert dump(store) == clean
    assert interrupted >= 5


def test_four_loaders_at_once(store: Neo4jStore, loader: Start) -> None:
    store.write([made(number) for number in range(4)])
    alone = dump(store)
    for orders in (["0 1 2 3"] * 4, ["0 1 2 3", "3 2 1 0", "1 3 0 2", "2 0 3 1"]):
        emptied(store)
        processes = [loader(40, 20, *order.split()) for order in orders]
        begin(*processes)
        ends = [ended(process) for process in processes]
        assert sum(int(created) for created, _, _ in ends) == 4
        assert {(int(created) + int(unchanged), failed) for created, unchanged, failed in ends} == {(4, "0")}
        assert dump(store) == alone


def test_a_live_load_is_waited_for(store: Neo4jStore) -> None:
    graph = made(0)
    store.ensure_schema()
    other = Claim(store._connection, graph.id, lease=2.0)
    assert other.take({"id": graph.id, "source": "ref 0"}, "another") == "claimed"
    told = []
    start = time.monotonic()
    store.write([graph], report=lambda *what: told.append(what[0]))
    assert time.monotonic() - start >= 1.5
    assert told[0] == "waiting for another load of ref 0"
    with pytest.raises(Exception, match="another load took over export"):
        other.step(lambda _: 0)


def small(text: str, **more: object) -> ExportGraph:
    """An export of two records, one of which has a layer of its own and one that all share."""
    config = CacheConfig(
        layers=(CacheLayer(blob="shared", parent=-1), CacheLayer(blob=f"own {text}", parent=0)),
        records=(CacheRecord(digest="root"), CacheRecord(digest=text, layers=(CacheResult(layer=1),))),
    )
    blobs = (Blob(digest="shared"), Blob(digest=f"own {text}"))
    export = CacheExport(
        source="ref", kind="registry", config=config, config_digest=f"sha256:{text}", config_bytes=9, blobs=blobs
    )
    return ExportGraph(replace(export, **more))  # type: ignore[arg-type] # fields of the export, as the tests name them


def loaded(store: Neo4jStore, *, history: bool = True) -> list[tuple[str, bool]]:
    """Which exports there are, by the digest of their second record, newest first."""
    digests = dict(store.run("MATCH (e:Export)-[:HAS_RECORD]->(r:Record {index: 1}) RETURN e.id, r.digest").rows)
    return [(digests[export.id], export.current) for export in store.exports(history=history)]


def blobs(store: Neo4jStore) -> list[str]:
    return [digest for (digest,) in store.run("MATCH (b:Blob) RETURN b.digest ORDER BY b.digest").rows]


def test_a_new_export_supersedes_the_one_before(store: Neo4jStore) -> None:
    first = store.write([small("a"), small("a", source="other"), small("b", platform="linux/arm64")])
    assert (first.created, first.superseded) == (3, 0)
    second = store.write([small("b"), small("c")])
    assert (second.created, second.superseded) == (2, 2)
    assert loaded(store, history=False) == [("a", True), ("b", True), ("c", True)]
    assert [pair for pair in loaded(store) if not pair[1]] == [("b", False), ("a", False)]
    assert {f.export for f in store.ask("size-forecast")} == {e.id for e in store.exports()}
    assert len(store.ask("size-forecast", "ref")) == 2


def test_a_state_that_comes_back_is_current_again(store: Neo4jStore) -> None:
    store.write([small("a"), small("b")])
    again = store.write([small("a")])
    assert (again.created, again.unchanged, again.superseded) == (0, 1, 1)
    assert loaded(store) == [("a", True), ("b", False)]


def test_replace_removes_what_it_supersedes(store: Neo4jStore) -> None:
    store.write([small("a"), small("b"), small("a", source="other")])
    summary = store.write([small("c")], replace=True)
    assert (summary.created, summary.superseded, summary.removed) == (1, 1, 2)
    assert sorted(loaded(store)) == [("a", True), ("c", True)]
    assert blobs(store) == ["own a", "own c", "shared"]


def test_prune(store: Neo4jStore) -> None:
    store.write([small("c"), small("d"), small("x", source="other")])
    kept = dump(store)
    emptied(store)
    store.write([small("a"), small("b"), small("c"), small("d"), small("x", source="other")])
    dead = Claim(store._connection, "dead", lease=0.0)
    assert dead.take({"id": "dead", "source": "ref"}, "mark") == "claimed"
    would = store.prune(2, dry_run=True)
    assert (len(would.exports), would.abandoned, len(loaded(store))) == (2, 1, 5)
    done = store.prune(2, batch=3)
    assert (done.exports, done.abandoned) == (would.exports, 1)
    assert dump(store) == kept
    assert store.prune(2).exports == ()
    with pytest.raises(UsageError, match="keep=0: at least 1"):
        store.prune(0)


def test_what_a_loader_sees_anew_is_written_anew(store: Neo4jStore) -> None:
    graph = small("a")
    store.write([graph])
    lost = replace(graph.export, blobs=(Blob(digest="shared"), Blob(digest="own a", present=False)))
    assert store.write([ExportGraph(lost)]).created == 1
    assert [(f.record, f.severity) for f in store.ask("missing-results")] == []
    assert store.run("MATCH (:Export)-[l:LISTS]->(b) RETURN b.digest, l.present ORDER BY b.digest").rows == (
        ("own a", False),
        ("shared", None),
    )
    named = ExportGraph(lost, Names(records={"a": Name(op="exec", name="RUN a")}))
    assert store.write([named]).created == 1
    assert store.run("MATCH (r:Record {index: 1}) RETURN r.name").rows == (("RUN a",),)
    assert len(loaded(store)) == 1


def test_what_is_known_of_a_blob_stays_known(store: Neo4jStore) -> None:
    known = Blob(digest="shared", size=5, media_type="m", diff_id="d")
    graphs = [small("a", source="one", blobs=(known,)), small("a", source="two", blobs=(Blob(digest="shared"),))]
    for order in (graphs, graphs[::-1]):
        emptied(store)
        store.write(order)
        assert store.run("MATCH (b:Blob {digest: 'shared'}) RETURN b.size, b.media_type, b.diff_id").rows == (
            (5, "m", "d"),
        )


def test_loads_and_prunes_at_once(store: Neo4jStore, loader: Start) -> None:
    store.write([made(0), made(1)])
    alone = dump(store)
    processes = [loader(30, 20, 0, 1) for _ in range(2)]
    for text in ("a", "b", "c", "d", "e", "f"):
        store.write([small(text)])
    begin(*processes)
    store.prune(1, batch=5)
    assert [ended(process) for process in processes] == [["0", "2", "0"]] * 2
    store.write([small("z", source="ref")], replace=True)
    store.run("MATCH (e:Export {source: 'ref'}) SET e.current = false", write=True)
    store.prune(1)
    assert {e.source for e in store.exports()} == {"ref 0", "ref 1"}
    assert len(dump(store)["ties"]) >= len(alone["ties"])
