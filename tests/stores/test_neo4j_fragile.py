"""What builders can miss at random, asked of the server: the same as the core finds."""

from __future__ import annotations

import pytest

import cachegraph as cg
from cachegraph.errors import UsageError
from cachegraph.schema import fragile
from cachegraph.stores.neo4j import Neo4jStore
from tests.builders import export_graph, record

TWO_TARGETS = (record("base"), record("step", [0]), record("target", [0], [1]), record("other", [0]))


def test_the_twin_finds_what_the_core_finds(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = cg.CacheGraph([export_graph(*TWO_TARGETS, source="two").export, export_graph(*TWO_TARGETS[:3]).export])
    store.write(graph)
    found = store.ask("fragile-links")
    assert tuple(found) == tuple(graph.query("fragile-links"))
    assert [(finding.record, finding.slots, finding.cost, finding.steps) for finding in found] == [(1, (0,), 2, (1, 2))]
    assert {f.query for f in store.check(buildkit="0.31")} - {f.query for f in store.check()} == {"fragile-links"}

    monkeypatch.setattr("cachegraph.core.fragile.missable", lambda _: None)
    unknown = cg.CacheGraph([export_graph(*TWO_TARGETS, source="unknown").export])
    assert fragile.fragile(unknown.graphs[0]) is None
    store.write(unknown)
    (one,) = store.ask("fragile-links", "unknown")
    assert (one,) == tuple(unknown.query("fragile-links"))
    assert (one.record, one.reason, one.severity) == (None, "cannot-tell", "note")


def test_a_store_does_not_know_which_caches_a_build_imports(store: Neo4jStore) -> None:
    with pytest.raises(UsageError, match="cachegraph cypher shadowed-keys"):
        store.ask("shadowed-keys")
