"""Which caches to import: what each brings, what it can hide, which is best."""

from __future__ import annotations

import cachegraph as cg
from cachegraph.core.model import Blob
from cachegraph.graph import CacheGraph
from cachegraph.solver.sources import Collision, SourceShare
from tests.solver.test_match import root
from tests.solver.test_predict import graph

BUILD = (root("base"), ("one", [[0]], True), ("two", [[1]], True), ("other", [[0]], True), ("all", [[2], [3]], True))
BLOBS = tuple(Blob(digest=f"sha256:{number}", size=1) for number in range(5))


def cache(source: str, *records: int) -> CacheGraph:
    """The build's export with results of these records only."""
    return graph(*((d, s, i in records) for i, (d, s, _) in enumerate(BUILD)), source=source, blobs=BLOBS)


def test_each_cache_alone_and_all_together() -> None:
    found = cg.sources(graph(*BUILD), [cache("some", 1, 2), cache("full", 1, 2, 3, 4), cache("none")])
    assert [(row.source, row.rank, row.saves, row.only, row.collides) for row in found] == [
        ("full", 1, 4, 2, 0),
        ("some", 2, 2, 0, 2),
        ("none", 3, 0, 0, 4),
    ]
    assert found.best == "full"
    assert found.order == ("full",)
    assert (found.together.best.runs, found.together.worst.runs) == (0, 4)
    assert found.collisions[0] == Collision(record=1, name=None, has=("some", "full"), lacks=("none",))
    assert found.summary == (
        "0 of 4 steps run with full alone, 0 to 4 with all 3. "
        "Import full alone: the others save nothing more, and can hide what it has"
    )


def test_caches_that_complete_each_other() -> None:
    left, right = cache("left", 1, 2), graph(*BUILD[:1], ("other", [[0]], True), source="right")
    found = cg.sources(graph(*BUILD), [left, right])
    assert [(row.source, row.runs) for row in found] == [("left", 2), ("right", 3)]
    assert found.order == ("right", "left")
    assert (found.together.best.runs, found.together.worst.runs) == (1, 2)
    assert found.advice == "Import them together, in this order: right, left"


def test_caches_that_complete_each_other_and_can_hide_each_other() -> None:
    right = graph(*((d, s, d == "other") for d, s, _ in BUILD[:4]), source="right")
    found = cg.sources(graph(*BUILD), [cache("left", 1, 2), right])
    assert [(row.source, row.runs) for row in found] == [("left", 2), ("right", 3)]
    assert (found.together.best.runs, found.together.worst.runs) == (1, 4)
    assert found.advice == (
        "Import left alone: more caches can save more, but which one answers first is a race, and then they can save "
        "less. If you import several, put the best one last: right, left"
    )


def test_one_cache_none_and_one_that_is_refused() -> None:
    assert cg.sources(graph(*BUILD), cache("full", 1, 2, 3, 4)).summary == "0 of 4 steps run with full alone"
    assert cg.sources(graph(*BUILD), []).summary == "no cache: all 4 steps run"
    assert cg.sources(graph(*BUILD), cache("none")).summary == "none of 1 cache saves a step of this build"
    refused = graph(*BUILD, ("bad", [[9]], True), source="bad")
    rows = {row.source: row for row in cg.sources(graph(*BUILD), [refused, cache("full", 4)])}
    assert rows["bad"] == SourceShare(source="bad", rank=2, error="invalid record ID: 9")
    assert rows["full"].rank == 1


def test_keys_without_known_results_are_not_ranked_by_them() -> None:
    unknown = graph(*BUILD, results_known=False, source="a daemon")
    rows = {row.source: row for row in cg.sources(graph(*BUILD), [unknown, cache("some", 1)])}
    assert (rows["a daemon"].runs, rows["a daemon"].saves, rows["a daemon"].matched) == (None, None, 4)


def test_it_is_shown() -> None:
    found = cg.sources(graph(*BUILD), [cache("some", 1, 2), cache("full", 1, 2, 3, 4)])
    assert found._repr_mimebundle_()["text/plain"].splitlines()[1:] == [
        "  1  4  1 B  2  0  full",
        "  2  2  1 B  0  2  some",
    ]
    assert list(found.to_frame()["saves"]) == [4, 2]
