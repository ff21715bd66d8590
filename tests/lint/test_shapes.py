"""What is read in small files of the shapes that people write, and how much of their entries is known."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.lint.shapes import Shape, shapes, told

SHAPES = list(shapes())


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.kind}: {shape.name}")
def test_a_shape(shape: Shape, tmp_path: Path) -> None:
    assert told(shape.read(tmp_path)) == shape.expected


def measured(folder: Path) -> dict[str, Counter[str]]:
    """Count the entries of each kind: known whole, known as a pattern with its type, or neither."""
    counts: dict[str, Counter[str]] = {}
    for number, shape in enumerate(SHAPES):
        here = folder / str(number)
        here.mkdir()
        read = shape.read(here)
        count = counts.setdefault(shape.kind, Counter())
        seen = set()
        for build, entry in read.entries:
            key = (entry.place, entry.value.pattern)
            if key in seen or build.is_abstract:
                continue
            seen.add(key)
            count["known" if entry.value.is_known else "pattern" if entry.is_resolved else "unknown"] += 1
        count["unknown"] += sum(one.direction is not None for one in read.unresolved)
    return counts


def test_nine_of_ten_entries_are_known_or_a_pattern(tmp_path: Path) -> None:
    counts = measured(tmp_path)
    every = sum(counts.values(), Counter())
    assert every.total() > 180
    assert every["unknown"] / every.total() < 0.1
    assert {kind for kind, count in counts.items() if count["unknown"] / count.total() > 0.15} == set()
    assert set(counts) == {"bake", "bake-runs", "compose", "gitlab", "scripts", "workflows"}


def test_what_is_not_known_has_a_line_and_a_reason(tmp_path: Path) -> None:
    for number, shape in enumerate(SHAPES):
        here = tmp_path / str(number)
        here.mkdir()
        read = shape.read(here)
        unknown = [(entry.place, entry.value.reason) for _, entry in read.entries if not entry.is_resolved]
        for place, reason in [*unknown, *((one.place, one.reason) for one in read.unresolved)]:
            assert place.line > 0, shape.name
            assert reason, shape.name
