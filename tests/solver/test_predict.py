"""What a build gets out of caches, rule by rule on small builds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import cachegraph as cg
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Blob, CacheExport, Kind
from cachegraph.errors import UnknownNameError, UsageError
from cachegraph.graph import CacheGraph
from cachegraph.solver.prediction import Depends, Prediction
from cachegraph.solver.select import select, select_target
from tests.solver.test_match import export, root

RECORDS = Path(__file__).parents[1] / "data" / "records"


def graph(*records: tuple[Any, ...], **changes: object) -> CacheGraph:
    """A graph of records as `export` takes them; changes are those of its `CacheExport`."""
    made = export(*records).export
    fields = {name: getattr(made, name) for name in CacheExport.__slots__}
    return CacheGraph([CacheExport(**(fields | changes))])


def outcomes(prediction: Prediction) -> dict[int, str | None]:
    return {step.record: step.how for step in prediction}


CHAIN = (root("base"), ("one", [[0]], True), ("two", [[1]], True), ("three", [[2]], True))


def test_an_unchanged_build_loads_what_it_is_for_and_looks_at_nothing_else() -> None:
    prediction = cg.predict(graph(*CHAIN), graph(*CHAIN))
    assert outcomes(prediction) == {1: "not-needed", 2: "not-needed", 3: "loaded"}
    assert prediction.summary == "0 of 3 steps run, 1 is loaded, 2 need not be looked at"


def test_from_the_first_changed_step_on_everything_runs() -> None:
    build = graph(root("base"), ("one", [[0]], True), ("two changed", [[1]], True), ("three", [[2]], True))
    prediction = cg.predict(build, graph(*CHAIN))
    assert outcomes(prediction) == {1: "loaded", 2: "runs", 3: "runs"}
    first, then = prediction.runs
    assert (first.why, first.first, first.slots) == ("instruction", True, ())
    assert (then.why, then.first, then.slots) == ("input", False, ((0, "step", 2),))
    assert then.needed is not None
    assert then.needed.why == "wanted"


def test_another_base_image_is_a_first_cause() -> None:
    build = graph(root("other base"), *CHAIN[1:])
    step = cg.predict(build, graph(*CHAIN))[0]
    assert (step.why, step.first, step.slots) == ("input", True, ((0, "content-or-source", None),))


def test_a_key_without_result_runs_only_when_it_is_needed() -> None:
    cache = graph(root("base"), ("one", [[0]], False), ("two", [[1]], True), ("three", [[2]], True))
    assert outcomes(cg.predict(cache, cache)) == {1: "not-needed", 2: "not-needed", 3: "loaded"}
    build = graph(root("base"), ("one", [[0]], False), ("two changed", [[1]], True))
    prediction = cg.predict(build, cache)
    assert outcomes(prediction) == {1: "runs", 2: "runs"}
    step = prediction.step(1)
    assert step is not None
    assert (step.why, step.first) == ("no-result", None)
    assert step.needed is not None
    assert (step.needed.why, step.needed.by) == ("input", 2)


def test_a_step_that_matches_by_content_only_has_that_content_looked_at() -> None:
    cache = graph(root("base"), root("files"), ("make", [[0]], True), ("copy", [[0], [("out", 2), 1]], True))
    build = graph(
        root("base"), root("files"), ("make it otherwise", [[0]], True), ("copy", [[0], [("out", 2), 1]], True)
    )
    prediction = cg.predict(build, cache)
    assert outcomes(prediction) == {2: "runs", 3: "loaded"}
    step = prediction.step(2)
    assert step is not None
    assert step.needed is not None
    assert step.needed.why == "hash"


def test_a_target_leaves_the_rest_out() -> None:
    prediction = cg.predict(graph(*CHAIN), graph(*CHAIN), target=1)
    assert outcomes(prediction) == {1: "loaded"}
    with pytest.raises(UnknownNameError, match="no record 9"):
        cg.predict(graph(*CHAIN), graph(*CHAIN), target=9)
    with pytest.raises(UnknownNameError, match="no step or source is called 'four'"):
        cg.predict(graph(*CHAIN), graph(*CHAIN), target="four")


def test_a_build_is_one_export() -> None:
    with pytest.raises(UsageError, match=r"a build is one export, 2 were given \(name one tag or platform"):
        cg.predict(CacheGraph([*(g.export for g in graph(*CHAIN)), *(g.export for g in graph(*CHAIN))]), [])
    with pytest.raises(UsageError, match=r"a build is one export, 0 were given \(name one that can be read"):
        cg.predict(CacheGraph([]), [])


def test_what_is_loaded_has_blobs_bytes_and_a_source() -> None:
    blobs = tuple(Blob(digest=f"sha256:{number}", size=10 + number) for number in range(4))
    prediction = cg.predict(graph(*CHAIN), graph(*CHAIN, blobs=blobs, source="the cache"))
    step = prediction[-1]
    assert step.loads is not None
    assert (step.loads.blobs, step.loads.bytes, step.source) == (("sha256:3",), 13, "the cache")
    assert prediction.best.bytes == 13


@pytest.mark.parametrize(("kind", "fails"), [("local", False), ("registry", True), ("inline", True)])
def test_a_lost_blob_costs_the_step_and_over_a_network_the_build(kind: Kind, fails: bool) -> None:
    blobs = tuple(Blob(digest=f"sha256:{number}", size=1, present=number != 3) for number in range(4))
    prediction = cg.predict(graph(*CHAIN), graph(*CHAIN, blobs=blobs, kind=kind))
    step = prediction[-1]
    assert (step.how, step.why, step.fails) == ("runs", "blob-missing", fails)
    assert outcomes(prediction) == {1: "not-needed", 2: "loaded", 3: "runs"}


def test_blobs_that_the_manifest_does_not_list_are_no_results() -> None:
    blobs = tuple(Blob(digest=f"sha256:{number}", size=1) for number in range(3))
    step = cg.predict(graph(*CHAIN), graph(*CHAIN, blobs=blobs))[-1]
    assert (step.how, step.why) == ("runs", "no-result")


def test_builders_before_0_10_skip_chains() -> None:
    config = {
        "layers": [{"blob": "sha256:0", "parent": -1}],
        "records": [{"digest": "base"}, {"digest": "one", "inputs": [[{"link": 0}]], "chains": [{"layers": [0]}]}],
    }
    build = cg.from_config(json.dumps(config).encode())
    assert cg.predict(build, build)[0].how == "loaded"
    assert cg.predict(build, build, buildkit="v0.10.0")[0].how == "loaded"
    assert cg.predict(build, build, buildkit="0.9")[0].why == "no-result"
    with pytest.raises(UsageError, match="'newest' is not a version of BuildKit"):
        cg.predict(build, build, buildkit="newest")


def test_a_refused_cache_gives_nothing() -> None:
    refused = graph(*CHAIN, ("bad", [[9]], True))
    prediction = cg.predict(graph(*CHAIN), refused)
    assert [(step.how, step.why, step.first) for step in prediction] == [
        ("runs", "source-not-read", True),
        ("runs", "source-not-read", False),
        ("runs", "source-not-read", False),
    ]
    assert [refused.error for refused in prediction.not_imported] == ["invalid record ID: 9"]
    both = cg.predict(graph(*CHAIN), [refused, graph(*CHAIN)])
    assert outcomes(both)[3] == "loaded"
    assert len(both.not_imported) == 1


def test_without_a_cache_everything_runs() -> None:
    prediction = cg.predict(graph(*CHAIN), [])
    assert [(step.how, step.why, step.first) for step in prediction] == [
        ("runs", "input", True),
        ("runs", "input", False),
        ("runs", "input", False),
    ]


def test_a_cache_without_results_can_hide_another() -> None:
    full, keys = graph(*CHAIN, source="full"), graph(*((d, s, False) for d, s, _ in CHAIN), source="keys")
    prediction = cg.predict(graph(*CHAIN), [full, keys])
    assert (prediction.best.runs, prediction.worst.runs) == (0, 3)
    step = prediction[-1]
    assert (step.executed, step.how, step.best, step.worst) == (None, None, "loaded", "runs")
    assert step.depends == Depends(cause="collision", record=3, caches=("full", "keys"))
    assert step.source == "full"
    assert prediction.summary == "0 to 3 of 3 steps run, 0 to 1 are loaded, 0 to 2 need not be looked at"


def test_behind_a_shared_copy_one_cache_answers_alone() -> None:
    left = graph(root("base"), root("files"), ("copy", [[0], [1]], True), ("left", [[2]], True), source="left")
    right = graph(root("base"), root("files"), ("copy", [[0], [1]], True), ("right", [[2]], True), source="right")
    build = graph(root("base"), root("files"), ("copy", [[0], [1]], True), ("left", [[2]], True))
    assert outcomes(cg.predict(build, left)) == {2: "not-needed", 3: "loaded"}
    prediction = cg.predict(build, [left, right])
    step = prediction.step(3)
    assert step is not None
    assert (step.executed, step.worst) == (None, "runs")
    assert step.depends == Depends(cause="first-answer", record=3, caches=("left", "right"))
    assert outcomes(prediction)[2] == "loaded"


def test_keys_whose_results_are_unknown_leave_it_open() -> None:
    prediction = cg.predict(graph(*CHAIN), graph(*CHAIN, results_known=False, source="a daemon"))
    assert [step.executed for step in prediction] == [None, None, None]
    assert prediction[-1].depends == Depends(cause="results", record=3, caches=("a daemon",))
    changed = graph(root("base"), ("one", [[0]], True), ("new", [[1]], True))
    assert [step.executed for step in cg.predict(changed, graph(*CHAIN, results_known=False))] == [None, True]


COPY = (
    root("base"),
    root("files"),
    ("make", [[0]], True),
    ("copy", [[0], [("out", 2), 1]], True),
    ("run", [[3]], True),
)
NEW = (root("base"), root("unused"), ("new", [[0]], True), ("copy", [[0], [("out", 2)]], True), ("run", [[3]], True))


def test_content_that_a_step_will_make_leaves_it_open() -> None:
    assert outcomes(cg.predict(graph(*NEW), graph(*COPY))) == {2: "runs", 3: "runs", 4: "runs"}
    prediction = cg.predict(graph(*NEW, unknown=frozenset({(3, 1)})), graph(*COPY))
    assert [(step.record, step.executed) for step in prediction] == [(2, True), (3, None), (4, None)]
    depends = Depends(cause="content", record=2)
    assert [step.depends for step in prediction] == [None, depends, depends]
    assert prediction.differences == {depends: 2}


def test_content_cannot_help_a_step_that_is_another_one() -> None:
    build = graph(*NEW[:3], ("copy elsewhere", [[0], [("out", 2)]], True), unknown=frozenset({(3, 1)}))
    assert [step.executed for step in cg.predict(build, graph(*COPY))] == [True, True]


def test_content_of_a_cached_step_is_known_from_the_cache() -> None:
    cache = graph(
        root("base"),
        root("files"),
        ("make", [[0]], True),
        ("copy there", [[0], [("out", 2), 1]], True),
        ("make so", [[0]], True),
        ("copy here", [[0], [("out", 4), 1]], True),
    )
    build = graph(
        root("base"), ("make", [[0]], True), ("copy here", [[0], [("out", 1)]], True), unknown=frozenset({(2, 1)})
    )
    prediction = cg.predict(build, cache)
    assert [(step.record, step.how) for step in prediction] == [(1, "loaded"), (2, "loaded")]


def test_a_step_that_could_not_be_worked_out_leaves_open_what_takes_it() -> None:
    build = graph(
        root("base"), ("?", [[0]], True), ("two", [[1]], True), ("new", [[2]], True), unknown=frozenset({(1, -1)})
    )
    prediction = cg.predict(build, graph(*CHAIN))
    assert [(step.record, step.executed) for step in prediction] == [(1, None), (2, None), (3, True)]
    assert prediction[0].depends == Depends(cause="unknown-step", record=1)
    assert prediction[1].depends == Depends(cause="unknown-step", record=1)


def test_it_is_shown_in_words() -> None:
    build = graph(root("base"), ("one", [[0]], True), ("two changed", [[1]], True), ("three", [[2]], True))
    prediction = cg.predict(build, graph(*CHAIN))
    assert repr(prediction) == "<Prediction: 2 of 3 steps run, 1 is loaded, 0 need not be looked at>"
    shown = prediction._repr_mimebundle_()
    assert shown["text/plain"].splitlines() == [
        "2 of 3 steps run, 1 is loaded, 0 need not be looked at",
        "  cached, loaded  1  one",
        "  runs  2  two changed  the step itself is another one: what it takes is cached, this step is not",
        "  runs  3  three  two changed (record 2) is not cached, and this step stands on it",
    ]
    assert "<td>two changed</td>" in shown["text/html"]


def test_it_is_a_frame() -> None:
    frame = cg.predict(graph(*CHAIN), graph(*CHAIN)).to_frame()
    assert list(frame["record"]) == [1, 2, 3]
    assert list(frame["how"]) == ["not-needed", "not-needed", "loaded"]
    assert str(frame["executed"].dtype) == "boolean"
    assert str(frame["how"].dtype) == "category"
    assert frame["blobs"].tolist() == [None, None, ["sha256:3"]]
    assert frame["needed_why"].tolist()[2] == "wanted"
    assert str(frame["bytes"].dtype) == "Int64"
    empty = cg.predict(graph(root("base")), graph(*CHAIN)).to_frame()
    assert list(empty.columns) == list(frame.columns)


def test_builders_that_lose_links_leave_it_open() -> None:
    # One base, two targets: 0.25 to 0.32 can lose the second link to the base, and with it `one` and what follows.
    two = (root("base"), ("one", [[0]], True), ("two", [[0], [1]], True), ("other", [[0]], True))
    for version in (None, "0.24.0", "0.33.0"):
        assert cg.predict(graph(*two), graph(*two), buildkit=version).exact
    prediction = cg.predict(graph(*two), graph(*two, source="cache"), buildkit="0.32.1")
    assert [(step.record, step.executed) for step in prediction] == [(1, None), (2, None), (3, False)]
    depends = Depends(cause="lost-link", record=1, caches=("cache",))
    assert [step.depends for step in prediction] == [depends, depends, None]


def test_a_target_is_a_stage_too() -> None:
    (made,) = cg.load_record(RECORDS / "two-platforms.dockerbuild")
    graph = ExportGraph(made.keys.export, made.names)
    names = {graph.naming(index).name.partition("]")[0] for index in select_target(graph, "BUILD")}
    assert names == {"[linux/amd64 build 4/4", "[linux/amd64->arm64 build 4/4"}
    with pytest.raises(UsageError, match="'build' is a part of 7 names"):
        select(graph, "build")  # of what changes, a stage says nothing
    with pytest.raises(UnknownNameError) as raised:
        select_target(graph, "bild")
    assert raised.value.hint == "did you mean build?"


def test_the_steps_of_a_stage_alone() -> None:
    (made,) = cg.load_record(RECORDS / "go-cold.dockerbuild")
    build = cg.CacheGraph([made.keys.export], made.names)
    found = cg.predict(build, [], target="build")
    assert [(step.name or "").partition("]")[0] for step in found] == [f"[build {place}/6" for place in range(2, 7)]
    assert len(cg.predict(build, [], target="final")) == len(cg.predict(build, [])) == 7
