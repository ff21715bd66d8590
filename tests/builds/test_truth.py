"""What a build will ask for, computed from its source, against what BuildKit exported and ran."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.building import BuildGraph
from cachegraph.graph import CacheGraph
from cachegraph.reading import from_config
from tests.builds.conftest import Serve
from tests.builds.content.corpus import DATA, write_source
from tests.builds.truth import Json, build, export_of, predicted_source, read, same_records, steps_of

pytestmark = pytest.mark.slow  # hundreds of real builds

CASES = {case["name"]: case for case in read("cases")}
MUTATIONS = {f"{case['case']}/{case['change']}": case for case in read("mutations")}
PREDICTIONS = [case for case in read("cases", DATA.parent / "predictions") if case["source"]]

ON_A_FOLDER = {"named-local-base", "named-local-base/k"}
"""A step of theirs stands on a folder of the client: it is in no cache, and runs in every build."""
TOLD_TO_RUN = {"graph-nocache-stage"}
"""Built with ``no-cache=a``: that stage runs whatever is cached."""


def strangers(made: CacheGraph, export: CacheGraph) -> list[str]:
    """Records that were computed and that BuildKit did not export."""
    records = made.graphs[0].export.config.records
    return [records[index].digest for index, found in enumerate(same_records(made, export)) if not found]


def overlooked(made: CacheGraph, export: CacheGraph) -> set[int]:
    """Steps that BuildKit exported and that were not computed."""
    found = {index for others in same_records(made, export) for index in others}
    return {i for graph in export.graphs for i, r in enumerate(graph.export.config.records) if r.inputs} - found


@pytest.mark.parametrize("name", [*CASES, *MUTATIONS])
def test_the_records_are_those_that_buildkit_exports(name: str, tmp_path: Path, serve: Serve) -> None:
    case = CASES.get(name) or MUTATIONS[name]
    export = export_of(case)
    made = build(case, tmp_path, serve(case))
    assert strangers(made, export) == []
    assert overlooked(made, export) == set()


@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if case["config"] and name not in ON_A_FOLDER | TOLD_TO_RUN]
)
def test_with_its_own_export_as_the_cache_every_step_is_cached(name: str, tmp_path: Path, serve: Serve) -> None:
    case = CASES[name]
    prediction = cg.predict(build(case, tmp_path, serve(case)), export_of(case))
    assert [step.name for step in prediction if step.executed is not False] == []


def test_a_stage_that_is_told_to_run_runs_and_the_others_are_cached(tmp_path: Path) -> None:
    case = CASES["graph-nocache-stage"]
    prediction = cg.predict(build(case, tmp_path, commands=False), export_of(case))
    assert [(step.name, step.executed, step.why) for step in prediction] == [
        ("RUN echo a > /a (Dockerfile:2)", True, "asked-for"),
        ("COPY --from=a /a / (Dockerfile:6)", None, "input"),  # cached if the step makes the same file again
        ("RUN echo b > /b (Dockerfile:4)", False, None),
        ("COPY --from=b /b / (Dockerfile:7)", None, "input"),
    ]


def test_no_cache_runs_everything(tmp_path: Path) -> None:
    case = CASES["copy-link-scratch"]
    write_source(case["source"], tmp_path)
    made = cg.build(tmp_path / "context", options={"no-cache": ""})
    prediction = cg.predict(made, export_of(case))
    assert {step.executed for step in prediction} == {True}
    assert prediction.summary.startswith(f"{len(prediction)} of {len(prediction)} steps run")
    # Content of files is no step: it is looked for.
    assert same_records(made, export_of(case)).count([]) == 0


def outcome(made: BuildGraph, cache: CacheGraph, export: CacheGraph, at: dict[int, Json]) -> Counter[str]:
    """Compare a prediction with what ran."""
    prediction = cg.predict(made, cache)
    said = {step.record: step.executed for step in prediction}
    found: Counter[str] = Counter()
    for record, step in steps_of(made, export, at):
        assert said[record] in (None, step["executed"]), (step["name"], said[record])
        found["unknown" if said[record] is None else "known"] += 1
    return found


def test_of_changed_sources_it_is_known_what_runs(tmp_path: Path, serve: Serve) -> None:
    total: Counter[str] = Counter()
    for name, case in MUTATIONS.items():
        made = build(case, tmp_path / name, serve(case))
        at = {index: step for step in case["steps"] for index in step["config_records"]}
        total += outcome(made, export_of(CASES[case["case"]]), export_of(case), at)
    # Unknown is what stands on a repository with its .git, which no two clients make alike.
    assert total == {"known": 313, "unknown": 2}


def test_of_other_builds_it_is_known_what_runs_unless_a_run_makes_it(tmp_path: Path) -> None:
    total: Counter[str] = Counter()
    for number, case in enumerate(PREDICTIONS):
        made = build(predicted_source(case), tmp_path / str(number))
        before, after = (
            from_config(json.dumps(case[when]["config"]).encode(), case[when]["blobs"]) for when in ("before", "after")
        )
        at = {index: step for step in case["steps"] for index in step["records_after"] if step["inputs"]}
        total += outcome(made, before, after, at)
    # Unknown is what stands on `date` and /dev/urandom.
    assert total == {"known": 944, "unknown": 4}


def test_unless_commands_are_followed_it_is_unknown_what_stands_on_a_run_that_runs(tmp_path: Path) -> None:
    total: Counter[str] = Counter()
    for number, case in enumerate(PREDICTIONS):
        made = build(predicted_source(case), tmp_path / str(number), commands=False)
        before, after = (
            from_config(json.dumps(case[when]["config"]).encode(), case[when]["blobs"]) for when in ("before", "after")
        )
        at = {index: step for step in case["steps"] for index in step["records_after"] if step["inputs"]}
        total += outcome(made, before, after, at)
        assert made.notes == ()
    # Of each of these there is content with which it runs, and content with which it does not.
    assert total == {"known": 821, "unknown": 127}
