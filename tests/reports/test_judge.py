"""Settings, baselines, and what they make of a finding."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from cachegraph.errors import CacheGraphError, DecodeError, NotFoundError, UsageError
from cachegraph.reports.baseline import Baseline, KnownFinding, baseline_text, read_baseline
from cachegraph.reports.judge import Decision, Judge
from cachegraph.reports.settings import Setting, find_settings, read_settings
from cachegraph.text.rules import Severity

TODAY = date(2026, 6, 1)


def known(fingerprint: str, severity: Severity = "warning", source: str = "app:cache") -> KnownFinding:
    return KnownFinding(fingerprint=fingerprint, code="CG103", severity=severity, source=source, message="Said.")


def decide(judge: Judge, severity: Severity = "warning", where: str = "app:cache", fingerprint: str = "x") -> Decision:
    return judge.decide("CG103", severity, where, lambda: fingerprint)


# --- Settings --------------------------------------------------------------------------------------------------------

RULES = """
[[rules]]
code = "CG103"
severity = "ignore"
where = "*vendor*"
reason = "not ours"
expires = 2026-06-01

[[rules]]
code = "missing-results"
severity = "note"
"""


def test_the_first_rule_that_fits_counts_until_its_last_day(tmp_path: Path) -> None:
    path = tmp_path / "cachegraph.toml"
    path.write_text(RULES)
    settings = read_settings(path)
    judge = Judge(settings, today=TODAY)
    assert decide(judge, where="vendor:cache").standing == "ignored"
    assert decide(judge) == Decision("note", "new")
    assert judge.decide("CG104", "error", "vendor:cache", str) == Decision("error", "new")
    ignored, changed = judge.remarks()
    assert ignored.startswith("1 finding is ignored: 1 CG103 (")
    assert ignored.endswith("cachegraph.toml: rules[0]: not ours, until 2026-06-01).")
    assert changed.startswith("1 finding of CG103 counts as note (")

    later = Judge(settings, today=date(2026, 6, 2))
    assert decide(later, where="vendor:cache") == Decision("note", "new")
    assert "The rule for CG103 expired on 2026-06-01" in later.remarks()[1]
    assert later.remarks()[1].endswith("until 2026-06-01): 1 finding counts again.")
    assert Judge(settings[:1], today=date(2026, 7, 1)).remarks()[0].endswith("it fits no finding: remove it.")


def test_a_severity_can_be_raised() -> None:
    judge = Judge([Setting(code="CG103", severity="error", origin="x")])
    assert decide(judge, severity="note") == Decision("error", "new")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules = [", "not TOML"),
        ("rule = []", r"there is no key 'rule' \(did you mean rules\?\)"),
        ("rules = 1", "rules is not a list of tables"),
        ("[[rules]]\nseverity = 'note'", r"rules\[0\]: no code"),
        ("[[rules]]\ncode = 'CG999'\nseverity = 'note'", r"rules\[0\]: there is no rule 'CG999'"),
        ("[[rules]]\ncode = 'missing-result'\nseverity = 'note'", "did you mean missing-results"),
        ("[[rules]]\ncode = 'CG103'\nseverity = 'low'", "there is no severity 'low'"),
        ("[[rules]]\ncode = 'CG103'\nseverity = 'ignore'", "CG103 is ignored without a reason"),
        ("[[rules]]\ncode = 'CG103'\nseverity = 'note'\nexpires = 'soon'", "'soon' is not a date"),
        ("[[rules]]\ncode = 'CG103'\nseverity = 'note'\nwhere = 1", "where is not a text"),
        ("[[rules]]\ncode = 'CG103'\nseverity = 'note'\nuntil = 2026-01-01", "there is no key 'until'"),
    ],
)
def test_settings_that_mean_nothing_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "cachegraph.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_settings(path)


def test_settings_are_those_of_the_nearest_folder_of_the_repository(tmp_path: Path) -> None:
    inner = tmp_path / "repository" / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "cachegraph.toml").write_text("outside")
    (tmp_path / "repository" / ".git").mkdir()
    assert find_settings(inner) is None
    project = tmp_path / "repository" / "pyproject.toml"
    project.write_text("[tool.other]\nx = 1\n")
    assert find_settings(inner) is None
    project.write_text('[[tool.cachegraph.rules]]\ncode = "CG103"\nseverity = "error"\nexpires = "2026-01-01"\n')
    assert find_settings(inner) == project
    (setting,) = read_settings(project)
    assert (setting.severity, setting.expires) == ("error", date(2026, 1, 1))
    (inner / "cachegraph.toml").write_text("")
    assert find_settings(inner) == inner / "cachegraph.toml"
    assert read_settings(inner / "cachegraph.toml") == ()


# --- Baselines -------------------------------------------------------------------------------------------------------


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text(baseline_text([known("b"), known("a", source="z"), known("b", "error")]))
    listed = json.loads(path.read_text())["findings"]
    assert [(one["source"], one["fingerprint"], one["count"], one["severity"]) for one in listed] == [
        ("app:cache", "b", 2, "error"),
        ("z", "a", 1, "warning"),
    ]
    judge = Judge(baseline=read_baseline(path))
    assert [decide(judge, fingerprint="b").standing for _ in range(3)] == ["known", "known", "new"]
    assert judge.remarks(["app:cache"]) == [f"2 findings are in the baseline {path} and fail nothing."]
    assert judge.remarks(["z"])[1] == "1 finding of the baseline is no longer found: --write-baseline drops it."


def test_what_became_worse_is_new() -> None:
    judge = Judge(baseline=Baseline("x", [known("x", "note")]))
    assert decide(judge, severity="warning").standing == "new"
    assert decide(judge, severity="note").standing == "known"


def test_the_line_is_drawn_after_the_settings() -> None:
    settings = [Setting(code="CG103", severity="note", origin="x")]
    judge = Judge(settings, baseline=Baseline("x", [known("x", "note")]))
    assert decide(judge, severity="error") == Decision("note", "known")


def test_no_fingerprint_is_made_without_a_baseline() -> None:
    def never() -> str:
        raise AssertionError

    assert Judge().idle
    assert Judge(ignored=["CG104"]).decide("CG103", "error", "x", never).standing == "new"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2}', '{"version": 1}', '{"version": 1, "findings": [{}]}', "[" * 100_000]
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "known.json"
    path.write_text(text)
    with pytest.raises(DecodeError, match=r"baseline|JSON|list|fingerprint"):
        read_baseline(path)


@pytest.mark.parametrize("wrong", [{"severity": "low"}, {"count": 0}, {"count": "9"}, {"count": 10**9}])
def test_entries_that_mean_nothing_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    path = tmp_path / "known.json"
    one = {"fingerprint": "x", "severity": "note", "count": 1} | wrong
    path.write_text(json.dumps({"version": 1, "findings": [one]}))
    with pytest.raises(CacheGraphError, match=r"findings\[0\]: "):
        read_baseline(path)


def test_a_baseline_that_is_not_there_says_how_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="--write-baseline makes it"):
        read_baseline(tmp_path / "known.json")
