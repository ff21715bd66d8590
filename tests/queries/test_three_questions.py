"""The three questions on real exports, checked by hand against their configs and Dockerfiles."""

from __future__ import annotations

from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.queries.merge_subsets import MergeSubset
from cachegraph.queries.missing_results import MissingResult
from cachegraph.queries.unreachable_roots import UnreachableRoot

Missing = tuple[int, str, str, int | None]
Root = tuple[int, str, str, int | None, int | None, tuple[int, ...] | None]
Merge = tuple[int, int, int, int, str | None, int | None, int | None, bool]


def missing(graph: cg.CacheGraph) -> list[Missing]:
    found = graph.missing_results()
    return [
        (f.record, f.reason, f.impact, f.downstream_loadable)
        for f in found
        if isinstance(f, MissingResult) and f.record is not None
    ]


def roots(graph: cg.CacheGraph) -> list[Root]:
    found = graph.unreachable_roots()
    return [
        (f.record, f.reason, f.severity, f.merge, f.slot, f.layers)
        for f in found
        if isinstance(f, UnreachableRoot) and f.record is not None
    ]


def merges(graph: cg.CacheGraph) -> list[Merge]:
    found = graph.merge_subsets()
    return [
        (f.record, f.slot, f.alternative, f.input, f.relation, f.start, f.stop, f.inferred)
        for f in found
        if isinstance(f, MergeSubset) and f.record is not None
    ]


def test_scratch_file_inline(layouts: Path) -> None:
    """Merge([base, scratch with one file, other]): nothing can load what the scratch step made."""
    graph = cg.load(str(layouts / "scratch-file-inline"))
    assert missing(graph) == []
    assert roots(graph) == [(1, "lost", "warning", 2, 1, (2,)), (5, "orphan", "note", None, None, None)]
    assert merges(graph) == [
        (2, 0, 0, 3, "no-result", 0, 2, True),
        (2, 1, 0, 1, "no-result", 2, 3, True),
        (2, 2, 0, 4, "subset", 3, 4, False),
    ]


def test_scratch_file_file_inline(layouts: Path) -> None:
    """With a second file the step has an input, keeps a chain, and survives."""
    graph = cg.load(str(layouts / "scratch-file-file-inline"))
    assert missing(graph) == []
    assert roots(graph) == [(6, "orphan", "note", None, None, None)]
    assert merges(graph) == [
        (1, 0, 0, 2, "no-result", 0, 2, True),
        (1, 1, 0, 4, "subset", 2, 4, False),
        (1, 2, 0, 5, "subset", 4, 5, False),
    ]


def test_web_max(layouts: Path) -> None:
    """Three COPY --link on a base image, everything exported."""
    graph = cg.load(str(layouts / "web-max"))
    assert missing(graph) == []
    assert roots(graph) == []
    assert merges(graph) == [
        (6, 0, 0, 7, "prefix", 0, 4, False),
        (6, 1, 0, 0, "subset", 4, 5, False),
        (7, 0, 0, 8, "prefix", 0, 3, False),
        (7, 1, 0, 11, "subset", 3, 4, False),
        (8, 0, 0, 12, "no-result", 0, 2, True),
        (8, 0, 1, 16, "no-result", 0, 2, True),
        (8, 1, 0, 2, "subset", 2, 3, False),
    ]


def test_web_oci(layouts: Path) -> None:
    """The same build as an image: the stages before the last left no result."""
    graph = cg.load(str(layouts / "web-oci"))
    assert missing(graph) == [
        (3, "not-exported", "bridged", 6),
        (4, "not-exported", "bridged", 6),
        (9, "not-exported", "bridged", 6),
        (13, "not-exported", "bridged", 6),
        (15, "not-exported", "bridged", 5),
        (18, "not-exported", "bridged", 3),
    ]
    assert roots(graph) == []
    assert merges(graph) == merges(cg.load(str(layouts / "web-max")))


def test_web_churn(layouts: Path) -> None:
    """The same build after its sources changed a few times: old keys without results lead to the new results."""
    graph = cg.load(str(layouts / "web-churn"))
    assert missing(graph) == [
        (record, "not-exported", "bridged", 3) for record in (15, 16, 19, 20, 21, 22, 23, 29, 30, 32, 33)
    ]
    assert roots(graph) == []
    assert merges(graph) == [
        (10, 0, 0, 11, "prefix", 0, 4, False),
        (10, 1, 0, 0, "subset", 4, 5, False),
        (11, 0, 0, 12, "prefix", 0, 3, False),
        (11, 1, 0, 14, "subset", 3, 4, False),
        (12, 0, 0, 17, "no-result", 0, 2, True),
        (12, 1, 0, 4, "subset", 2, 3, False),
    ]


def test_nested_inline(layouts: Path) -> None:
    """Merges upon merges, and diffs between them."""
    graph = cg.load(str(layouts / "nested-inline"))
    assert missing(graph) == []
    assert roots(graph) == [(16, "orphan", "note", None, None, None)]
    assert merges(graph) == [
        (4, 0, 0, 0, "prefix", 0, 4, False),
        (4, 1, 0, 13, "subset", 4, 5, False),
        (5, 0, 0, 9, "no-result", 0, 2, True),
        (5, 1, 0, 14, "subset", 2, 3, False),
        (6, 0, 0, 10, "prefix", 0, 6, False),
        (6, 1, 0, 11, "subset", 6, 7, False),
        (7, 0, 0, 15, "prefix", 0, 8, False),
        (7, 1, 0, 12, "subset", 8, 9, False),
    ]


@pytest.mark.parametrize(
    ("layout", "records"),
    [
        ("scratch-file-inline", {3: "base image of 2 layers", 5: "base image of 2 layers"}),
        ("nested-inline", {9: "base image of 2 layers", 16: "base image of 2 layers"}),
        ("web-max", {12: "base image of 2 layers", 16: "base image of 2 layers"}),
        ("nested-max", {}),
    ],
)
def test_base_images_are_recognised_by_chain_id_and_by_the_gap_they_fill(
    layouts: Path, layout: str, records: dict[int, str]
) -> None:
    (graph,) = cg.load(str(layouts / layout))
    names = {r: graph.naming(r) for r in range(len(graph))}
    assert {r: n.name for r, n in names.items() if n.op == "source"} == records


def test_every_layout_answers(layouts: Path) -> None:
    """What each real layout says: records without a result, unreachable roots, inputs of merges."""
    found = {}
    for layout in sorted(layouts.iterdir()):
        if layout.name != "web-prov":  # has provenance and no cache
            graph = cg.load(str(layout))
            assert graph.import_error is None
            places = [(record, reason, merge, slot, layers) for record, reason, _, merge, slot, layers in roots(graph)]
            found[layout.name] = (len(missing(graph)), places, len(merges(graph)))
    assert found == {
        "alternating-1": (6, [], 7),
        "alternating-2": (6, [], 7),
        "alternating-3": (6, [], 7),
        "alternating-4": (6, [], 7),
        "diff-chain-inline": (0, [(3, "lost", 2, 2, (6,)), (8, "orphan", None, None, None)], 3),
        "diff-chain-max": (0, [(3, "lost", 2, 2, (6,)), (4, "lost", 2, 0, (0, 1))], 3),
        "merge-plain-inline": (1, [(6, "orphan", None, None, None)], 2),
        "merge-plain-max": (0, [], 2),
        "nested-inline": (0, [(16, "orphan", None, None, None)], 8),
        "nested-max": (0, [(9, "lost", 5, 0, (0, 1))], 8),
        "scratch-file-file-inline": (0, [(6, "orphan", None, None, None)], 3),
        "scratch-file-file-max": (0, [(2, "lost", 1, 0, (0, 1))], 3),
        "scratch-file-inline": (0, [(1, "lost", 2, 1, (2,)), (5, "orphan", None, None, None)], 3),
        "scratch-file-max": (0, [(1, "lost", 2, 1, None), (3, "lost", 2, 0, None)], 3),
        "web-churn": (11, [], 6),
        "web-max": (0, [], 7),
        "web-min": (0, [], 7),
        "web-multi-inline": (20, [], 14),
        "web-multi-max": (0, [], 7),
        "web-oci": (6, [], 7),
        "web-zstd": (12, [], 7),
        "wide-12-inline": (0, [(26, "orphan", None, None, None)], 13),
        "wide-12-max": (0, [(11, "lost", 2, 0, (0, 1))], 13),
    }
