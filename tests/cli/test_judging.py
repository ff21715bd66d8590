"""--ignore, --baseline, --config, and the places that findings of `check` point at."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from cachegraph.cli.reports import REPORTS


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


@pytest.fixture
def project(tmp_path: Path, layouts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a cache in it, and a compose file that names the cache."""
    (tmp_path / ".git").mkdir()
    shutil.copytree(layouts / "scratch-file-inline", tmp_path / "cache")
    digest = json.loads((tmp_path / "cache" / "index.json").read_text())["manifests"][0]["digest"]
    (tmp_path / "compose.yaml").write_text(
        "services:\n  web:\n    build:\n      context: .\n      cache_from:\n"
        f"        - type=local,src=cache,digest={digest}\n"
        "        - type=local,src=gone\n        - type=registry,ref=${NOT_SET}\n"
    )
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_WORKFLOW_REF", "GITHUB_REPOSITORY", "NOT_SET"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def results(*args: str) -> list[dict[str, Any]]:
    log = json.loads(run("check", "-f", "sarif", *args).stdout)
    return list(log["runs"][0]["results"])


def uri(result: dict[str, Any]) -> tuple[str, int]:
    place = result["locations"][0]["physicalLocation"]
    return place["artifactLocation"]["uri"], place["region"]["startLine"]


# --- What counts -----------------------------------------------------------------------------------------------------


def test_a_rule_is_left_out(project: Path) -> None:
    assert run("check", "--fail-on", "warning", "cache").exit_code == 1
    result = run("check", "--fail-on", "warning", "--ignore", "unreachable-roots", "-f", "json", "cache")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert "CG104" not in {finding["code"] for finding in found["findings"]}
    assert found["remarks"] == ["2 findings are ignored: 2 CG104 (--ignore)."]
    assert "there is no rule 'CG1' " in run("check", "--ignore", "CG1", "cache").stderr


def test_only_new_findings_fail(project: Path) -> None:
    written = run("check", "--fail-on", "note", "--baseline", "known.json", "--write-baseline", "cache")
    assert "known.json: 6 findings written" in written.stderr
    assert run("check", "--fail-on", "note", "--baseline", "known.json", "cache").exit_code == 0
    document = json.loads(Path("known.json").read_text())
    assert {one["source"] for one in document["findings"]} == {"type=local,src=cache linux/amd64"}
    kept = [one for one in document["findings"] if one["code"] != "CG104"]
    Path("known.json").write_text(json.dumps({"version": 1, "findings": kept}))
    result = run("check", "--fail-on", "warning", "--baseline", "known.json", "-f", "json", "cache")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {finding["code"] for finding in found["findings"]} == {"CG104"}
    assert len(found["known"]) == 4
    for format_ in REPORTS:
        text = run("check", "--baseline", "known.json", "-f", format_, "cache").stdout
        assert ("4 findings are in the baseline known.json" in text) == (format_ != "csv"), format_


def test_a_baseline_holds_for_another_folder_and_a_new_export(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("check", "--baseline", "known.json", "--write-baseline", "cache")
    (project / "inner").mkdir()
    monkeypatch.chdir(project / "inner")
    options = ("check", "--fail-on", "note", "--baseline", "../known.json")
    assert run(*options, "../cache").exit_code == 0
    assert run(*options, str(project / "cache")).exit_code == 0
    index = json.loads((project / "cache" / "index.json").read_text())
    manifest = project / "cache/blobs/sha256" / index["manifests"][0]["digest"].removeprefix("sha256:")
    assert manifest.is_file(), "the digest of the manifest stands in the export's name, and not in the baseline"
    assert index["manifests"][0]["digest"] not in (project / "known.json").read_text()


def test_a_baseline_is_not_written_when_something_was_not_read(project: Path) -> None:
    result = run("check", "--baseline", "known.json", "--write-baseline", "cache", "gone")
    assert result.exit_code == 3
    assert "not written, as a source could not be read" in result.stderr
    assert not Path("known.json").exists()
    assert run("check", "--write-baseline", "cache").exit_code == 2
    assert run("check", "--baseline", "known.json", "cache").exit_code == 3


def test_severities_of_the_project(project: Path) -> None:
    rule = '[[tool.cachegraph.rules]]\ncode = "CG104"\nseverity = "{}"\nwhere = "*src=cache*"\nreason = "why"\n'
    Path("pyproject.toml").write_text(rule.format("error"))
    assert run("check", "cache").exit_code == 1
    Path("pyproject.toml").write_text(rule.format("ignore") + "expires = 2001-01-01\n")
    result = run("check", "--fail-on", "warning", "cache")
    assert result.exit_code == 1
    report = run("check", "-f", "markdown", "cache").stdout
    assert "The rule for CG104 expired on 2001-01-01" in report
    assert "2 findings count again." in report
    Path("pyproject.toml").write_text(rule.format("bad"))
    refused = run("check", "cache")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith(
        "cachegraph: pyproject.toml: tool.cachegraph: rules[0]: there is no severity 'bad'"
    )
    Path("other.toml").write_text("")
    assert run("check", "--config", "other.toml", "cache").exit_code == 0


# --- Places ----------------------------------------------------------------------------------------------------------


def test_findings_point_at_the_line_that_names_the_cache(project: Path) -> None:
    found = results("--from-file", "compose.yaml")
    assert {uri(result) for result in found} == {("compose.yaml", 6)}
    digest = json.loads(Path("cache/index.json").read_text())["manifests"][0]["digest"]
    spelt = f"type=local,digest={digest},src=./cache"
    assert {uri(result) for result in results("--from-file", "compose.yaml", spelt)} == {("compose.yaml", 6)}
    (annotation, *_) = (
        line
        for line in run("check", "-f", "github", "--from-file", "compose.yaml").stdout.splitlines()
        if "CG104" in line
    )
    assert annotation.startswith("::warning file=compose.yaml,line=6,title=CG104 unreachable-roots::")


def test_without_such_a_line_they_point_at_the_cache_or_where_one_says(project: Path) -> None:
    assert {uri(result) for result in results("cache")} == {("cache/index.json", 1)}
    assert {uri(result) for result in results("--at", "compose.yaml:3", "cache")} == {("compose.yaml", 3)}
    assert run("check", "--at", "nowhere:3", "cache").exit_code == 2


def test_the_workflow_that_runs_is_the_last_resort(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = project / ".github" / "workflows" / "build.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("on: push\n")
    monkeypatch.setenv("GITHUB_REPOSITORY", "me/app")
    monkeypatch.setenv("GITHUB_WORKFLOW_REF", "me/app/.github/workflows/build.yml@refs/heads/main")
    config = json.dumps({"records": [{"digest": "a"}]})
    done = CliRunner().invoke(app, ["check", "-f", "sarif", "type=config,src=-"], input=config)
    found = json.loads(done.stdout)["runs"][0]["results"]
    assert {uri(result)[0] for result in found} == {".github/workflows/build.yml"}


def test_a_new_export_of_the_same_build_has_the_same_fingerprints(project: Path) -> None:
    def prints(*records: dict[str, Any]) -> set[str]:
        Path("config.json").write_text(json.dumps({"records": records}))
        return {result["partialFingerprints"]["primaryLocationLineHash"] for result in results("config.json")}

    root, orphan = {"digest": "root"}, {"digest": "orphan"}
    step = {"digest": "step", "inputs": [[{"link": 0}]]}
    before = prints(root, step, orphan)
    assert prints(orphan, root, {"digest": "step", "inputs": [[{"link": 1}]]}) == before
    other = prints(root, step, orphan, {"digest": "more", "inputs": [[{"link": 1}]]})
    assert before < other


def test_what_a_file_names_and_nobody_could_read_has_its_line(project: Path) -> None:
    result = run("check", "-f", "json", "--from-file", "compose.yaml")
    assert result.exit_code == 3
    gone, unset = json.loads(result.stdout)["sources_failed"]
    assert (gone["source"], gone["place"]) == ("type=local,src=gone", {"file": "compose.yaml", "line": 7})
    assert (unset["error"], unset["place"]) == ("Unresolved", {"file": "compose.yaml", "line": 8})
    rows = list(csv.DictReader(run("check", "-f", "csv", "--from-file", "compose.yaml").stdout.splitlines()))
    assert [row["severity"] for row in rows if row["unread"]] == ["error", "note"]
