"""Every Cypher file runs as it stands, in cypher-shell and through the driver, and gives the columns it promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Blob, Problem
from cachegraph.errors import UnknownNameError
from cachegraph.queries import library
from cachegraph.server import Login, cypher_shell
from cachegraph.stores.neo4j import Neo4jStore

FILES = [*library.library().values(), *library.library(pure=True).values()]


@pytest.fixture
def fleet(store: Neo4jStore, layouts: Path) -> cg.CacheGraph:
    """Three refs, of which one was loaded twice: its second export has lost a blob and half of its records."""
    one, two = (cg.load(str(layouts / name)).graphs[0].export for name in ("scratch-file-max", "web-max"))
    problem = Problem(code="source-note", message="odd")
    first = replace(one, source="ref one", problems=(problem,))
    blobs = tuple(replace(blob, present=False) for blob in one.blobs or ())
    second = replace(first, config_digest="sha256:second", blobs=blobs, refusal="blob is too large")
    exports = [first, second, replace(one, source="ref two"), replace(two, source="ref three")]
    graph = cg.CacheGraph(exports)
    store.write(graph)
    return graph


def test_every_file_gives_the_columns_it_promises(store: Neo4jStore, fleet: cg.CacheGraph) -> None:
    key = fleet.graphs[2].key_ids[-1]
    for file in FILES:
        for params in ({}, {"key": key} if "key" in file.defaults else dict.fromkeys(file.defaults)):
            table = store.run(*file.bound(params))
            assert table.columns == tuple(file.columns), file.name
        assert store.run(file.text).columns == tuple(file.columns), file.name


def test_every_file_runs_as_it_stands_in_cypher_shell(
    store: Neo4jStore, fleet: cg.CacheGraph, clean_neo4j: Login
) -> None:
    mark = "RETURN 'next file' AS mark;\n"
    output = cypher_shell(clean_neo4j, mark.join(["", *(file.text for file in FILES)]))
    blocks = output.split('mark\n"next file"\n')[1:]
    assert len(blocks) == len(FILES)
    for file, block in zip(FILES, blocks, strict=True):
        rows = block.strip().splitlines()
        found = len(store.run(file.text))
        assert (rows[0].split(", ") if found else []) == (list(file.columns) if found else []), file.name
        assert max(len(rows) - 1, 0) == found, file.name


def rows(store: Neo4jStore, name: str, **params: object) -> list[dict[str, object]]:
    return list(store.run(*library.get(name).bound(params)))


def test_refs_with_a_key(store: Neo4jStore, fleet: cg.CacheGraph) -> None:
    graph = fleet.graphs[2]
    record = next(index for index in range(len(graph)) if graph.loadable[index])
    by_key = rows(store, "refs-with-key", key=graph.key_ids[record])
    assert [(row["source"], row["record"], row["loadable"]) for row in by_key] == [
        ("ref one", record, False),
        ("ref two", record, True),
    ]
    assert rows(store, "refs-with-key", key=graph.export.config.records[record].digest) == by_key
    assert [row["source"] for row in rows(store, "refs-with-result", key=graph.key_ids[record])] == ["ref two"]
    assert rows(store, "refs-with-key") == []


def test_what_a_ref_lost(store: Neo4jStore, fleet: cg.CacheGraph) -> None:
    found = rows(store, "lost-since-previous")
    graph = fleet.graphs[0]
    assert [row["record"] for row in found] == [index for index in range(len(graph)) if graph.loadable[index]]
    assert {(row["source"], row["previous"], row["state"]) for row in found} == {("ref one", graph.id, "key-only")}
    assert rows(store, "lost-since-previous", source="ref two") == []


def test_refused_refs(store: Neo4jStore, fleet: cg.CacheGraph) -> None:
    assert [(row["source"], row["error"]) for row in rows(store, "refused-refs")] == [("ref one", "blob is too large")]
    assert rows(store, "refused-refs", kind="s3") == []


def test_bytes_and_layers_that_refs_share(store: Neo4jStore, fleet: cg.CacheGraph) -> None:
    two, three = (graph.export for graph in fleet.graphs[2:])
    sizes = {blob.digest: blob.size or 0 for blob in (*(two.blobs or ()), *(three.blobs or ()))}
    listed = [{blob.digest for blob in export.blobs or ()} for export in (two, two, three)]
    expected = {}
    for number, source in enumerate(("ref one", "ref two", "ref three")):
        others = set().union(*(blobs for other, blobs in enumerate(listed) if other != number))
        alone = sum(sizes[digest] for digest in listed[number] - others)
        expected[source] = (len(listed[number]), sum(sizes[digest] for digest in listed[number]), alone)
    found = rows(store, "bytes-per-ref")
    assert {row["source"]: (row["blobs"], row["bytes"], row["unique_bytes"]) for row in found} == expected
    assert rows(store, "bytes-per-ref", source="ref two") == [row for row in found if row["source"] == "ref two"]
    layers = {layer.blob for layer in two.config.layers}
    assert {row["blob"] for row in rows(store, "shared-layers")} >= layers


def test_growth_and_ages(store: Neo4jStore, fleet: cg.CacheGraph) -> None:
    grown = [row for row in rows(store, "growth") if row["source"] == "ref one"]
    assert [(row["export"], row["more_records"]) for row in grown] == [
        (fleet.graphs[0].id, None),
        (fleet.graphs[1].id, 0),
    ]
    ages = {row["source"]: row for row in rows(store, "result-ages")}
    assert (ages["ref one"]["results"], ages["ref one"]["newest"]) == (0, None)
    graph = fleet.graphs[2]
    assert ages["ref two"]["results"] == sum(len(list(graph.loadable_results(r))) for r in range(len(graph)))
    assert str(ages["ref two"]["newest"]).startswith("20")


def test_roots_and_merges(store: Neo4jStore, fleet: cg.CacheGraph) -> None:
    graph = fleet.graphs[3]
    counts = graph.links.count_above(graph.roots, graph.loadable)
    found = {row["record"]: row["loadable_above"] for row in rows(store, "root-fanout", export=graph.id)}
    assert found == {root: count for root, count in counts.items() if count}
    merges = rows(store, "merges-without-result", inputs=0)
    assert len(merges) == sum(len(graph.merges) for graph in fleet.graphs[1:])


def test_keys_that_no_ref_can_load(store: Neo4jStore, layouts: Path) -> None:
    export = cg.load(str(layouts / "scratch-file-max")).graphs[0].export
    blobs = tuple(Blob(digest=blob.digest, present=False) for blob in export.blobs or ())
    gone = [ExportGraph(replace(export, source=source, blobs=blobs)) for source in ("one", "two")]
    store.write(gone)
    found = rows(store, "never-loadable-keys")
    assert {row["key_id"] for row in found} == {gone[0].key_ids[record] for record in gone[0].missing}
    assert {row["exports"] for row in found} == {2}
    assert rows(store, "never-loadable-keys", exports=3) == []
    store.write([ExportGraph(replace(export, source="three"))])
    assert len(rows(store, "never-loadable-keys")) < len(found)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"no Cypher file 'growht' \(did you mean growth\?\)"):
        library.get("growht")
    with pytest.raises(UnknownNameError, match=r"growth: there is no parameter 'sauce' \(did you mean source\?\)"):
        library.get("growth").bound({"sauce": 1})
