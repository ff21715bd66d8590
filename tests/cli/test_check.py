"""``cachegraph check``: what it prints and how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from cachegraph.queries.catalogue import asked
from cachegraph.text.rules import CODES


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """Give an export that BuildKit refuses."""
    path = tmp_path / "broken.json"
    path.write_text('{"records": [{"digest": "a", "inputs": [[{"link": 0}]]}]}')
    return str(path)


def test_the_table_says_what_is_wrong_what_it_costs_and_what_to_do(layouts: Path) -> None:
    result = run("check", str(layouts / "scratch-file-inline"))
    text = " ".join(result.stdout.split())
    assert result.exit_code == 0
    assert "CACHED 3 of 3 steps (100 %) 4 layers, 1.0 MiB, all there newest result" in text
    assert "warning CG104 1 operation on scratch keeps no result: its layer is in a merged result" in text
    assert "It runs again as soon as another input of the merge changes. Fix: Give it an input" in text
    assert "Costs nothing: 5 notes (--all shows them)." in text
    assert result.stderr == ""


def test_a_refusal_comes_first(broken: str) -> None:
    result = run("check", broken)
    text = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert "COLD 0 of 1 step (0 %)" in text
    assert (
        'error CG101 BuildKit refuses it ("invalid looping record"). Every build that imports it starts cold.' in text
    )
    assert "warning" not in text


@pytest.mark.parametrize(
    ("fail_on", "layout", "code"),
    [("never", "scratch-file-inline", 0), ("error", "scratch-file-inline", 0), ("warning", "scratch-file-inline", 1)],
)
def test_exit_codes_follow_fail_on(layouts: Path, fail_on: str, layout: str, code: int) -> None:
    assert run("check", "--fail-on", fail_on, str(layouts / layout)).exit_code == code


def test_notes_fail_only_when_asked(layouts: Path) -> None:
    web = str(layouts / "web-max")
    assert run("check", "--fail-on", "warning", web).exit_code == 0
    assert run("check", "--fail-on", "note", web).exit_code == 1


def test_json_is_the_contract(layouts: Path) -> None:
    result = run("check", "--format", "json", str(layouts / "scratch-file-inline"))
    found = json.loads(result.stdout)
    assert set(found) == {"exports", "findings", "sources_failed"}
    assert found["sources_failed"] == []
    (export,) = found["exports"]
    assert {key: export[key] for key in ("kind", "platform", "records", "layers", "importable", "import_error")} == {
        "kind": "inline",
        "platform": "linux/amd64",
        "records": 6,
        "layers": 4,
        "importable": True,
        "import_error": None,
    }
    lost = next(f for f in found["findings"] if f.get("reason") == "lost")
    assert {k: v for k, v in lost.items() if k not in ("message", "digest", "export")} == {
        "query": "unreachable-roots",
        "code": "CG104",
        "severity": "warning",
        "record": 1,
        "reason": "lost",
        "merge": 2,
        "slot": 1,
        "layers": [2],
    }
    assert all(finding["export"] == export["id"] for finding in found["findings"])


def test_csv_and_markdown_hold_every_finding(layouts: Path) -> None:
    spec = str(layouts / "scratch-file-inline")
    rows = run("check", "--format", "csv", spec).stdout.splitlines()
    assert rows[0] == "query,severity,export,record,digest,message,code,source,known,unread"
    assert len(rows) == 7
    report = run("check", "--format", "markdown", spec).stdout.splitlines()
    assert report[0].startswith("### `type=local,src=")
    assert report[2].startswith("CACHED  3 of 3 steps")
    assert report[4:6] == ["| severity | code | what it costs, what to do |", "| --- | --- | --- |"]
    assert [line.split(" | ")[:2] for line in report[6:]] == [
        ["| warning", "CG104"],
        *(["| note", code] for code in ("CG104", "CG105", "CG105", "CG105", "CG110")),
    ]


def test_sarif_names_rules_and_places(layouts: Path) -> None:
    log = json.loads(run("check", "--format", "sarif", str(layouts / "scratch-file-inline")).stdout)
    (one,) = log["runs"]
    assert log["version"] == "2.1.0"
    rules = one["tool"]["driver"]["rules"]
    assert [(rule["id"], rule["name"]) for rule in rules] == [(CODES[query.name], query.name) for query in asked()]
    lost = one["results"][0]
    assert (lost["ruleId"], lost["level"]) == ("CG104", "warning")
    place = lost["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
    assert place.endswith("linux/amd64#records[1]")


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        ("error", []),
        ("warning", ["unreachable-roots"]),
        ("note", ["unreachable-roots", "merge-subsets", "size-forecast"]),
        ("never", []),
    ],
)
def test_junit_fails_as_the_run_does(layouts: Path, fail_on: str, failing: list[str]) -> None:
    result = run("check", "--format", "junit", "--fail-on", fail_on, str(layouts / "scratch-file-inline"))
    (suite,) = ET.fromstring(result.stdout)
    assert (suite.get("tests"), suite.get("failures")) == (str(len(asked())), str(len(failing)))
    assert [case.get("name") for case in suite if case.find("failure") is not None] == failing
    assert result.exit_code == bool(failing)
    told = [line for case in suite for part in case for line in (part.text or "").splitlines()]
    assert len(told) == 6


def test_html_escapes_what_comes_from_an_export(tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.json"
    path.write_text('{"records": [{"digest": "<script>alert(1)</script>"}]}')
    page = run("check", "--format", "html", str(path)).stdout
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert" in page


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    path.write_text('{"records": [{"digest": "\\u001b[31mred"}]}')
    for command in ("check", "records"):
        assert "\x1b" not in run(command, str(path)).stdout


def test_a_spec_that_fails_is_one_line_and_the_others_are_answered(layouts: Path, broken: str) -> None:
    result = run("check", "nowhere.json", str(layouts / "web-max"), broken)
    assert result.exit_code == 3
    assert result.stderr == "cachegraph: 1 source could not be read: nowhere.json\n"
    assert result.stdout.count("There is no such file.") == 1
    assert "web-max" in result.stdout
    assert result.stdout.startswith("3 caches: 1 COLD, 1 UNREADABLE, 1 CACHED\n")
    other = run("check", "nowhere.json", "--format", "json")
    assert other.stderr == "cachegraph: nowhere.json: there is no such file (check the path)\n"


def test_an_image_without_a_cache_is_no_failure_among_others(layouts: Path) -> None:
    without, with_cache = str(layouts / "web-prov"), str(layouts / "web-oci")
    alone, together = run("check", without), run("check", without, with_cache)
    assert (alone.exit_code, together.exit_code) == (3, 0)
    assert "he image has no inline cache" in alone.stdout
    assert "he image has no inline cache" in together.stdout


@pytest.mark.parametrize("args", [(), ("--format", "yaml", "x"), ("--fail-on", "fatal", "x"), ("--nope", "x")])
def test_wrong_usage_is_2(args: tuple[str, ...]) -> None:
    result = run("check", *args)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr


def test_all_tells_no_finding_that_a_cause_has_told(data: Path) -> None:
    said = run("check", "--all", str(data / "cold/inline.json")).stdout
    assert said.count(" CG111 ") == 1
    assert said.count(" CG103 ") == 5


def test_what_costs_nothing_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    path.write_text(json.dumps({"records": [{"digest": f"d{i}"} for i in range(50)]}))
    folded, whole = run("check", str(path)).stdout, run("check", "--all", str(path)).stdout
    assert "No record uses " not in folded
    assert "Costs nothing: 51 notes (--all shows them)." in folded
    assert whole.count("No record uses ") == 50


def test_an_empty_export_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    path.write_text("{}")
    result = run("check", str(path))
    assert result.exit_code == 1
    assert "COLD" in result.stdout
    assert "error CG114 It is empty: BuildKit imports it, and finds nothing." in result.stdout


def test_no_traceback_ever_reaches_a_user(monkeypatch: pytest.MonkeyPatch, layouts: Path) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("cachegraph.cli.check.read_specs", broken)
    result = run("check", str(layouts / "web-max"))
    assert result.exit_code == 3
    assert "unexpected ZeroDivisionError: oops" in result.stderr
    assert "Traceback" not in result.output


def test_no_color_where_nobody_looks_and_where_it_is_not_wanted(layouts: Path) -> None:
    command = [sys.executable, "-m", "cachegraph", "check", str(layouts / "scratch-file-inline")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "\x1b[" not in done.stdout
    assert done.stderr == ""


def test_a_reader_that_has_seen_enough_is_no_error(layouts: Path) -> None:
    command = f"{sys.executable} -m cachegraph records {layouts}/web-churn --format json | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[\n", "")


def test_names_that_cannot_be_read_are_no_cache(layouts: Path, tmp_path: Path) -> None:
    """They are told of, and the exit code says it; but no verdict is on them."""
    result = CliRunner().invoke(
        app, ["check", str(layouts / "web-max"), "--names", str(tmp_path / "none.json"), "--no-names"]
    )
    assert result.exit_code == 3
    assert "UNREADABLE" not in result.stdout
    assert "2 caches" not in result.stdout
    assert result.stderr.startswith("cachegraph: --names: ")
    assert result.stderr.count("\n") == 1
