"""Every question has one answer: the core's and Neo4j's, message included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cachegraph as cg
from cachegraph.core.decode import encode
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import (
    Blob,
    CacheConfig,
    CacheExport,
    CacheInput,
    CacheLayer,
    CacheRecord,
    CacheResult,
    ChainedResult,
    Kind,
    Name,
    Names,
    Problem,
    StrayBlob,
)
from cachegraph.core.operations import operation_digests
from cachegraph.loaders import catalogue
from cachegraph.loaders.config import export_from_config
from cachegraph.queries.base import Finding, Query
from cachegraph.queries.catalogue import QUERIES
from cachegraph.queries.library import library
from cachegraph.stores.neo4j import Neo4jStore

MERGES = {slots: digest for digest, (op, slots) in operation_digests().items() if op == "merge" and slots <= 3}
TIMES = ["0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01.000000001Z"]


def answers(question: Query[Any], graphs: Iterable[ExportGraph]) -> list[Finding]:
    """What the core finds, with its words."""
    return [question.worded(finding, graph.title) for graph in graphs for finding in question.ask(graph)]


def answered_alike(store: Neo4jStore, graphs: Iterable[ExportGraph]) -> None:
    """Ask everything of all current exports, and compare with what the core finds."""
    graphs = list(graphs)
    for question in QUERIES:
        stored = store.ask(question.name)
        assert Counter(stored) == Counter(answers(question, graphs)), question.name
        for graph in graphs[:3]:
            assert list(store.ask(question.name, graph.id)) == answers(question, [graph]), question.name


def test_on_every_real_export(store: Neo4jStore, layouts: Path) -> None:
    graph = cg.CacheGraph(catalogue.load(sorted(str(layout) for layout in layouts.iterdir())).exports)
    store.write(graph)
    assert len(graph.graphs) > 15
    assert len(store.exports()) == len(graph.graphs)
    answered_alike(store, graph)


def test_findings_are_shown_alike(store: Neo4jStore, layouts: Path) -> None:
    """Exports by their short names, one question or all of them; two that have one name are told apart."""
    names = ("web-max", "web-oci", "web-multi-inline", "merge-plain-max")
    graph = cg.CacheGraph(catalogue.load([str(layouts / name) for name in names]).exports)
    store.write(graph)
    every = store.check()
    both = ((graph.check(), every), *((graph.query(q.name), store.ask(q.name)) for q in QUERIES))
    for own, stored in both:
        assert {export: stored.title(export) for export in stored.by_export()} == {
            export: own.title(export) for export in own.by_export()
        }
    shown = {every.title(export.id) for export in graph}
    assert shown == {
        "web-max",
        "web-oci linux/amd64",
        "web-multi-inline linux/amd64",
        "web-multi-inline linux/386",
        "merge-plain-max",
    }
    page = every._repr_mimebundle_()["text/html"]
    assert "<td>web-multi-inline linux/386</td>" in page
    assert graph.graphs[0].id[:8] not in page


def test_on_damaged_exports(store: Neo4jStore, verdicts: list[object]) -> None:
    some = verdicts[::6]
    exports = [
        export_from_config(v.config, source=f"config {number}", blobs=v.blobs)  # type: ignore[attr-defined] # conftest
        for number, v in enumerate(some)
    ]
    graph = cg.CacheGraph(exports)
    store.write(graph)
    answered_alike(store, graph)


def configs() -> st.SearchStrategy[CacheConfig]:
    """Configs that refer backwards, with merges, shared digests, and results of every kind."""

    @st.composite
    def config(draw: st.DrawFn) -> CacheConfig:
        layers = tuple(
            CacheLayer(blob=f"blob-{draw(st.integers(0, 5))}", parent=draw(st.integers(-1, index - 1)))
            for index in range(draw(st.integers(1, 6)))
        )
        layer = st.integers(0, len(layers) - 1)
        results = st.lists(st.builds(CacheResult, layer=layer, created_at=st.sampled_from(TIMES)), max_size=2)
        chain = st.builds(
            ChainedResult, layers=st.lists(layer, max_size=4).map(tuple), created_at=st.sampled_from(TIMES)
        )
        records: list[CacheRecord] = []
        for index in range(draw(st.integers(1, 10))):
            alternative = st.builds(
                CacheInput, link=st.integers(0, index - 1), selector=st.sampled_from(["", "sha256:s"])
            )
            slots = (
                draw(st.lists(st.lists(alternative, min_size=1, max_size=3).map(tuple), max_size=3)) if index else []
            )
            records.append(
                CacheRecord(
                    digest=draw(st.sampled_from(["a", "b", MERGES.get(len(slots), "c"), f"own-{index}"])),
                    inputs=tuple(slots),
                    layers=tuple(draw(results)),
                    chains=tuple(draw(st.lists(chain, max_size=2))),
                )
            )
        return CacheConfig(layers=layers, records=tuple(records))

    return config()


SOURCES = count()


@st.composite
def graphs(draw: st.DrawFn) -> ExportGraph:
    """An export around a config: blobs listed or not, there or not, strays, problems, names."""
    config = draw(configs())
    kind: Kind = draw(st.sampled_from(["local", "inline", "s3"]))
    blob = st.builds(
        Blob,
        digest=st.integers(0, 6).map("blob-{}".format),
        size=st.none() | st.integers(0, 2**40),
        media_type=st.none() | st.sampled_from(["application/a", "application/b"]),
        present=st.none() | st.booleans(),
    )
    blobs = draw(st.none() | st.lists(blob, max_size=6, unique_by=lambda b: b.digest).map(tuple))
    stray = st.builds(
        StrayBlob, digest=st.integers(4, 9).map("blob-{}".format), size=st.integers(0, 99), modified_at=st.none()
    )
    strays = st.lists(stray, max_size=3, unique_by=lambda b: b.digest).map(lambda s: sorted(s, key=lambda b: b.digest))
    problem = st.builds(
        Problem, code=st.just("source-note"), message=st.text("ab'`\n\\", min_size=1), digest=st.none() | st.just("d")
    )
    number = next(SOURCES)
    export = CacheExport(
        source=f"made {number}",
        kind=kind,
        config=config,
        config_digest=f"sha256:{number}",
        config_bytes=draw(st.sampled_from([0, 900_000, 1_048_576, 1_048_577])) or len(encode(config)),
        blobs=blobs,
        problems=tuple(draw(st.lists(problem, max_size=2))),
        strays=draw(st.none() | strays.map(tuple)),
        store=f"store {number}",
    )
    named = Names(records={"a": Name(op="exec", name="RUN a"), "own-0": Name(op="source", name="x" * 70)})
    return ExportGraph(export, draw(st.sampled_from([None, named])))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=st.lists(graphs(), min_size=1, max_size=5))
def test_on_made_exports(store: Neo4jStore, some: list[ExportGraph]) -> None:
    summary = store.write(some)
    assert (summary.created, summary.failed) == (len(some), ())
    for question in QUERIES:
        found = [finding for graph in some for finding in store.ask(question.name, graph.id)]
        assert found == answers(question, some)
    for graph in some:
        if not graph.links.has_loop:
            agrees_with_itself(store, graph.id)


def agrees_with_itself(store: Neo4jStore, export: str) -> None:
    """Compare what Cypher reads of the core's searches with what it finds when it searches itself."""
    for name, file in library(pure=True).items():
        read, found = (
            [compared(name, row) for row in kept(name, store.run(*text.bound({"export": export})))]
            for text in (library()[name], file)
        )
        assert read == found, name


def compared(name: str, row: dict[str, object]) -> dict[str, object]:
    """What both have; positions in a merged result are the core's alone, which prefers them to the first that fit."""
    skipped = {"merge-subsets": {"start", "stop", "inferred"}, "unreachable-roots": {"merge", "slot", "layers"}}
    kept = {key: value for key, value in row.items() if key not in skipped.get(name, set())}
    return kept | {"relation": "subset"} if kept.get("relation") == "prefix" else kept


def kept(name: str, rows: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Rows that both have: lost roots are the core's alone."""
    return (row for row in rows if not (name == "unreachable-roots" and row["reason"] == "lost"))


@pytest.fixture
def ladder() -> ExportGraph:
    """Two wide, 60 deep, nothing loadable: a search that follows every path never ends."""
    rungs = [CacheRecord(digest=side) for side in "ab"]
    for rung in range(60):
        below = tuple((CacheInput(link=2 * rung + side),) for side in (0, 1))
        rungs += [CacheRecord(digest=f"{side}{rung}", inputs=below) for side in "ab"]
    return ExportGraph(export_from_config(encode(CacheConfig(records=tuple(rungs))), source="ladder"))


def test_no_search_explodes(store: Neo4jStore, ladder: ExportGraph) -> None:
    store.write([ladder])
    for pure in (False, True):
        for file in library(pure=pure).values():
            store.run(*file.bound(), timeout=5)
    answered_alike(store, [ladder])
    agrees_with_itself(store, ladder.id)


def test_an_answer_has_words(store: Neo4jStore, layouts: Path) -> None:
    graph = cg.load(str(layouts / "scratch-file-inline"))
    store.write(graph)
    found: list[Finding] = [f for f in store.ask("unreachable-roots") if f.severity == "warning"]
    assert [(f.record, f.message) for f in found] == [
        (f.record, f.message) for f in graph.unreachable_roots() if f.severity == "warning"
    ]
    assert "runs again as soon as another input of the merge changes" in found[0].message
