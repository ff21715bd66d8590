"""One cache over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import cachegraph as cg
from cachegraph.core.graph import ExportGraph
from cachegraph.solver.history import history
from tests.solver.exports import BASE, export

OTHER = {("make2" if digest == "make" else digest): found for digest, found in BASE.items()}
OTHER["test"] = (([("/", "make2")],), 2)
NEW = {"test": "2026-01-09T00:00:00Z"}


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
        "4 exports: 3 of 3 steps loadable at first, 3 of 3 steps now. After the first, nothing ran. Two contents take "
        "turns (2 times): the cache fits every other build; give each its own scope, tag or name."
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
    assert found.summary.endswith(
        "1 result went though nothing changed: mode=min, or a blob that cannot be loaded "
        "(`cachegraph check` says which)."
    )


def test_as_a_data_frame() -> None:
    found = history([made(1), made(2)])
    assert list(found.to_frame()["loadable"]) == [3, 3]
    assert list(found.events.to_frame().columns) == ["kind", "position", "record", "digest", "name", "since", "blob"]
    assert list(found.to_frame()["ran"].astype(object)) == [pd.NA, 1]


# --- What ran --------------------------------------------------------------------------------------------------------

ALL = ("copy", "make", "test")


def at(**days: int) -> ExportGraph:
    return export(BASE, times={step: f"2026-01-{day:02}T00:00:00Z" for step, day in days.items()})


def told(*graphs: ExportGraph) -> Sequence[tuple[int | None, int | None, int | None, str | None, str]]:
    return [(point.ran, point.kept, point.unknown, point.cause, point.said) for point in history(graphs)][1:]


def test_results_that_are_as_old_as_before_were_kept() -> None:
    assert told(at(copy=1, make=1, test=1), at(copy=1, make=1, test=1)) == [(0, 3, 0, None, "nothing ran")]


def test_results_made_anew_though_the_export_before_has_them() -> None:
    assert told(at(copy=1, make=1, test=1), at(copy=2, make=2, test=2)) == [
        (
            3,
            0,
            0,
            "not imported",
            "all 3 steps ran though the export before has them: it was not imported, or --no-cache",
        )
    ]
    assert told(at(copy=1, make=1, test=1), at(copy=1, make=1, test=2))[0][4] == (
        "1 of 3 steps ran though the export before has it: it was not imported, or --no-cache"
    )


def test_a_result_of_another_cache_was_not_made_since() -> None:
    # `make2` was made before the first export and is not in it: the second build imported something else.
    before = at(copy=3, make=3, test=3)
    after = export(OTHER, times={"copy": "2026-01-03T00:00:00Z", "make2": "2026-01-01T00:00:00Z", **NEW})
    assert told(before, after) == [
        (
            1,
            2,
            0,
            "unclear",
            "1 of 3 steps ran, cannot tell why: the build imported something else than the export before",
        )
    ]


def test_without_times_the_rules_tell() -> None:
    zero = dict.fromkeys((*ALL, "make2"), "0001-01-01T00:00:00Z")
    assert told(export(BASE, times=zero), export(OTHER, times=zero)) == [
        (2, 1, 0, "instruction", "2 of 3 steps ran: new or changed: step 3 (make2)")
    ]


def test_a_step_without_a_result_ran_by_the_rules() -> None:
    bare = {digest: (slots, None if digest == "make2" else layer) for digest, (slots, layer) in OTHER.items()}
    times = {"copy": "2026-01-01T00:00:00Z", **NEW}
    assert told(at(copy=1, make=1, test=1), export(bare, times=times)) == [
        (
            2,
            1,
            0,
            "instruction",
            "2 of 3 steps ran: new or changed: step 3 (make2); 1 of them left no result, as with mode=min",
        )
    ]


def test_a_step_without_a_result_is_open_where_the_build_imported_something_else() -> None:
    bare = {digest: (slots, None if digest == "make" else layer) for digest, (slots, layer) in BASE.items()}
    after = export(bare, times={"copy": "2026-01-05T00:00:00Z", "test": "2026-01-05T00:00:00Z"})
    ((ran, kept, unknown, cause, said),) = told(at(copy=1, make=1, test=1), after)
    assert (ran, kept, unknown, cause) == (2, 0, 1, "not imported")
    assert said == (
        "2 of 3 steps ran (cannot tell of 1) though the export before has them: it was not imported, or --no-cache; "
        "1 result went though nothing changed for it"
    )


# --- Order and platforms ---------------------------------------------------------------------------------------------


def test_exports_in_the_wrong_order_are_told() -> None:
    wrong = "By the times of their results an export is older than the one before: give the oldest first."
    days = [at(copy=day, make=day, test=day) for day in (1, 2, 3)]
    assert wrong not in history(days).summary
    assert history([days[0], days[2], days[1]]).summary.endswith(wrong)


def test_each_platform_is_followed_by_itself(layouts: Path) -> None:
    """Both are in each image; an export for one says nothing of the other."""
    image = cg.load(layouts / "web-multi-inline").graphs
    assert [graph.export.platform for graph in image] == ["linux/amd64", "linux/386"]
    found = history([*image, *image])
    assert [(point.ran, point.kept, point.same_as) for point in found] == [
        (None, None, None),
        (None, None, None),
        (0, 17, 0),
        (0, 17, 1),
    ]
    assert [point.said for point in found][2:] == ["nothing ran"] * 2
