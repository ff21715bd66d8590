"""Verdicts on real exports: healthy builds have nothing to be told, mode=min and inline have their one warning."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import cachegraph as cg

Shown = tuple[str, int, int, list[tuple[str, str]]]
INLINE = [("inline", "warning")]
LOST_ROOT = [("lost-root", "warning")]

LAYOUTS: dict[str, list[Shown]] = {
    **{f"alternating-{number}": [("PARTLY CACHED", 7, 13, INLINE)] for number in (1, 2, 3, 4)},
    "diff-chain-inline": [("CACHED", 6, 6, LOST_ROOT)],
    "diff-chain-max": [("CACHED", 6, 6, LOST_ROOT)],
    "merge-plain-inline": [("PARTLY CACHED", 3, 4, INLINE)],
    "merge-plain-max": [("CACHED", 4, 4, [])],
    "nested-inline": [("CACHED", 15, 15, [])],
    "nested-max": [("CACHED", 15, 15, [])],
    "scratch-file-file-inline": [("CACHED", 4, 4, [])],
    "scratch-file-file-max": [("CACHED", 4, 4, [])],
    "scratch-file-inline": [("CACHED", 3, 3, LOST_ROOT)],
    "scratch-file-max": [("CACHED", 3, 3, [])],
    "web-churn": [("CACHED", 13, 13, [("earlier-build", "note")])],
    "web-max": [("CACHED", 13, 13, [])],
    "web-min": [("CACHED", 13, 13, [])],
    "web-multi-inline": [("PARTLY CACHED", 7, 17, INLINE)] * 2,
    "web-multi-max": [("CACHED", 18, 18, [])],
    "web-oci": [("PARTLY CACHED", 7, 13, INLINE)],
    "web-zstd": [("CACHED", 13, 13, [("earlier-build", "note")])],
    "wide-12-inline": [("CACHED", 26, 26, [])],
    "wide-12-max": [("CACHED", 26, 26, [])],
}
"""Word, steps cached of steps, causes. `web-min` is a build whose every step is in the final image's cache."""


def told(graph: cg.CacheGraph) -> list[Shown]:
    """Give the verdicts; that a cache has not been written for long says nothing of the test data."""
    return [
        (one.word, one.cached, one.steps, [(c.kind, c.severity) for c in one.causes if c.kind != "stale"])
        for one in graph.verdict()
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layouts: Path, layout: str) -> None:
    graph = cg.load(layouts / layout)
    assert told(graph) == LAYOUTS[layout]
    severe = [finding for finding in graph.check() if finding.severity != "note"]
    assert len(severe) == sum(severity != "note" for *_, causes in LAYOUTS[layout] for _, severity in causes)


def test_every_layout_with_a_cache_is_in_the_table(layouts: Path) -> None:
    assert {path.name for path in layouts.iterdir()} - {"web-prov"} <= set(LAYOUTS)


def predictions(data: Path) -> list[dict[str, Any]]:
    with gzip.open(data / "predictions" / "cases.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def test_cold_builds_with_mode_max_have_no_warning(data: Path) -> None:
    seen = 0
    for case in predictions(data):
        if case["cold"] is None or case["source"] is None:
            continue
        graph = cg.from_config(json.dumps(case["cold"]["config"]).encode(), case["cold"]["blobs"])
        assert [(v.word, v.causes) for v in graph.verdict()] == [("CACHED", ())], case["name"]
        assert graph.check().counts() | {"note": 0} == {"error": 0, "warning": 0, "note": 0}
        seen += 1
    assert seen == 130


def test_what_was_imported_has_a_warning_where_it_holds_the_final_image_only(data: Path) -> None:
    seen = {"mode=max": 0, "less": 0, "enough": 0}
    for case in predictions(data):
        if case["source"] is None:
            continue
        _, how = case["export"]
        graph = cg.from_config(json.dumps(case["before"]["config"]).encode(), case["before"]["blobs"])
        ((word, cached, steps, causes),) = told(graph)
        if how.startswith("mode=max"):
            assert (word, causes) == ("CACHED", []), case["name"]
            seen["mode=max"] += 1
        else:
            lost = cached < steps
            assert causes == ([("final-image", "warning")] if lost else []), case["name"]
            assert word == ("PARTLY CACHED" if lost else "CACHED")
            seen["less" if lost else "enough"] += 1
    assert seen == {"mode=max": 91, "less": 27, "enough": 12}


def test_dockerfile_builds_are_healthy(data: Path) -> None:
    with gzip.open(data / "dockerfiles" / "cases.jsonl.gz", "rt") as lines:
        cases = [json.loads(line) for line in lines]
    seen = 0
    for case in cases:
        if case["config"] is None:
            continue
        blobs = [layer["digest"] for layer in case["blobs"].get("layers") or case["blobs"]["manifests"]]
        graph = cg.from_config(json.dumps(case["config"]).encode(), blobs)
        assert [(v.word, v.cached == v.steps, v.causes) for v in graph.verdict()] == [("CACHED", True, ())]
        seen += 1
    assert seen == 138


def test_a_daemons_own_cache(data: Path, tmp_path: Path) -> None:
    import lzma

    path = tmp_path / "cache.db"
    path.write_bytes(lzma.decompress((data / "daemon" / "cache.db.xz").read_bytes()))
    ((word, cached, steps, causes),) = told(cg.load(f"type=daemon,db={path}"))
    assert (word, cached, steps) == ("CACHED", 418, 418)
    assert causes == []


def test_in_a_notebook_it_is_a_table_of_causes_under_a_short_name() -> None:
    shown = cg.load(cg.sample("web-lost")).verdict()._repr_mimebundle_()
    page = shown["text/html"]
    assert "<b>web-lost</b>: PARTLY CACHED  3 of 13 steps (23 %)" in page
    assert '<span class="badge error">error</span></td><td>Blob sha256:7562' in page
    assert page.count("</tr>") == 2
    assert shown["text/plain"].splitlines()[0] == "<Verdicts: 1 export>"
