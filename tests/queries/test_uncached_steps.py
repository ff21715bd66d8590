"""Causes of steps without a result: each told once, by what the export shows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import cachegraph as cg
from cachegraph.core.model import Blob, CacheRecord
from cachegraph.queries import uncached_steps
from tests.builders import export_graph, layers, record

TWO_STAGES = (
    record("base"),
    record("RUN in the first stage", [0]),
    record("COPY --from", [0], [1], layer=1),
)
"""The first stage's step has no result; the final image is made of the base and the copy."""


def causes(*records: CacheRecord, **how: Any) -> list[tuple[str, str, tuple[int, ...], str | None]]:  # noqa: ANN401 - fields of an export
    """Ask an export of these records and of two layers, one upon the other."""
    graph = export_graph(*records, stack=layers(-1, 0), **how)
    return [(f.cause, f.severity, f.steps, f.digest) for f in uncached_steps.ask(graph)]


@pytest.mark.parametrize(
    ("kind", "cause"), [("inline", "inline"), ("local", "final-image"), ("registry", "final-image")]
)
def test_only_the_final_image_is_kept(kind: str, cause: str) -> None:
    assert causes(*TWO_STAGES, kind=kind) == [(cause, "warning", (1,), None)]


def test_a_result_beside_the_final_image_shows_that_mode_min_is_not_the_cause() -> None:
    other = record("RUN in a third stage", [0], layer=0)
    last = record("COPY --from both", [1], [2], chain=(1,))
    assert causes(TWO_STAGES[0], TWO_STAGES[1], other, last, kind="local") == [("unknown", "note", (1,), None)]


def test_a_key_beside_the_one_that_took_its_place_is_an_earlier_builds() -> None:
    old, new = record("RUN old text", [0]), record("RUN new text", [0], layer=0)
    below_the_old_one = record("COPY that only the old one took", [0])
    old_on_it = record("RUN old text", [3])
    assert causes(record("base"), old, new, below_the_old_one, old_on_it, record("end", [1, 2, 4], layer=1)) == [
        ("earlier-build", "note", (1, 3, 4), None)
    ]


def test_a_content_key_takes_no_steps_place() -> None:
    # The slot holds the step and the content of its files: both are this build's.
    assert causes(
        record("base"), record("RUN", [0]), record("content"), record("COPY", [1, 2], layer=1), kind="registry"
    ) == [("final-image", "warning", (1,), None)]


def test_one_lost_blob_is_one_finding_with_all_its_steps() -> None:
    blobs = [Blob(digest="blob-0", present=False), Blob(digest="blob-1", present=True)]
    assert causes(
        record("base"), record("low", [0], layer=0), record("high", [1], layer=1), blobs=blobs, kind="registry"
    ) == [("lost-blob", "error", (1, 2), "blob-0")]


def test_each_lost_blob_is_its_own_cause_the_lowest_first() -> None:
    blobs = [Blob(digest="blob-0", present=False), Blob(digest="blob-1", present=False)]
    own = record("on its own", [0], chain=(1,))
    assert causes(record("base"), record("both", [0], layer=1), own, blobs=blobs) == [
        ("lost-blob", "error", (1,), "blob-0"),
        ("lost-blob", "error", (2,), "blob-1"),
    ]


def test_a_blob_that_the_manifest_does_not_list() -> None:
    steps = record("step", [0], layer=1), record("other", [0], layer=0)
    assert causes(record("base"), *steps, blobs=["blob-0"]) == [("unlisted-blob", "warning", (1,), "blob-1")]


def test_it_is_an_error_where_nothing_else_can_be_loaded() -> None:
    assert causes(record("base"), record("step", [0], layer=1), blobs=["blob-0"]) == [
        ("unlisted-blob", "error", (1,), "blob-1")
    ]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("web-max", {}),
        ("web-min", {}),
        ("web-multi-max", {}),
        ("web-oci", {"inline": 6}),
        ("web-churn", {"earlier-build": 11}),
        ("web-multi-inline", {"inline": 20}),
    ],
)
def test_real_exports(layouts: Path, layout: str, expected: dict[str, int]) -> None:
    found: Counter[str] = Counter()
    for finding in cg.load(layouts / layout).query("uncached-steps"):
        assert isinstance(finding, uncached_steps.UncachedSteps)
        found[finding.cause] += len(finding.steps)
    assert found == expected
