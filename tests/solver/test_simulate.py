"""What a change would cost, and what changes are worth avoiding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cachegraph as cg
from cachegraph.core.model import Blob, CacheConfig, Name, Names
from cachegraph.errors import UnknownNameError, UsageError
from cachegraph.graph import CacheGraph
from cachegraph.solver.change import derived
from cachegraph.solver.match import match
from cachegraph.solver.words import fix_text
from tests.solver.conftest import read
from tests.solver.strategies import configs
from tests.solver.strategies import graph as made
from tests.solver.test_match import root
from tests.solver.test_predict import graph, outcomes

CHAIN = (root("base"), ("one", [[0]], True), ("two", [[1]], True), ("three", [[2]], True))
COPY = (
    root("base"),
    root("files"),
    ("make", [[0]], True),
    ("copy", [[0], [("out", 2), 1]], True),
    ("run", [[3]], True),
)


def test_nothing_changes() -> None:
    found = cg.simulate(graph(*CHAIN), 3)
    assert found.changes == (3,)
    assert outcomes(cg.simulate(graph(*CHAIN), 3)) == {1: "not-needed", 2: "loaded", 3: "runs"}
    assert [step.digest for step in found] == ["one", "two", "three"]
    assert [step.record for step in found.caused] == [3]
    assert found.summary.startswith("a change of three (record 3) makes 1 more step run; then 1 of 3 steps run")


def test_a_changed_source_reaches_all_that_takes_it() -> None:
    assert outcomes(cg.simulate(graph(*CHAIN), "base")) == {1: "runs", 2: "runs", 3: "runs"}
    first = cg.simulate(graph(*CHAIN), 0)[0]
    assert (first.why, first.first, first.slots) == ("input", True, ((0, "content-or-source", None),))


def test_what_a_changed_step_makes_decides_where_content_is_looked_at() -> None:
    build = graph(*COPY)
    assert [step.executed for step in cg.simulate(build, "make")] == [True, None, None]
    assert [step.executed for step in cg.simulate(build, "make", content="same")] == [True, False, False]
    assert [step.executed for step in cg.simulate(build, "make", content="other")] == [True, True, True]
    assert cg.simulate(build, "make").summary.startswith(
        "a change of make (record 2) makes 1 to 3 more steps run; then"
    )


def test_content_alone_cannot_change_where_a_step_makes_it() -> None:
    assert outcomes(cg.simulate(graph(*COPY), "files")) == {2: "not-needed", 3: "not-needed", 4: "loaded"}
    assert derived(graph(*COPY).graphs[0]) == {1}


def test_alternatives_of_an_earlier_build_do_not_hide_a_change() -> None:
    build = graph(root("base"), ("old", [[0]], True), ("new", [[0]], True), ("next", [[1, 2]], True))
    assert outcomes(cg.simulate(build, "new"))[3] == "runs"


def test_a_change_against_another_cache() -> None:
    cache = graph(root("base"), ("one", [[0]], True))
    assert outcomes(cg.simulate(graph(*CHAIN), 2, caches=cache)) == {1: "loaded", 2: "runs", 3: "runs"}
    assert outcomes(cg.simulate(graph(*CHAIN), 2, target="one")) == {1: "loaded"}


def test_the_base_image(layouts: Path) -> None:
    found = cg.simulate(cg.load(str(layouts / "web-max")), "base image")
    assert [title.partition(" (")[0] for title in found.titles] == ["base image of 2 layers"] * 2
    assert (found.best.runs, found.worst.runs) == (10, 12)
    with pytest.raises(UnknownNameError, match="no source is known to be a base image"):
        cg.simulate(graph(*CHAIN), "base image")


def test_a_name_a_part_of_it_a_digest_and_what_is_none() -> None:
    digest = "sha256:" + "ab" * 32
    export = graph(root("base"), (digest, [[0]], True), ("two", [[1]], True)).graphs[0].export
    names = Names(records={digest: Name(op="exec", name="RUN make all"), "two": Name(op="exec", name="RUN make test")})
    build = CacheGraph([export], names)
    for change in ("RUN make all", "make all", digest, digest[7:19], "1", 1):
        assert cg.simulate(build, change).changes == (1,)
    with pytest.raises(UsageError, match="'make' is a part of 2 names"):
        cg.simulate(build, "make")
    with pytest.raises(UnknownNameError, match="no step or source is called 'RUN mak al'"):
        cg.simulate(build, "RUN mak al")
    with pytest.raises(UsageError, match="nothing is to change"):
        cg.simulate(build, ())


def test_simulating_a_change_is_predicting_the_changed_build(cases: list[dict[str, Any]]) -> None:
    compared, exact = 0, 0
    for case in cases:
        before, after = read(case["before"]), read(case["after"])
        changes = what_changed(before, after)
        if changes is None:
            continue
        ran = len(cg.predict(after, before).runs)
        found = cg.simulate(before, changes)
        assert found.best.runs <= ran <= found.worst.runs, case["name"]
        compared, exact = compared + 1, exact + found.exact
    assert (compared, exact) == (70, 45)


def what_changed(before: CacheGraph, after: CacheGraph) -> list[int] | None:
    """First causes as records of the build before; None where steps were added or taken away."""
    (old,), (new,) = before.graphs, after.graphs
    used = match(new, old).matched()
    records = old.export.config.records
    gone = [index for index in range(len(records)) if index not in used]
    steps = [r for r in gone if records[r].inputs and all(any(a.link in used for a in s) for s in records[r].inputs)]
    roots = [r for r in gone if not records[r].inputs and r not in derived(old)]
    first = [step for step in cg.predict(after, before) if step.first]
    if len(cg.predict(after, before)) != len(cg.predict(before, before)):
        return None
    if len(steps) != sum(step.why == "instruction" for step in first):
        return None
    if bool(roots) != any(step.why == "input" for step in first):
        return None
    return steps + roots or None


def test_what_each_change_makes_run_again() -> None:
    blobs = tuple(Blob(digest=f"sha256:{number}", size=10**number) for number in range(5))
    radius = cg.blast_radius(graph(*COPY, blobs=blobs))
    rows = {row.record: row for row in radius}
    assert set(rows) == {0, 2, 3, 4}  # the content of what `make` makes cannot change alone
    assert {record: (row.least, row.runs, row.bytes) for record, row in rows.items()} == {
        0: (3, 3, 11_100),
        2: (1, 3, 11_100),
        3: (2, 2, 11_000),
        4: (1, 1, 10_000),
    }
    assert [row.record for row in radius] == [0, 2, 3, 4]
    assert radius.summary == "a change of base (record 0) costs most: 3 of 3 steps run again (10.8 KiB)"
    assert all(row.checked for row in radius)


@pytest.mark.parametrize(
    "slots", [[[number] for number in range(2000)], [list(range(2000))]], ids=["slots", "alternatives"]
)
def test_of_a_step_that_takes_thousands_few_changes_are_simulated(slots: list[list[int]]) -> None:
    """Each looks at all that the step takes; what is not simulated is counted."""
    radius = cg.blast_radius(graph(*(root(f"source {number}") for number in range(2000)), ("step", slots, True)))
    assert sum(row.checked for row in radius) == 30
    assert {row.runs for row in radius} <= {0, 1}
    assert len(radius) == 2001


def test_the_fix_is_the_step_that_most_follows_from() -> None:
    blobs = tuple(Blob(digest=f"sha256:{number}", size=1) for number in range(8))
    build = graph(
        root("base"),
        root("files"),
        ("copy", [[0], [1]], True),
        ("install", [[2]], True),
        ("build", [[3]], True),
        ("test", [[3]], True),
        ("note", [[2]], True),
        ("all", [[4], [5], [6]], True),
        blobs=blobs,
    )
    row = next(row for row in cg.blast_radius(build) if row.record == 1)
    assert (row.runs, row.fix, row.saved, row.saved_bytes) == (6, 3, 3, 3)
    shown = cg.blast_radius(build)._repr_mimebundle_()["text/plain"]
    assert "  6  " in next(line for line in shown.splitlines() if line.endswith("  3 steps (3 B)  record 3"))
    assert fix_text(row) == "if record 3 did not take it, 3 steps (3 B) would stay cached"


def test_steps_that_run_anyway_count_for_no_change() -> None:
    radius = cg.blast_radius(graph(*CHAIN[:3], ("three", [[2]], False)))
    assert radius.already == 1
    assert {row.record: row.runs for row in radius} == {0: 2, 1: 2, 2: 1, 3: 0}


def test_seconds_go_first() -> None:
    radius = cg.blast_radius(graph(*CHAIN), seconds={"three": 60.0, "one": 1.0})
    assert {row.record: row.seconds for row in radius} == {0: 61.0, 1: 61.0, 2: 60.0, 3: 60.0}
    assert [row.record for row in radius] == [0, 1, 2, 3]


def test_counting_all_at_once_is_simulating_each(cases: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    for case in cases[::7]:
        build = read(case["before"])
        monkeypatch.setattr("cachegraph.solver.blast._CHECKED", 10**9)
        simulated = {row.record: row.runs for row in cg.blast_radius(build)}
        monkeypatch.setattr("cachegraph.solver.blast._CHECKED", 0)
        counted = {row.record: row.runs for row in cg.blast_radius(build)}
        assert counted == simulated, case["name"]


@given(configs(), st.data())
def test_what_runs_is_not_cached_after_more_changes(config: CacheConfig, data: st.DataObject) -> None:
    records = st.sets(st.integers(0, len(config.records) - 1), min_size=1)
    some, more = data.draw(records), data.draw(records)
    few = cg.simulate(made(config), some, content="other")
    many = cg.simulate(made(config), some | more, content="other")
    after = [many.step(step.record) for step in few.runs]
    assert [step for step in after if step is not None and not step.executed] == []


def test_a_step_of_two_keys_that_changes_is_not_asked_for_by_the_other() -> None:
    """Alternatives are keys of one step: it runs under both, and once it is another step neither key is its own."""
    keys = [("by definition", [[0]], False), ("by content", [[0]], False)]
    build = graph(root("base"), *keys, ("what takes it", [[1, 2]], False))
    assert [step.record for step in cg.simulate(build, 3, content="other").runs] == [1, 2, 3]
    assert [step.record for step in cg.simulate(build, [1, 3], content="other").runs] == [1, 3]


@given(configs(), st.data())
def test_the_same_content_runs_no_more_than_other_content(config: CacheConfig, data: st.DataObject) -> None:
    change = data.draw(st.integers(0, len(config.records) - 1))
    same = cg.simulate(made(config), change, content="same")
    other = cg.simulate(made(config), change, content="other")
    for step in cg.simulate(made(config), change):
        for known in (same.step(step.record), other.step(step.record)):
            assert known is None or step.executed in (None, known.executed)
