"""Predictions against what BuildKit really ran."""

from __future__ import annotations

from typing import Any

import cachegraph as cg
from cachegraph.graph import CacheGraph
from cachegraph.solver.match import match
from cachegraph.solver.prediction import Step
from tests.solver.conftest import read

RANDOM = "nondeterministic/middle-run"
"""One step reads /dev/urandom, so that a cold build makes other content than the build that is asked about."""


def truth(case: dict[str, Any], build: CacheGraph) -> dict[int, dict[str, Any]]:
    """What became of each record: its step, by the record's index in a build's export."""
    (own,), (after,) = build.graphs, read(case["after"]).graphs
    same = match(own, after)
    at: dict[int, list[int]] = {}
    for record in range(len(own)):
        for other in same.records(record):
            at.setdefault(other, []).append(record)
    found: dict[int, dict[str, Any]] = {}
    for step in case["steps"]:
        for other in step["records_after"] if step["inputs"] else ():
            for record in at.get(other, ()):
                if record not in found or step["executed"]:  # two platforms may share a record
                    found[record] = step
    return found


def said(step: Step) -> tuple[object, ...]:
    """What a prediction says, in the words of the case."""
    why = "no-loadable-result" if step.why == "no-result" else step.why
    return step.executed, why, step.first, [[slot.slot, slot.kind] for slot in step.slots]


def happened(step: dict[str, Any]) -> tuple[object, ...]:
    return step["executed"], step.get("why"), step.get("first"), step.get("slots_missed", [])


def wrong(cases: list[dict[str, Any]], export: str) -> tuple[set[str], int]:
    """Names of the cases with a wrong step, and the number of all steps."""
    bad, count = set(), 0
    for case in cases:
        build = read(case[export])
        steps = {step.record: step for step in cg.predict(build, read(case["before"]))}
        expected = truth(case, build)
        assert set(steps) == set(expected) or case["name"] == RANDOM, case["name"]
        count += len(expected)
        bad |= {case["name"] for record, step in expected.items() if said(steps[record]) != happened(step)}
    return bad, count


def test_the_export_after_the_import_tells_what_ran_and_why(cases: list[dict[str, Any]]) -> None:
    assert wrong(cases, "after") == (set(), 993)


def test_the_export_of_a_cold_build_tells_it_as_well(cases: list[dict[str, Any]]) -> None:
    bad, count = wrong(cases, "cold")
    assert bad == {RANDOM}
    assert count == 993


def test_changed_dockerfiles(mutations: list[dict[str, Any]]) -> None:
    for case in mutations:
        prediction = cg.predict(read(case["cold"]), read(case["before"]))
        assert sorted(step.record for step in prediction if step.executed) == case["executed"], case["name"]
        assert sorted(step.record for step in prediction if step.executed is False) == case["hit"], case["name"]


def test_a_build_that_changes_nothing_runs_only_what_has_no_result(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        build = read(case["before"])
        for step in cg.predict(build, build):
            assert not step.executed or step.why == "no-result", (case["name"], step)


def test_a_prediction_that_is_exact_says_so(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        prediction = cg.predict(read(case["after"]), read(case["before"]))
        assert prediction.exact
        assert prediction.best == prediction.worst
        assert not prediction.open
        assert not prediction.differences
        assert all(step.how is not None for step in prediction)
