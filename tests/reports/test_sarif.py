"""SARIF: its schema, and what GitHub documents for uploads."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner

from cachegraph.cli.app import app
from cachegraph.reports.model import Place
from cachegraph.reports.sarif import sarif
from cachegraph.text.rules import CODES
from tests.reports.made import GONE, entry, report

SCHEMA = Path(__file__).parent.parent / "data" / "sarif-2.1.0.json.xz"
"""OASIS' schema of SARIF 2.1.0 without its descriptions."""


def checked(text: str) -> dict[str, Any]:
    """Read SARIF as GitHub does: against the schema, then against the rules of its documentation. Give the run."""
    log = json.loads(text)
    with lzma.open(SCHEMA, "rt", encoding="utf-8") as file:
        jsonschema.Draft4Validator(json.load(file)).validate(log)
    assert (log["version"], "$schema" in log) == ("2.1.0", True)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    ids = [rule["id"] for rule in rules]
    assert len(set(ids)) == len(ids)
    for rule in rules:
        for required in ("shortDescription", "fullDescription"):
            assert 0 < len(rule[required]["text"]) <= 1024
        assert rule["help"]["text"]
        assert CODES[rule["name"]] == rule["id"]
        assert rule["defaultConfiguration"]["level"] in ("note", "warning", "error")
        assert len(rule["properties"]["tags"]) <= 10
        assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
    assert len(run["results"]) <= 25_000
    seen = set()
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        assert 0 < len(result["locations"]) <= 10
        place = result["locations"][0]["physicalLocation"]
        assert place["region"].keys() == {"startLine", "startColumn", "endLine", "endColumn"}
        uri = place["artifactLocation"]["uri"]
        # A relative address is one from the root of the repository; another scheme than file: has the upload refused.
        assert uri
        assert uri.startswith("file:///") or (not uri.startswith(("/", "..", "./")) and ":" not in uri.split("/")[0])
        key = (result["ruleId"], uri, result["partialFingerprints"]["primaryLocationLineHash"])
        assert key not in seen, "GitHub would take two findings for one"
        seen.add(key)
    return dict(run)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, with a folder in it as the current one."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "my compose.yaml").write_text("services:\n  web:\n    build: .\n")
    monkeypatch.chdir(tmp_path / "deploy")
    for name in ("GITHUB_WORKFLOW_REF", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("layout", ["scratch-file-inline", "web-max", "web-churn"])
def test_what_github_asks_of_an_upload(layouts: Path, layout: str) -> None:
    run = checked(CliRunner().invoke(app, ["check", "-f", "sarif", str(layouts / layout), "gone.json"]).stdout)
    assert run["automationDetails"]["id"] == "cachegraph-check/"
    assert run["invocations"][0]["executionSuccessful"] is False


def test_a_line_as_github_reads_it(repository: Path) -> None:
    found = entry(places=(Place(file="my compose.yaml", line=2),))
    (result,) = checked(sarif(report(found)))["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "deploy/my%20compose.yaml"},
        "region": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 7},
    }


def test_places_outside_the_repository_and_names_that_are_no_file(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "cache"
    entries = [entry(1, places=(Place(file=str(outside)),)), entry(2)]
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in checked(sarif(report(*entries)))["results"]
    ]
    assert uris == [outside.as_uri(), "app-cache-records-2"]


def test_findings_that_look_alike_stay_apart() -> None:
    results = checked(sarif(report(entry(1), entry(1), entry(2))))["results"]
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]
    assert [one.rpartition(":")[2] for one in prints] == ["1", "2", "1"]
    assert prints[0].partition(":")[0] == prints[1].partition(":")[0] != prints[2].partition(":")[0]


def test_a_fingerprint_depends_on_no_level_and_no_words() -> None:
    (before,) = checked(sarif(report(entry(1))))["results"]
    (after,) = checked(sarif(report(entry(1, severity="error", message="other words", where="app:cache#records[9]"))))[
        "results"
    ]
    assert before["partialFingerprints"] == after["partialFingerprints"]
    assert before["level"] != after["level"]


def test_more_than_github_takes_keeps_the_worst() -> None:
    entries = [entry(number, severity="note") for number in range(25_000)] + [entry(25_000, severity="error")]
    (run,) = json.loads(sarif(report(*entries)))["runs"]  # a validator of the schema takes seconds for so many
    assert len(run["results"]) == 25_000
    assert run["results"][0]["level"] == "error"
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"].startswith("1 finding left out")


def test_what_could_not_be_read_is_a_notification_with_its_place(repository: Path) -> None:
    run = checked(sarif(report(unread=[GONE])))
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["level"] == "error"
    assert told["message"]["text"] == (
        "compose.yaml:7: gone:cache: there is no such tag. BuildKit goes on without it. To do: check the tag"
    )
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "deploy/compose.yaml"


def test_a_baseline_shows_as_a_state() -> None:
    results = checked(sarif(report(entry(1, known=True), entry(2))))["results"]
    assert [result["baselineState"] for result in results] == ["unchanged", "new"]
    assert "baselineState" not in checked(sarif(report(entry(1))))["results"][0]


def test_words_are_no_links() -> None:
    (result,) = checked(sarif(report(entry(message="see [this](1) and [that]"))))["results"]
    assert result["message"]["text"] == "see \\[this](1) and [that]"
