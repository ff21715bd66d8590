"""Facts: computed when asked for, once, and by name; a window selects rows of the same columns."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.loaders import catalogue
from cachegraph.schema.declaration import BOOKKEEPING, DECLARED, KEPT, NODES, RELATIONSHIPS, digest
from cachegraph.schema.facts import ends, shown, whole
from cachegraph.schema.refs import short_ref
from cachegraph.schema.summary import ExportSummary, summarise


@pytest.fixture(scope="session")
def corpus(layouts: Path) -> cg.CacheGraph:
    """Every real export."""
    return cg.CacheGraph(catalogue.load(sorted(str(layout) for layout in layouts.iterdir())).exports)


def test_a_column_is_computed_when_it_is_asked_for_and_kept(layouts: Path) -> None:
    (graph,) = cg.load(str(layouts / "web-max"))
    assert graph.computed == {}
    records = whole(graph, "Record")
    first = records["digest"]
    assert list(graph.computed) == [("Record", "digest")]
    assert records["digest"] is first
    assert whole(graph, "Record")["digest"] is first


def test_every_column_has_a_value_for_each_row(corpus: cg.CacheGraph) -> None:
    assert len(corpus.graphs) > 20
    for graph in corpus:
        for owner in DECLARED:
            table = whole(graph, owner)
            assert {len(column) for column in table.values()} == {table.count}
            assert len(table) == len(list(table))


def test_fixed_words_are_all_that_occur(corpus: cg.CacheGraph) -> None:
    for owner, declared in DECLARED.items():
        for one in declared.properties:
            if one.words:
                found = {value for graph in corpus for value in whole(graph, owner)[one.name]}
                assert found <= {None, *one.words}, (owner, one.name)


def test_relationships_lead_from_and_to_nodes_that_are_there(corpus: cg.CacheGraph) -> None:
    for graph in corpus:
        for tie in RELATIONSHIPS:
            bounds, to = ends(graph, tie.type)
            assert len(bounds) == whole(graph, tie.start).count + 1
            assert list(bounds) == sorted(bounds)
            assert bounds[-1] == len(to)
            assert all(0 <= row < whole(graph, tie.end).count for row in to)


def test_a_window_selects_rows_and_computes_nothing_again(layouts: Path) -> None:
    graph = cg.load(str(layouts / "web-max"))
    everything = graph.to_networkx()
    before = set(graph.graphs[0].computed)
    part = graph.focus(13, up=1, down=1)
    seen = part.to_networkx()
    assert set(graph.graphs[0].computed) == before
    assert part.graphs[0].computed is graph.graphs[0].computed
    assert all(everything.nodes[key] == properties for key, properties in seen.nodes(data=True))
    assert set(seen.edges(data="type")) <= set(everything.edges(data="type"))
    assert list(shown(part.graphs[0], "Record")["index"]) == sorted(part.graphs[0].shown) == [9, 13, 15, 17, 18]  # type: ignore[attr-defined] # of a window
    assert whole(part.graphs[0], "Record").count == 19


def test_only_bookkeeping_is_not_computed() -> None:
    assert all(one.of is not None for declared in DECLARED.values() for one in declared.properties)
    assert all(one.of is None for one in (*BOOKKEEPING, *(one for node in KEPT for one in node.properties)))
    assert {node.key for node in NODES} == {"id", "digest"}


def test_a_summary_is_made_of_properties_of_the_export(layouts: Path) -> None:
    (graph,) = cg.load(str(layouts / "web-churn"))
    found = summarise(graph)
    declared = {one.name for one in DECLARED["Export"].properties}
    assert {field.name for field in fields(ExportSummary)} <= declared
    assert (found.records, found.roots, found.steps, found.loadable_steps, found.layers) == (34, 10, 24, 13, 15)
    assert list(found.to_dict()) == [
        "id",
        "source",
        "kind",
        "platform",
        "records",
        "layers",
        "importable",
        "import_error",
    ]


def test_the_digest_of_the_schema_is_the_same_in_every_process() -> None:
    assert digest() == digest.__wrapped__()
    assert len(digest()) == 64


@pytest.mark.parametrize(
    ("source", "platform", "short"),
    [
        ("type=registry,ref=registry.example.com/team/app:cache", None, "app:cache"),
        ("type=registry,ref=registry.example.com/app@sha256:00ff", None, "app"),
        ("type=local,src=/var/cache/web/,tag=main", None, "web"),
        ("type=s3,bucket=caches,name=web,region=eu", None, "web"),
        ("type=gha,scope=main", None, "main"),
        ("type=local,src=web,digest=sha256:00ff", "linux/arm64", "web linux/arm64"),
        ("configs/web.json", None, "web.json"),
        ("config 3", None, "config 3"),
        ("", None, ""),
    ],
)
def test_short_names(source: str, platform: str | None, short: str) -> None:
    assert short_ref(source, platform) == short
