"""Build records against the truth: what ran, and the digests of the cache records that the daemon computed."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec
import pytest

import cachegraph as cg
from cachegraph.builds.dockerbuild import BuildRecord, CacheImport, is_record, load_record

RECORDS = Path(__file__).parents[1] / "data" / "records"
WITH_PROVENANCE = (
    "args",
    "copy-link",
    "go-cold",
    "go-local-readme",
    "go-registry-main",
    "missing-cache",
    "mounts",
    "two-platforms",
)


@dataclass(frozen=True)
class Step:
    """A step as the daemon saw it."""

    digest: str
    name: str
    inputs: list[str]
    executed: bool | None
    printed: str
    started: str | None
    completed: str | None
    error: str | None
    record_digests: list[str] | None
    in_import: list[str | None] | None


@dataclass(frozen=True)
class Truth:
    """What was asked for, and what the daemon did."""

    cache_imports: list[str]
    steps: list[Step]


@cache
def truths() -> Mapping[str, Truth]:
    return msgspec.json.decode(gzip.decompress((RECORDS / "truth.json.gz").read_bytes()), type=dict[str, Truth])


@cache
def record(name: str) -> BuildRecord:
    (found,) = load_record(RECORDS / f"{name}.dockerbuild")
    return found


# The client adds this step to its own display after the record is written.
NOT_IN_RECORDS = "resolving provenance for metadata file"


@pytest.mark.parametrize("name", [*WITH_PROVENANCE, "failing"])
def test_executed_equals_the_truth(name: str) -> None:
    expected = {step.digest: step.executed for step in truths()[name].steps if step.name != NOT_IN_RECORDS}
    assert {step.digest: step.executed for step in record(name).steps} == expected


@pytest.mark.parametrize("name", WITH_PROVENANCE)
def test_record_digests_equal_those_of_the_daemon(name: str) -> None:
    expected = {step.digest: tuple(step.record_digests or ()) for step in truths()[name].steps}
    del expected[next(step.digest for step in truths()[name].steps if step.name == NOT_IN_RECORDS)]
    assert {step.digest: step.record_digests for step in record(name).steps} == expected


@pytest.mark.parametrize("name", [*WITH_PROVENANCE, "failing"])
def test_names_inputs_and_errors_equal_the_truth(name: str) -> None:
    expected = {(s.name, tuple(s.inputs), s.error) for s in truths()[name].steps if s.name != NOT_IN_RECORDS}
    assert {(step.name, step.inputs, step.error) for step in record(name).steps} == expected


@pytest.mark.parametrize("name", [*WITH_PROVENANCE, "failing"])
def test_buildkit_counts_the_same(name: str) -> None:
    found = record(name)
    assert found.total_steps == len(found.steps)
    assert found.cached_steps == sum(step.cached for step in found.steps)
    assert found.completed_steps == sum(step.completed is not None for step in found.steps)


def test_a_trace_changes_nothing() -> None:
    (finalized,) = load_record(RECORDS / "go-local-readme-finalized.dockerbuild")
    assert finalized.steps == record("go-local-readme").steps


def test_a_failed_build_has_no_provenance_and_says_so() -> None:
    found = record("failing")
    assert found.error == (
        'process "/bin/sh -c cat main.go nofile.go > /out.bin && echo \\"v$VERSION\\" >> /out.bin && rm -rf /src/tmp" '
        "did not complete successfully: exit code: 1"
    )
    assert not found.has_provenance
    assert {step.record_digests for step in found.steps if step.inputs} == {None}
    never = [step for step in found.steps if step.executed is None]
    assert [(step.started, step.completed, step.seconds) for step in never] == [(None, None, None)] * 2


def test_seconds_are_those_of_the_display() -> None:
    """The client moves all times by the difference of the clocks, so that durations stay."""
    (step,) = (step for step in record("args").steps if step.name.startswith("[stage-3 2/2]"))
    assert step.seconds == pytest.approx(0.055944260)
    assert (step.started, step.completed) == ("2026-11-25T17:59:30.453076824Z", "2026-11-25T17:59:30.509021084Z")


def test_what_was_asked_for() -> None:
    found = record("two-platforms")
    assert found.platforms == ("linux/amd64", "linux/arm64")
    assert (record("args").arguments, record("args").platforms) == ({"LATE": "2"}, ("linux/amd64",))
    assert record("args").ref == "gj5oe7s63ad8mrqa2f1x6iey6"
    assert (record("args").created, record("args").completed) == (
        "2026-11-25T17:59:30.241027492Z",
        "2026-11-25T17:59:30.510497072Z",
    )


def test_imports_say_what_became_of_them() -> None:
    assert record("go-cold").cache_imports == ()
    ref = {"ref": "127.0.0.1:15011/oracles/go-multi:cache"}
    assert record("go-registry-main").cache_imports == (
        CacheImport(type="registry", attributes=ref, read=True, error=None),
    )
    (missing,) = record("missing-cache").cache_imports
    assert missing.spec == "type=registry,ref=127.0.0.1:15011/oracles/never:was"
    assert missing.read is False
    assert missing.error == (
        "failed to configure registry cache importer: 127.0.0.1:15011/oracles/never:was: not found"
    )


def test_the_place_of_a_local_import_is_cut_out_of_the_record() -> None:
    (local,) = record("args").cache_imports
    assert (local.type, dict(local.attributes), local.spec, local.read) == ("local", {}, None, True)


def test_one_file_can_hold_the_targets_of_a_bake() -> None:
    first, second = load_record(RECORDS / "bake-two.dockerbuild")
    assert (first.target, second.target) == ("svc-a", "svc-b")
    assert (first.ref, second.ref) == ("0lweon71xau2m6vm9uiwo6zj6", "rv8tm9tiv28tccufmizf5fh83")
    assert [(r.total_steps, r.cached_steps) for r in (first, second)] == [(11, 1), (10, 0)]
    assert [sum(step.cached for step in r.steps) for r in (first, second)] == [1, 0]
    assert [entry.read for entry in second.cache_imports] == [False]


def test_steps_of_the_other_target_have_their_digests_too() -> None:
    """Targets share the solver: a step of the other context stands in this record, with one and the same key."""
    first, _ = load_record(RECORDS / "bake-two.dockerbuild")
    built = [step for step in first.steps if step.name == "[common 3/3] RUN cat /lib/x/* > /lib/built"]
    assert [step.executed for step in built] == [True, False]
    assert built[0].digest != built[1].digest
    assert built[0].record_digests == built[1].record_digests != ()


def test_the_library_has_it_at_the_top() -> None:
    assert cg.load_record is load_record
    assert is_record(RECORDS / "args.dockerbuild")
    assert not is_record(RECORDS / "truth.json.gz")
    assert not is_record(RECORDS)
