"""What history says of 139 changed builds is what BuildKit ran, whether the build imported the export before or not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, get_args

from cachegraph.solver.history import history
from cachegraph.solver.history_words import CauseWord
from tests.solver.conftest import read


def test_what_ran_of_builds_that_imported_the_export_before(cases: list[dict[str, Any]]) -> None:
    wrong, count = set(), 0
    for case in cases:
        found = history([*read(case["before"]), *read(case["after"])])
        executed: dict[int, bool] = {}
        for step in case["steps"]:
            for record in step["records_after"] if step["inputs"] else ():  # two platforms may share a record
                executed[record] = executed.get(record, False) or step["executed"]
        ran = {change.record for change in found.changes if change.became == "ran"}
        count += len(executed)
        same = (found[1].steps, found[1].unknown) == (len(executed), 0)
        if not same or ran != {record for record, was in executed.items() if was}:
            wrong.add(case["name"])
    assert (wrong, count) == (set(), 993)


def test_builds_that_did_not_import_it_ran_every_step(cases: list[dict[str, Any]]) -> None:
    """Of 19 no step would have been loaded from the export before: there the times do not tell whether it was there."""
    points = [history([*read(case["before"]), *read(case["cold"])])[1] for case in cases]
    assert all((point.ran, point.kept, point.unknown) == (point.steps, 0, 0) for point in points)
    causes = Counter(point.cause for point in points)
    assert causes == {"not imported": 120, "files": 8, "no result": 5, "instruction": 3, "source": 3}


def test_every_cause_is_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "follow-a-cache.md").read_text("utf-8")
    told = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert sorted(told) == sorted(get_args(CauseWord))
