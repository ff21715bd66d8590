"""Each question on graphs of a few records, which explain what it means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

import cachegraph as cg
from cachegraph.core.decode import encode
from cachegraph.core.model import (
    CacheConfig,
    CacheExport,
    CacheRecord,
    CacheResult,
    Kind,
    StrayBlob,
)
from cachegraph.core.operations import operation, operation_digests
from cachegraph.errors import UnknownNameError
from cachegraph.loaders.config import export_from_config
from tests.builders import graph_of, layers, record, rows


def test_a_match_goes_on_over_a_record_without_a_result() -> None:
    graph = graph_of(record("root"), record("key", [0]), record("end", [1], layer=0), stack=layers(-1))
    assert rows(graph, "missing-results", "record", "reason", "impact", "downstream_loadable", "severity") == [
        (1, "not-exported", "bridged", 1, "note")
    ]


def test_nothing_behind_a_dead_end_is_loadable() -> None:
    graph = graph_of(record("root"), record("key", [0]))
    assert rows(graph, "missing-results", "record", "impact", "downstream_loadable", "severity") == [
        (1, "dead-end", 0, "note")
    ]
    assert rows(graph, "uncached-steps", "cause", "severity", "steps") == [("unknown", "error", (1,))]
    assert rows(graph, "unreachable-roots", "record", "reason") == [(0, "dead")]


def test_a_blob_that_the_manifest_lacks_drops_the_result() -> None:
    graph = graph_of(record("root"), record("step", [0], layer=1), stack=layers(-1, 0), blobs=["blob-1"])
    assert rows(graph, "missing-results", "record", "reason") == [(1, "blob-not-listed")]
    assert graph.loadable_results(1) == []


def test_a_record_that_is_counted_once_though_two_ways_lead_to_it() -> None:
    graph = graph_of(
        record("root"),
        record("key", [0]),
        record("left", [1]),
        record("right", [1]),
        record("end", [2], [3], layer=0),
        stack=layers(-1),
    )
    assert rows(graph, "missing-results", "record", "downstream_loadable") == [(1, 1), (2, 1), (3, 1)]


def test_a_root_that_nothing_takes_is_an_orphan() -> None:
    assert rows(graph_of(record("root")), "unreachable-roots", "record", "reason", "severity") == [
        (0, "orphan", "note")
    ]


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (CacheConfig(records=(record("a", [0]),)), "invalid looping record"),
        (CacheConfig(records=(record("a", [1]), record("b", [0]))), "invalid looping record"),
        (CacheConfig(records=(record("a", [7]),)), "invalid record ID: 7"),
        (CacheConfig(records=(record("a", []),)), "invalid empty input for record 0"),
        (CacheConfig(records=(record("a", layer=3),)), "invalid layer index 3"),
        (CacheConfig(records=(record("a", chain=(-1,)),)), "invalid layer index -1"),
        (CacheConfig(records=(record("a", layer=0),), layers=layers(1, 0)), "invalid looping layer"),
        (CacheConfig(records=(record("a", layer=0),), layers=layers(-2)), "invalid layer index -2"),
        (
            CacheConfig(records=(record("b", [1]), record("random:x"))),
            "failed to add record 0: invalid dependency type <nil> for b",
        ),
        (CacheConfig(records=(record("random:x"), record("b", [0]))), "invalid looping record"),
        (CacheConfig(records=(record("random:x"),)), None),
    ],
)
def test_import_errors_in_buildkits_words(config: CacheConfig, error: str | None) -> None:
    graph = cg.from_config(encode(config))
    assert graph.import_error == error
    assert rows(graph, "import-errors", "error", "severity") == ([(error, "error")] if error else [])


@pytest.mark.parametrize("kind", ["s3", "azblob", "gha"])
def test_layers_without_annotations_are_refused_where_there_is_no_manifest(kind: Kind) -> None:
    bare = b'{"layers": [{"blob": "a", "parent": -1}]}'
    empty = b'{"layers": [{"blob": "a", "parent": -1, "annotations": {"size": 1}}]}'
    errors = [cg.CacheGraph([export_from_config(data, kind=kind)]).import_error for data in (bare, empty)]
    assert errors == ["cache layer with missing annotations", "cache layer with missing diffid"]


def test_a_refused_export_is_answered_as_far_as_it_makes_sense() -> None:
    graph = graph_of(record("root"), record("step", [0], layer=0), record("loop", [2, 1]), stack=layers(-1))
    assert graph.import_error == "invalid looping record"
    assert rows(graph, "missing-results", "record", "impact", "downstream_loadable") == [(2, "dead-end", None)]


def test_legacy_misses_are_loadable_by_chains_alone() -> None:
    graph = graph_of(
        record("both", layer=0, chain=(0,)), record("chain", chain=(0,)), record("layer", layer=0), stack=layers(-1)
    )
    assert rows(graph, "legacy-misses", "record", "chains") == [(1, 1)]


def test_records_that_share_an_alternative_in_every_slot_become_one() -> None:
    graph = graph_of(
        record("a"),
        record("b"),
        record("same", [0], chain=(0,)),
        record("same", [0, 1], chain=(1,)),
        record("same", [1], chain=(0, 1)),
        stack=layers(-1, -1),
    )
    assert rows(graph, "duplicate-keys", "record", "key", "dropped_results", "severity") == [
        (3, 2, 1, "warning"),  # chains carry no time: of two of one length, BuildKit keeps the first
        (4, 2, 0, "note"),
    ]


def test_a_record_is_not_linked_to_what_depends_on_its_twin() -> None:
    """Record 2 joins record 1, so its link to record 1 would be a loop, and record 3 finds no twin there."""
    graph = graph_of(record("x"), record("y", [0]), record("y", [0, 1]), record("y", [2]))
    assert rows(graph, "duplicate-keys", "record", "key") == [(2, 1)]


def test_a_result_that_was_dropped_keeps_no_later_one() -> None:
    graph = graph_of(record("x", chain=(0,)), record("x", chain=(1,)), record("x", chain=(1,)), stack=layers(-1, -1))
    assert rows(graph, "duplicate-keys", "record", "dropped_results") == [(1, 1), (2, 1)]


def test_the_same_blobs_count_once_and_first() -> None:
    """Of two results with the same blobs BuildKit knows the first one's time only."""
    times = [(0, "2026-01-01T00:00:00Z"), (1, "2026-01-02T00:00:00Z"), (0, "2026-01-03T00:00:00Z")]
    results = tuple(CacheResult(layer=layer, created_at=at) for layer, at in times)
    (graph,) = graph_of(CacheRecord(digest="a", layers=results), stack=layers(-1, -1))
    assert graph.newest_result(0) == 1


@pytest.mark.parametrize(
    ("digest", "slots", "op"),
    [
        ("sha256:5dbfbafede47", 2, "merge"),
        ("sha256:7967330dcdfe", 3, "merge"),
        ("sha256:da0a96236f5d", 2, "diff"),
        ("sha256:daa336b6b46b", 1, "diff"),
        ("sha256:47e990ddfca1", 1, "diff"),
    ],
)
def test_operations_by_digest(digest: str, slots: int, op: str) -> None:
    (whole,) = [known for known in operation_digests() if known.startswith(digest)]
    assert operation(whole, slots) == op
    assert operation(whole, slots + 1) is None
    assert len(operation_digests()) == 2 * 255 + 4


def test_layers_that_no_loadable_result_uses() -> None:
    graph = graph_of(record("a", layer=1), record("b", chain=(2,)), stack=layers(-1, 0, 0, 2))
    assert rows(graph, "orphan-layers", "layer", "digest") == [(3, "blob-3")]


def test_a_chain_uses_no_parents() -> None:
    graph = graph_of(record("a", chain=(1,)), record("b", layer=2), stack=layers(-1, 0, 1))
    assert rows(graph, "orphan-layers", "layer") == []
    assert rows(graph_of(record("a", chain=(1,)), stack=layers(-1, 0)), "orphan-layers", "layer") == [(0,)]


def test_strays_are_told_once_for_a_store(layouts: Path) -> None:
    (export,) = (one.export for one in cg.load(str(layouts / "web-churn")))
    graph = cg.CacheGraph([export, replace(export, source="another tag of the same directory")])
    assert len(graph.query("orphan-blobs")) == 17
    total = sum(finding.to_dict()["bytes"] for finding in graph.query("orphan-blobs"))
    assert total == sum(stray.size for stray in graph.graphs[0].export.strays or ())


def export(size: int, kind: Kind) -> CacheExport:
    made = export_from_config(b'{"records": [{"digest": "a"}]}', kind=kind)
    return CacheExport(
        source=made.source,
        kind=kind,
        config=made.config,
        config_digest=made.config_digest,
        config_bytes=size,
        strays=(StrayBlob(digest="sha256:a", size=1),),
    )


@pytest.mark.parametrize(
    ("size", "kind", "severity", "limit"),
    [
        (1000, "local", "note", 1_048_576),
        (838_861, "local", "warning", 1_048_576),
        (1_048_576, "registry", "warning", 1_048_576),
        (1_048_577, "registry", "error", 1_048_576),
        (5_000_000, "s3", "note", None),
        (5_000_000, "inline", "note", None),
    ],
)
def test_the_forecast_knows_where_there_is_a_limit(size: int, kind: Kind, severity: str, limit: int | None) -> None:
    graph = cg.CacheGraph([export(size, kind)])
    assert rows(graph, "size-forecast", "severity", "limit", "bytes") == [(severity, limit, size)]


def test_what_fills_the_config() -> None:
    data = encode(CacheConfig(records=(record("a" * 50), record("b", [0], layer=0)), layers=layers(-1)))
    (finding,) = (f.to_dict() for f in cg.from_config(data).query("size-forecast"))
    parts = ("layers_bytes", "inputs_bytes", "results_bytes", "other_bytes")
    assert sum(finding[part] for part in parts) == finding["bytes"] == len(data)
    assert finding["inputs_bytes"] == len(msgspec.json.encode(record("b", [0]).inputs))


def test_an_unknown_question_names_the_nearest() -> None:
    with pytest.raises(
        UnknownNameError, match=r"^there is no question 'missing-result' \(did you mean missing-results\?\)"
    ):
        graph_of().query("missing-result")


def test_an_empty_config_is_an_error_for_it_leaves_every_build_cold() -> None:
    graph = graph_of()
    assert [(f.query, f.severity) for f in graph.check()] == [("empty-exports", "error"), ("size-forecast", "note")]
    assert graph.import_error is None


def test_every_message_is_a_sentence(layouts: Path) -> None:
    names = ["scratch-file-inline", "web-churn", "web-oci", "merge-plain-inline", "nested-max", "web-multi-inline"]
    for finding in cg.load([str(layouts / name) for name in names]).check():
        assert finding.message.endswith(".")
        assert finding.message[0].isupper()
        assert "None" not in finding.message
        assert "\n" not in finding.message
