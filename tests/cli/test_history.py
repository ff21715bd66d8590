"""``cachegraph history`` on thirty nights: for people at 80 columns, for tools between tabs, raw as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from tests.cli.test_output import ESCAPES, on_a_terminal


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(app, ["history", *map(str, args)])


def every(nights: Path) -> list[str]:
    return [str(nights / f"night-{night:02}") for night in range(1, 31)]


def test_for_tools_between_tabs(nights: Path) -> None:
    lines = run(*every(nights), "--names", nights / "names").stdout.splitlines()
    assert lines[0] == "export\tnewest result\tran\tloadable\tsize\tnew"
    assert lines[1] == "night-01\t2026-10-01 02:00\t\t14 of 14\t95.7 KiB\t"
    assert lines[11] == "night-11\t2026-10-11 02:00\t9 of 14\t8 of 14\t86.0 KiB\t4.9 KiB"
    assert lines[30] == "night-30\t2026-10-29 02:00\t0 of 14\t14 of 14\t95.8 KiB\t"
    said = lines[32:]
    assert said[5] == ("night-08: all 14 steps ran: another base image under RUN pkg install libc (Dockerfile:2).")
    # A night in which nothing happened has no sentence; a summary ends it.
    quiet = {f"night-{night:02}" for night in (2, 5, 10, 13, 18, 22, 27, 30)}
    labels = {f"night-{night:02}" for night in range(1, 31)}
    assert [line[:8] for line in said if line.startswith("night-")] == sorted(labels - quiet)
    assert said[-1].startswith("30 exports: 14 of 14 steps loadable at first")


def test_a_terminal_of_80_columns(nights: Path) -> None:
    text = on_a_terminal("history", *every(nights), "--names", str(nights / "names"), NO_COLOR="1")
    shown = ESCAPES.sub("", text)
    shown = shown[shown.index("export ") :]
    assert max(map(len, shown.splitlines())) <= 80
    assert 'night-14: 14 of 15 steps ran: new or changed: RUN echo "$BUILD_DATE" >\n  /etc/build-date' in shown


def test_csv_and_json_are_raw(nights: Path) -> None:
    result = run(*every(nights), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    eighth = rows[7]
    assert (eighth["ran"], eighth["kept"], eighth["unknown"], eighth["bytes"], eighth["cause"]) == (
        "14",
        "0",
        "0",
        "98119",
        "source",
    )
    assert eighth["at"].startswith("2026-10-08T02:00:0")
    answer = json.loads(run(*every(nights), "--format", "json").stdout)
    assert list(answer) == ["summary", "exports", "changes", "events"]
    ran = [change for change in answer["changes"] if change["became"] == "ran"]
    went = [change for change in answer["changes"] if change["became"] == "went" and change["position"] == 7]
    assert (len(ran), len(went)) == (168, 14)


def test_without_names_it_says_what_would_give_them(nights: Path) -> None:
    lines = run(*every(nights)[:3]).stdout.splitlines()
    assert lines[-1] == (
        "Not all steps have names: --names tells what they do (the provenance of an image, or a Dockerfile)."
    )
    assert lines[-4].startswith("night-03: 7 of 14 steps ran: other files for step ")


def test_one_directory_to_which_every_night_wrote(kept: Path, nights: Path) -> None:
    """Builds in which nothing ran wrote the same export; the directory has each once."""
    answer = json.loads(run(kept, "--names", nights / "names", "--format", "json").stdout)
    assert [point["ran"] for point in answer["exports"]] == [
        *(None, 7, 4, 9, 7, 14, 7, 9, 9, 14, 14, 14, 13, 7, 8, 4, 8, 4),
        *(4, 0, 9, 3),
    ]
