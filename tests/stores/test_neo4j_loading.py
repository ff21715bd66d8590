"""Loading: the same graph whatever happens meanwhile, history, and what is removed."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterable
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import pytest

from benchmarks.synthetic import make_config
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Blob, CacheConfig, CacheExport, CacheLayer, CacheRecord, CacheResult, Name, Names
from cachegraph.errors import UnknownNameError, UsageError
from cachegraph.server import Login
from cachegraph.stores.neo4j import Neo4jStore
from cachegraph.stores.neo4j.claims import Claim

PASSING = ("loaded_at", "superseded_at", "looked_at", "last_seen")
"""Properties that tell when, and so differ from load to load."""


def made(number: int) -> ExportGraph:
    """An export that shares layers with those of other numbers."""
    config, digest = make_config(100, number), f"sha256:{number}"
    return ExportGraph(
        CacheExport(source=f"ref {number}", kind="s3", config=config, config_digest=digest, config_bytes=1)
    )


def load(pipe: Connection, login: Login, numbers: Iterable[int], lease: float) -> None:
    """Load exports when told to, in a process of its own; tell of each batch, and at the end of what came of it."""
    with Neo4jStore.connect(login.uri, (login.username, login.password)) as store:
        pipe.send("ready")
        pipe.recv()
        graphs = (made(number) for number in numbers)
        summary = store.write(graphs, report=lambda *_: pipe.send("batch"), batch=100, lease=lease)
        pipe.send((summary.created, summary.unchanged, len(summary.failed)))


class Loader:
    """A process that loads exports."""

    def __init__(self, login: Login, *numbers: int, lease: float = 20) -> None:
        # Forked from a process that has imported everything, so that a start takes no time.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, "neo4j", "cachegraph.stores.neo4j.store"])
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=load, args=(other, login, numbers, lease), daemon=True)
        self.process.start()
        other.close()
        assert self.pipe.recv() == "ready"

    def begin(self) -> None:
        self.pipe.send("go")

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.join()

    def end(self) -> tuple[int, int, int]:
        """Wait for its end: how many exports it created, found there, failed to load."""
        while (told := self.pipe.recv()) == "batch":
            pass
        self.process.join()
        found: tuple[int, int, int] = told
        return found


def dump(store: Neo4jStore) -> dict[str, list[Any]]:
    """All that is in the store, but for when."""
    nodes = store.run("MATCH (n) WHERE NOT n:Run RETURN labels(n) AS labels, properties(n) AS properties")
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
    store.write([made(0), made(1)], batch=30)
    small = dump(store)
    emptied(store)
    store.write([made(0), made(1)])
    assert dump(store) == small


def test_a_load_that_is_killed_leaves_nothing_behind(store: Neo4jStore, clean_neo4j: Login) -> None:
    batches: list[str] = []
    store.write([made(0)], report=lambda what, *_: batches.append(what), batch=100)
    clean = dump(store)
    chance = random.Random(4)
    for _ in range(10):  # and as often on the other version
        emptied(store)
        loader = Loader(clean_neo4j, 0, lease=0.2)
        loader.begin()
        for _ in range(chance.randrange(len(batches))):
            loader.pipe.recv()
        time.sleep(chance.random() / 50)
        loader.kill()
        found = {finding.export for finding in store.check()}
        assert found <= {export.id for export in store.exports()}
        store.write([made(0)], lease=0.2)
        assert dump(store) == clean


def test_four_loaders_at_once(store: Neo4jStore, clean_neo4j: Login) -> None:
    store.write([made(number) for number in range(4)])
    alone = dump(store)
    for orders in ([(0, 1, 2, 3)] * 4, [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)]):
        emptied(store)
        loaders = [Loader(clean_neo4j, *order) for order in orders]
        for loader in loaders:
            loader.begin()
        ends = [loader.end() for loader in loaders]
        assert sum(created for created, _, _ in ends) == 4
        assert {(created + unchanged, failed) for created, unchanged, failed in ends} == {(4, 0)}
        assert dump(store) == alone


def test_loaders_that_meet_a_server_without_a_schema(empty_neo4j: Login, store: Neo4jStore) -> None:
    assert len(store.status().missing_schema) > 10
    loaders = [Loader(empty_neo4j, number) for number in range(4)]
    for loader in loaders:
        loader.begin()
    assert [loader.end() for loader in loaders] == [(1, 0, 0)] * 4
    assert store.status().missing_schema == ()


def test_a_live_load_is_waited_for(store: Neo4jStore) -> None:
    graph = made(0)
    store.ensure_schema()
    other = Claim(store._connection, graph.id, lease=2.0)
    start = time.monotonic()
    assert other.take({"id": graph.id, "source": "ref 0"}, "another") == "claimed"
    told = []
    store.write([graph], report=lambda *what: told.append(what[0]))
    assert time.monotonic() - start >= 2.0
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


def test_a_source_can_be_forgotten(store: Neo4jStore) -> None:
    store.write([small("x", source="other")])
    kept = dump(store)
    store.write([small("a"), small("b"), small("b", platform="linux/arm64")])
    assert store.forget("ref") == 3
    assert dump(store) == kept
    with pytest.raises(UnknownNameError, match="no export has the source 'ref'"):
        store.forget("ref")


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


def test_loads_and_prunes_at_once(store: Neo4jStore, clean_neo4j: Login) -> None:
    shared = tuple(Blob(digest=layer.blob) for layer in made(0).export.config.layers)
    store.write([made(0), small("f", blobs=shared)])
    alone = dump(store)
    emptied(store)
    store.write([small(text, blobs=shared) for text in "abcdef"])
    loaders = [Loader(clean_neo4j, 0) for _ in range(2)]
    for loader in loaders:
        loader.begin()
    store.prune(1, batch=20)
    assert sorted(loader.end() for loader in loaders) == [(0, 1, 0), (1, 0, 0)]
    assert dump(store) == alone
