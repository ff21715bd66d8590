"""Which steps ran, from events that no recorded build has: a load that fails."""

from __future__ import annotations

from cachegraph.builds.dockerbuild.executed import was_executed
from cachegraph.builds.dockerbuild.status import Event, Time

GONE = "NotFound: rpc error: code = NotFound desc = content sha256:e342: not found"


def event(
    started: Time | None = None, completed: Time | None = None, *, cached: bool = False, error: str = ""
) -> Event:
    return Event(
        digest="d",
        name="RUN pkg fetch",
        inputs=("i",),
        cached=cached,
        started=started,
        completed=completed,
        error=error,
    )


# As BuildKit v0.34.2 told it when it imported an export whose store had lost a blob.
LOAD = [
    event(),
    event((0, 167), cached=True),
    event((0, 187)),
    event((0, 187), (0, 216)),
]
FAILED = event((0, 167), (0, 447), cached=True, error=GONE)
RUN = [event((0, 454), error=GONE), event((0, 454), (0, 535))]


def test_a_step_runs_after_a_load_that_failed() -> None:
    assert was_executed([*LOAD, FAILED, *RUN]) is True


def test_a_load_that_failed_is_no_run_by_itself() -> None:
    assert was_executed([*LOAD, FAILED]) is False


def test_what_a_load_does_is_no_run() -> None:
    assert was_executed([*LOAD, event((0, 167), (0, 447), cached=True)]) is False


def test_a_load_that_is_tried_again_and_works_is_no_run() -> None:
    assert was_executed([*LOAD, FAILED, *LOAD[1:]]) is False


def test_a_key_that_was_found_is_no_load() -> None:
    assert was_executed([event((0, 1), (0, 1), cached=True), event((0, 2), (0, 3))]) is True
    assert was_executed([event((0, 1), (0, 1), cached=True)]) is False
    assert was_executed([event()]) is None
