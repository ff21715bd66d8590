"""What only many exports together tell: keys that hide results, results that went, coverage over time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cachegraph as cg
from cachegraph.core.model import CacheConfig, CacheExport
from cachegraph.queries import library
from cachegraph.solver.diff import measure
from cachegraph.stores.neo4j import Neo4jStore


def rows(store: Neo4jStore, name: str, **params: object) -> list[dict[str, object]]:
    return list(store.run(*library.get(name).bound(params)))


def without_results(export: CacheExport) -> CacheExport:
    """The same keys, and nothing to load."""
    records = tuple(type(record)(digest=record.digest, inputs=record.inputs) for record in export.config.records)
    config = CacheConfig(layers=export.config.layers, records=records)
    return replace(export, config=config, config_digest="sha256:keys")


def test_over_several_exports(store: Neo4jStore, layouts: Path) -> None:
    """One ref had results and lost them; another still has them, and each can be imported beside the other."""
    full = replace(cg.load(str(layouts / "scratch-file-max")).graphs[0].export, source="ref one")
    keys = without_results(full)
    store.write(cg.CacheGraph([full]))
    store.write(cg.CacheGraph([keys, replace(full, source="ref two")]))
    graph = cg.CacheGraph([full]).graphs[0]
    steps = [index for index in range(len(graph)) if not graph.is_root(index) and graph.loadable[index]]

    hidden = rows(store, "shadowed-keys")
    assert {row["key_id"] for row in hidden} == {graph.key_ids[index] for index in steps}
    assert {(tuple(row["loadable_in"]), tuple(row["hidden_by"])) for row in hidden} == {  # type: ignore[arg-type]
        (("ref two",), ("ref one",))
    }
    assert rows(store, "shadowed-keys", source="ref two") == []

    lost = rows(store, "lost-results")
    assert [(row["source"], row["record"], row["reason"], row["exports"]) for row in lost] == [
        ("ref one", index, "not-exported", 1) for index in steps
    ]
    assert rows(store, "lost-results", source="ref two") == []

    side = measure(graph)
    covered = [(row["source"], row["steps"], row["loadable"]) for row in rows(store, "coverage-over-time")]
    assert covered == [
        ("ref one", side.steps, side.loadable),
        ("ref one", side.steps, 0),
        ("ref two", side.steps, side.loadable),
    ]
