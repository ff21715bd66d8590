"""JUnit, annotations, Markdown and rows, of reports made by hand."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from cachegraph.reports.github import github
from cachegraph.reports.junit import junit
from cachegraph.reports.markdown import markdown
from cachegraph.reports.model import Place, Subject
from cachegraph.reports.rows import COLUMNS, rows
from tests.reports.made import GONE, entry, report


@pytest.mark.parametrize(("fail_on", "failures"), [("error", 0), ("warning", 1), ("note", 2), ("never", 0)])
def test_a_case_fails_where_the_run_does(fail_on: str, failures: int) -> None:
    found = [entry(1), entry(2, severity="note", rule="merge-subsets"), entry(3, severity="error", known=True)]
    (suite,) = ET.fromstring(junit(report(*found, fail_on=fail_on)))
    assert (suite.get("tests"), suite.get("failures")) == ("3", str(failures))
    assert len(suite.findall("testcase/failure")) == failures


def test_a_case_holds_what_fails_apart_from_what_does_not() -> None:
    (suite,) = ET.fromstring(
        junit(report(entry(1), entry(2, severity="error"), entry(3, severity="error", known=True)))
    )
    (case,) = (case for case in suite if len(case))
    assert case.findtext("failure") == "error: CG103 step 2 costs time."
    assert case.findtext("system-out") == "warning: CG103 step 1 costs time.\nknown error: CG103 step 3 costs time."


def test_sources_are_errors_and_those_that_fail_nothing_are_skipped() -> None:
    root = ET.fromstring(junit(report(unread=[GONE, replace(GONE, source="other", fails=False)], remarks=["Said."])))
    sources, settings = root[1:]
    assert {name: sources.get(name) for name in ("tests", "errors", "failures", "skipped")} == {
        "tests": "2",
        "errors": "1",
        "failures": "0",
        "skipped": "1",
    }
    assert [case[0].tag for case in sources] == ["error", "skipped"]
    assert sources[0][0].text == (
        "compose.yaml:7: gone:cache: there is no such tag. BuildKit goes on without it. To do: check the tag"
    )
    assert settings.findtext("system-out") == "Said."


def test_annotations_escape_as_the_runner_reads_them() -> None:
    at = Place(file="a,b:c%.yaml", line=3)
    lines = github(report(entry(message="100 % of\nit: a, b", places=(at,)), entry(2, severity="note"))).splitlines()
    assert lines == [
        "::warning file=a%2Cb%3Ac%25.yaml,line=3,title=CG103 missing-results::app:cache: 100 %25 of it: a, b",
        "::notice title=CG103 missing-results::app:cache: step 2 costs time.",
    ]


def test_the_worst_annotation_is_first_and_a_known_one_is_none() -> None:
    found = [*(entry(number) for number in range(12)), entry(20, severity="error"), entry(21, known=True)]
    lines = github(report(*found, unread=[GONE], remarks=["Said."])).splitlines()
    assert lines[0].startswith("::error file=compose.yaml,line=7,title=not read%3A gone%3Acache::compose.yaml:7: gone")
    assert lines[1].startswith("::error title=CG103")
    assert lines[14:] == [
        "cachegraph: GitHub shows 10 of 12 warnings beside the files; the others are in this log.",
        "cachegraph: 1 known finding not shown.",
        "cachegraph: Said.",
    ]


def test_a_summary_begins_with_the_worst_and_ends_with_what_was_not_read() -> None:
    subjects = [
        Subject(key="a", name="fine", sentence="All is cached."),
        Subject(key="b", name="bad", sentence="Cold."),
    ]
    text = markdown(report(entry(1, subject="b"), subjects=subjects, unread=[GONE], remarks=["Said."]))
    assert text.splitlines() == [
        "### bad",
        "",
        "Cold.",
        "",
        "| severity | code | what it costs, what to do |",
        "| --- | --- | --- |",
        "| warning | CG103 | step 1 costs time. |",
        "",
        "### fine",
        "",
        "All is cached.",
        "",
        "### Could not be read",
        "",
        "- compose.yaml:7: gone:cache: there is no such tag. BuildKit goes on without it. To do: check the tag",
        "",
        "- Said.",
    ]


def test_a_summary_is_cut_under_githubs_limit_and_says_what_is_missing() -> None:
    subjects = [Subject(key=str(number), name=f"cache {number}", sentence="Said.") for number in range(300)]
    found = [
        entry(number, subject=str(number % 300), message="ä" * 300, severity="error" if number == 299 else "note")
        for number in range(9_000)
    ]
    text = markdown(report(*found, subjects=subjects, unread=[GONE]))
    size = len(text.encode())
    assert 900_000 < size <= 1_000_000
    assert text.startswith("### cache 299\n\nSaid.\n\n| severity")
    shown = sum(line.startswith(("| note", "| error")) for line in text.splitlines())
    cut = next(line for line in text.splitlines() if line.startswith("Cut at 1,000,000 bytes"))
    missing = sum(f"### cache {number}" not in text.splitlines() for number in range(300))
    assert f"{shown:,} findings shown, {9_000 - shown:,} findings and {missing} sources left out" in cut
    assert "gone:cache" in text, "what could not be read is kept"


def test_rows_are_findings_and_then_what_was_not_read() -> None:
    found = list(rows(report(entry(1, places=(Place(file="x", line=2),)), unread=[GONE])))
    assert [tuple(row) for row in found] == [COLUMNS, COLUMNS]
    assert [found[0][name] for name in ("severity", "code", "source", "file", "line", "known", "unread")] == [
        *("warning", "CG103", "app:cache", "x", 2, False, None)
    ]
    assert [found[1][name] for name in ("severity", "code", "source", "file", "line", "unread")] == [
        *("error", None, "gone:cache", "compose.yaml", 7, "gone:cache: there is no such tag")
    ]
