"""``check --from-file``: what is wrong with the files, beside what is wrong with the caches that they name."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import app

JOB = """on: push
permissions: {{contents: read, packages: write}}
jobs:
  {job}:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          context: {job}
          cache-from: |
            type=registry,ref=127.0.0.1:1/app:cache
            type=local,src=cache
          cache-to: type=registry,ref={ref},mode=max
"""
SHARED = (
    "127.0.0.1:1/app:cache is written by 2 builds: job app (.github/workflows/app.yml:14); "
    "job docs (.github/workflows/docs.yml:14). A build that reads it gets what the last of them wrote."
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", "--no-probe", "--timeout", "2", *arguments])


@pytest.fixture
def file(tmp_path: Path, layouts: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A workflow; another one, which is not named, writes the same place."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "cache").symlink_to(layouts / "web-max")
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    for job in ("app", "docs"):
        (workflows / f"{job}.yml").write_text(JOB.format(job=job, ref="127.0.0.1:1/app:cache"))
    return ".github/workflows/app.yml"


def of_settings(result: Result) -> list[dict[str, Any]]:
    return list(json.loads(result.stdout)["settings"]["findings"])


def test_what_is_wrong_with_the_file_stands_beside_the_caches(file: str) -> None:
    result = run("--from-file", file)
    assert result.exit_code == 3  # of the registry that does not answer
    lines = result.stdout.splitlines()
    (at,) = (index for index, line in enumerate(lines) if line == "Settings")
    assert lines[at + 1].startswith(
        f"  warning CG315 {file}:14: 2 builds (job app, job docs) write 127.0.0.1:1/app:cache"
    )
    assert SHARED in lines
    answer = json.loads(run("--format", "json", "--from-file", file).stdout)
    assert [one["code"] for one in answer["settings"]["findings"]] == ["CG315"]
    assert answer["settings"]["shared"] == [SHARED]
    assert {one["code"] for one in answer["findings"]} & {"CG315"} == set()


def test_without_a_file_nothing_is_said_of_settings(file: str) -> None:
    assert "settings" not in json.loads(run("--format", "json", "cache").stdout)


def test_every_format_has_them(file: str) -> None:
    rows = list(csv.DictReader(run("--format", "csv", "--from-file", file).stdout.splitlines()))
    assert [(row["query"], row["source"]) for row in rows if row["code"] == "CG315"] == [
        ("several-writers", f"{file}:14")
    ]
    sarif = json.loads(run("--format", "sarif", "--from-file", file).stdout)["runs"][0]
    (found,) = (one for one in sarif["results"] if one["ruleId"] == "CG315")
    assert found["locations"][0]["physicalLocation"]["region"]["startLine"] == 14
    assert ("CG315", "several-writers") in {(rule["id"], rule["name"]) for rule in sarif["tool"]["driver"]["rules"]}
    for format_ in ("github", "junit", "markdown", "html"):
        assert "CG315" in run("--format", format_, "--from-file", file).stdout, format_


MODE = 'target "default" { cache-from = ["type=local,src=cache,mode=max"] }'
"""A note: mode means nothing on cache-from."""


def test_they_fail_the_run_and_can_be_left_out(file: str) -> None:
    Path("only.hcl").write_text(MODE)
    quiet = ["--ignore", "CG102", "--ignore", "CG105", "--ignore", "CG110", "--from-file", "only.hcl"]
    assert run(*quiet, "--fail-on", "warning").exit_code == 0
    result = run("--format", "json", *quiet, "--fail-on", "note")
    assert json.loads(result.stdout)["findings"] == []
    assert [(one["code"], one["line"]) for one in of_settings(result)] == [("CG309", 1)]
    assert result.exit_code == 1
    assert "1 note on the settings not shown: --all shows them." in run(*quiet).stdout.splitlines()
    assert "  note CG309 only.hcl:1: mode shapes an export" in run(*quiet, "--all").stdout
    result = run("--format", "json", *quiet, "--ignore", "CG309", "--fail-on", "note")
    assert result.exit_code == 0
    assert of_settings(result) == []
    assert any("1 CG309 (--ignore)" in remark for remark in json.loads(result.stdout)["remarks"])


def test_a_baseline_holds_them(file: str) -> None:
    Path("only.hcl").write_text(MODE)
    assert run("--from-file", "only.hcl", "--write-baseline", "--baseline", "known.json").exit_code == 0
    result = run("--format", "json", "--from-file", "only.hcl", "--baseline", "known.json", "--fail-on", "note")
    assert result.exit_code == 0, result.output
    assert [(one["code"], one["known"]) for one in of_settings(result)] == [("CG309", True)]
    assert not any("no longer found" in remark for remark in json.loads(result.stdout)["remarks"])
    Path("only.hcl").write_text(MODE.replace(",mode=max", ""))
    said = json.loads(run("--format", "json", "--from-file", "only.hcl", "--baseline", "known.json").stdout)["remarks"]
    assert any("no longer found" in remark for remark in said)


def test_a_place_of_its_own_is_not_shared(file: str) -> None:
    Path(".github/workflows/docs.yml").write_text(JOB.format(job="docs", ref="127.0.0.1:1/docs:cache"))
    answer = json.loads(run("--format", "json", "--from-file", file).stdout)
    assert answer["settings"]["shared"] == []
    Path(".github/workflows/docs.yml").write_text(JOB.format(job="docs", ref="127.0.0.1:1/app:${{ matrix.x }}"))
    answer = json.loads(run("--format", "json", "--from-file", file).stdout)
    assert answer["settings"]["shared"] == []  # it may be another
