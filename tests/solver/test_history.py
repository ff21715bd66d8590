"""One cache over time."""

from __future__ import annotations

from cachegraph.core.graph import ExportGraph
from cachegraph.solver.history import history
from tests.solver.exports import BASE, export

OTHER = {("make2" if digest == "make" else digest): found for digest, found in BASE.items()}
OTHER["test"] = (([("/", "make2")],), 2)


def made(day: int, *, blobs: list[str] | None = None) -> ExportGraph:
    return export(BASE, blobs=blobs, times={"copy": f"2026-01-{day:02}T00:00:00Z"})


def test_no_exports() -> None:
    assert history([]).summary == "No exports."


def test_coverage_over_time() -> None:
    found = history([made(1), made(2, blobs=["b0", "b1"]), made(3, blobs=["b0"])])
    assert [(point.loadable, point.steps, point.results_lost) for point in found] == [
        (3, 3, None),
        (2, 3, 1),
        (1, 3, 1),
    ]
    assert [point.coverage for point in found] == [1.0, 2 / 3, 1 / 3]
    assert [point.at for point in found] == [f"2026-01-0{day}T00:00:00.000000000Z" for day in (1, 2, 3)]


def test_two_contents_that_take_turns() -> None:
    found = history([export(BASE), export(OTHER), export(BASE), export(OTHER)])
    assert [point.same_as for point in found] == [None, None, 0, 1]
    assert [(event.kind, event.position) for event in found.events] == [("alternates", 2), ("alternates", 3)]
    assert found.summary == (
        "4 exports: 3 of 3 steps loadable at first, 3 of 3 steps now. Two contents take turns (2 times): the cache "
        "fits every other build; give each its own scope, tag or name."
    )


def test_the_same_export_again_is_no_turn() -> None:
    found = history([export(BASE)] * 3)
    assert [point.same_as for point in found] == [None, 0, 1]
    assert len(found.events) == 0


def test_a_result_that_was_there_until_a_date() -> None:
    found = history([made(1), made(2, blobs=["b0", "b1"]), made(3)])
    assert [(event.kind, event.position, event.digest, event.since) for event in found.events] == [
        ("result gone", 1, "test", "2026-01-01T00:00:00.000000000Z"),
        ("result back", 2, "test", "2026-01-02T00:00:00.000000000Z"),
    ]
    assert found.summary.endswith("1 result went though nothing changed: the store lost blobs, or mode did.")


def test_as_a_data_frame() -> None:
    found = history([made(1), made(2)])
    assert list(found.to_frame()["loadable"]) == [3, 3]
    assert list(found.events.to_frame().columns) == ["kind", "position", "record", "digest", "name", "since"]
