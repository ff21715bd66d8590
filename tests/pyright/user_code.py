"""What a user writes, and the types that checkers have to see in it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, assert_type

import cachegraph as cg
from cachegraph.queries import orphan_layers
from cachegraph.queries.base import Finding
from cachegraph.queries.findings import Findings
from cachegraph.queries.merge_subsets import MergeSubset
from cachegraph.queries.missing_results import MissingResult
from cachegraph.queries.orphan_layers import OrphanLayer
from cachegraph.queries.unreachable_roots import UnreachableRoot

graph = cg.load(Path("cache"), names=[Path("cache-debug.db"), "app:latest"], errors="warn")
several = cg.load([Path("one"), "type=local,src=two"])
config = cg.from_config(b"{}", blobs=["sha256:a"])

assert_type(graph, cg.CacheGraph)
assert_type(graph.missing_results(), Findings[MissingResult])
for missing in graph.missing_results():
    assert_type(missing.reason, Literal["not-exported", "blob-not-listed", "blob-missing", "blob-damaged"])
    assert_type(missing.downstream_loadable, int | None)
    print(graph.record(missing).name, graph.focus(missing), graph.loadable_results(missing))
for root in graph.unreachable_roots():
    assert_type(root, UnreachableRoot)
    assert_type(root.layers, tuple[int, ...] | None)
for subset in graph.merge_subsets()[:3]:
    assert_type(subset, MergeSubset)
    assert_type(subset.slot, int)
for layer in graph.query(orphan_layers.QUERY):
    assert_type(layer, OrphanLayer)
    assert_type(layer.bytes, int | None)

assert_type(graph.check(), Findings[Finding])
for finding in graph.check().worst_first():
    assert_type(finding.code, str)
    assert_type(finding.severity, Literal["error", "warning", "note"])

everything: Findings[Finding] = graph.missing_results()
assert_type(graph.matched(0, graph.missing_results()[0], "id/r1", (0, 1), export=0), set[int])
assert_type(graph.record((0, 1)).loadable, bool)
assert_type(graph.import_error, str | None)
