"""Thirty nights of a real builder: what history says of them is what ran."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import cachegraph as cg
from cachegraph.core.graph import ExportGraph
from cachegraph.loaders.base import Options
from cachegraph.loaders.names.read import read_texts
from cachegraph.solver.history import history
from cachegraph.solver.history_rows import History

FIRST = 1  # night-01 is at position 0


@pytest.fixture(scope="module")
def truth(nights: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((nights / "truth.json").read_bytes())
    return found


def load(nights: Path, *, names: bool) -> list[ExportGraph]:
    how: dict[str, Any] = {"names": nights / "names"} if names else {}
    return [graph for night in range(1, 31) for graph in cg.load(nights / f"night-{night:02}", **how).graphs]


@pytest.fixture(scope="module")
def told(nights: Path) -> History:
    texts = read_texts(str(nights / "names"), Options())
    return history(load(nights, names=True), texts=texts.plaintexts, references=texts.references)


def instruction(name: str) -> str:
    """Take off what only the builder's progress or only the provenance adds."""
    name = re.sub(r"^\[.*?\] | \(Dockerfile:\d+\)$", "", name)
    return re.sub(r'echo "2026-10-\d\d"', 'echo "$BUILD_DATE"', name)


def test_the_steps_that_ran_each_night(told: History, truth: list[dict[str, Any]]) -> None:
    said: dict[int, list[str]] = {night["night"]: [] for night in truth[1:]}
    for change in told.changes:
        if change.became == "ran":
            said[change.position + FIRST].append(instruction(change.name))
    ran = {
        night["night"]: sorted(instruction(name) for name, executed in night["steps"].items() if executed)
        for night in truth[1:]
    }
    assert {night: sorted(names) for night, names in said.items()} == ran
    assert sum(map(len, ran.values())) == 168


def test_the_steps_that_were_kept(told: History, truth: list[dict[str, Any]]) -> None:
    assert [(point.kept, point.unknown) for point in told[1:]] == [
        (sum(not executed for executed in night["steps"].values()), 0) for night in truth[1:]
    ]
    assert [point.steps for point in told] == [len(night["steps"]) for night in truth]
    assert (told[0].ran, told[0].kept, told[0].unknown, told[0].new_bytes) == (None, None, None, None)


def test_it_needs_no_names(nights: Path, told: History) -> None:
    bare = history(load(nights, names=False))
    assert [(point.ran, point.kept, point.unknown) for point in bare] == [
        (point.ran, point.kept, point.unknown) for point in told
    ]
    # Only names tell an image from another source, and a variable from another instruction.
    differ = {night + FIRST: (a.cause, b.cause) for night, (a, b) in enumerate(zip(told, bare, strict=True))}
    assert {night: pair for night, pair in differ.items() if pair[0] != pair[1]} == {
        8: ("base image", "source"),
        15: ("variable", "instruction"),
        16: ("variable", "instruction"),
    }


def test_the_cause_of_each_night_is_what_was_changed(told: History, truth: list[dict[str, Any]]) -> None:
    causes = {(night["night"], night["words"]): told[night["night"] - FIRST].cause for night in truth}
    assert {changed: cause for changed, cause in causes.items() if cause not in (None, "files")} == {
        (8, "os:3 is another image"): "base image",
        (14, "the build's date is written in the first stage"): "instruction",
        (15, "nothing but the date"): "variable",
        (16, "nothing but the date"): "variable",
        (17, "the date is a label of the last stage"): "instruction",
        (23, "COPY . . in place of COPY src, with a core dump beside the source"): "instruction",
        (26, "COPY src again"): "instruction",
    }
    assert [night for (night, _), cause in causes.items() if cause is None] == [1, 2, 5, 10, 13, 18, 20, 22, 27, 30]
    edited = {words for (_, words), cause in causes.items() if cause == "files"}
    assert all("edited" in words or words.startswith("deps.lock") for words in edited)


SENTENCES = {
    1: "the first: 14 of 14 steps can be loaded",
    2: "nothing ran",
    3: "7 of 14 steps ran: other files for COPY src ./src (Dockerfile:11)",
    8: "all 14 steps ran: another base image under RUN pkg install libc (Dockerfile:2)",
    11: "9 of 14 steps ran: other files for COPY deps.lock ./ (Dockerfile:7); "
    "6 of them left no result, as with mode=min",
    12: "9 of 14 steps ran: other files for COPY src ./src (Dockerfile:11); the export before has no result of "
    "COPY deps.lock ./ (Dockerfile:7) and 1 other step",
    15: '14 of 15 steps ran: another variable in RUN echo "$BUILD_DATE" > /etc/build-date (Dockerfile:4)',
    20: "nothing ran; then the store lost a blob (4.6 KiB): 5 steps cannot be loaded",
    21: "8 of 14 steps ran: other files for COPY src ./src (Dockerfile:11); the store had lost a blob of "
    "RUN pkg fetch deps.lock (Dockerfile:8); 1 result is there again",
    23: "4 of 14 steps ran: new or changed: COPY . . (Dockerfile:11); 64.7 KiB more than before, most of it "
    "COPY . . (Dockerfile:11)",
    27: "nothing ran",
    29: "3 of 14 steps ran: other files for COPY tests ./tests (Dockerfile:15)",
}


@pytest.mark.parametrize("night", SENTENCES)
def test_a_sentence_for_a_night(told: History, night: int) -> None:
    assert told[night - FIRST].said == SENTENCES[night]


def test_the_blob_that_the_store_lost(told: History, truth: list[dict[str, Any]]) -> None:
    (lost,) = (night for night in truth if night["lost"])
    gone = [event for event in told.events if event.kind == "result gone"]
    assert {(event.position + FIRST, event.blob) for event in gone} == {(lost["night"], lost["lost"])}
    assert [instruction(event.name) for event in gone] == [
        "RUN pkg fetch deps.lock",
        "COPY src ./src",
        "RUN compile src > /app",
        "COPY tests ./tests",
        "RUN sh tests/run.sh > /report",
    ]
    back = [(event.position + FIRST, instruction(event.name)) for event in told.events if event.kind == "result back"]
    assert back[0] == (21, "RUN pkg fetch deps.lock")


def test_growth(told: History, nights: Path) -> None:
    sizes = {night: told[night - FIRST].bytes or 0 for night in (22, 23, 25, 26)}
    assert (sizes[23] - sizes[22], sizes[26] - sizes[25]) == (66_218, -66_230)
    new = nights / "night-23" / "blobs" / "sha256"
    before = {path.name for path in (nights / "night-22" / "blobs" / "sha256").iterdir()}
    manifests = {json.loads((nights / "night-23" / "index.json").read_bytes())["manifests"][0]["digest"][7:]}
    manifests |= {json.loads((new / next(iter(manifests))).read_bytes())["config"]["digest"][7:]}
    added = sum(path.stat().st_size for path in new.iterdir() if path.name not in before | manifests)
    assert told[23 - FIRST].new_bytes == added


def test_keys_of_earlier_builds_are_no_steps(told: History) -> None:
    carried = {night + FIRST: point.carried for night, point in enumerate(told) if point.carried}
    assert carried == {23: 4, 24: 4, 25: 8, 26: 10, 27: 10}
    assert told[26 - FIRST].coverage == 1


def test_in_a_line(told: History) -> None:
    assert told.summary == (
        "30 exports: 14 of 14 steps loadable at first, 14 of 14 steps now. After the first, steps ran in 20 of 29 "
        "builds, 168 of 409 steps in all. 5 results went because the store lost 1 blob: look at what deletes there."
    )
    assert told.labels == tuple(f"night-{night:02}" for night in range(1, 31))
