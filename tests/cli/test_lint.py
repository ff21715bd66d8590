"""``cachegraph lint``: what it prints, what it changes, and how it ends."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import app

WORKFLOW = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          cache-from: type=gha,scope=a
          cache-to: type=GHA, scope=a,mode=Max
"""
BAKE = 'target "a" {\n  cache-to = ["type=inline,mode=max"]\n}\n'


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, ["lint", *arguments], input=text)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    (root / ".github/workflows").mkdir(parents=True)
    (root / ".github/workflows/a.yml").write_text(WORKFLOW)
    (root / "docker-bake.hcl").write_text(BAKE)
    monkeypatch.chdir(root)
    return root


def test_the_repository_a_file_a_heading(repository: Path) -> None:
    result = run()
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == ".github/workflows/a.yml"
    assert lines[1].startswith("  10 error CG302 There is a blank in ' scope'.")
    assert [line for line in lines if line.endswith("hcl")] == ["docker-bake.hcl"]
    assert "2 files, 3 cache entries: 2 errors, 1 warning." in lines
    assert "--fix cures 3 of them; --diff shows how." in lines
    assert repository.name not in result.stdout


def test_a_folder_below_shows_paths_from_there(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / ".github")
    assert run().stdout.splitlines()[0] == "workflows/a.yml"


def test_a_path_limits_what_is_told_and_not_what_is_read(repository: Path) -> None:
    (repository / ".github/workflows/b.yml").write_text(
        WORKFLOW.replace("type=GHA, scope=a,mode=Max", "type=gha,scope=b,mode=max").replace("scope=a", "scope=b")
    )
    (repository / ".github/workflows/a.yml").write_text(
        "on: push\njobs:\n  r:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: docker/build-push-action@v6\n"
        "        with: {cache-from: 'type=gha,scope=b'}\n"
    )
    assert run(".github/workflows/a.yml").exit_code == 0
    assert "1 warning." in run("docker-bake.hcl").stdout
    (repository / ".github/workflows/b.yml").unlink()
    assert "CG316" in run(".github/workflows/a.yml").stdout


def test_exit_codes(repository: Path) -> None:
    assert run("--fail-on", "never").exit_code == 0
    (repository / ".github/workflows/a.yml").unlink()
    assert run().exit_code == 0
    assert run("--fail-on", "warning").exit_code == 1
    (repository / "docker-bake.hcl").write_text("target {")
    found = run()
    assert found.exit_code == 0
    assert "docker-bake.hcl: " in found.stdout
    assert run("docker-bake.hcl").exit_code == 3
    missing = run("nothing.yml")
    assert missing.exit_code == 3
    assert "there is no such file or folder" in missing.stderr
    assert run("-", "docker-bake.hcl", text="").exit_code == 2
    assert run("--fix", "--diff").exit_code == 2


def test_nothing_to_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    result = run()
    assert result.exit_code == 0
    assert result.stdout.startswith("Nothing here says how images are built")


def test_a_file_outside_a_repository_is_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "docker-bake.hcl"
    path.write_text('target "a" {\n  cache-from = ["type=gha,scope=a"]\n}\n')
    (tmp_path / "other").mkdir()
    (tmp_path / "other/docker-bake.hcl").write_text(BAKE)
    result = run(str(path))
    assert result.exit_code == 0
    assert "1 file, 1 cache entry: no findings." in result.stdout


def test_standard_input() -> None:
    bake = json.dumps({"target": {"a": {"cache-to": ["type=gha, mode=max"]}}})
    assert "CG302" in run("-", text=bake).stdout
    compose = "services:\n  a:\n    build:\n      context: .\n      cache_from: ['type=GHA']\n"
    assert "CG303" in run("-", text=compose).stdout
    assert run("-", "--fix", text=bake).exit_code == 2


def test_standard_input_with_nothing_on_it() -> None:
    result = run("-", text="\n")
    assert result.exit_code == 2
    assert "there is nothing on standard input" in result.stderr


def test_without_the_reader_of_yaml_it_says_what_to_install(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    result = run()
    assert result.exit_code == 2
    assert "cachegraph[files]" in result.stderr


def test_fix_changes_lines_and_nothing_else(repository: Path) -> None:
    result = run("--fix", "--fail-on", "note")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "2 files, 3 cache entries: no findings."
    assert ".github/workflows/a.yml: 1 line changed" in result.stderr
    expected = WORKFLOW.replace("type=GHA, scope=a,mode=Max", "type=gha,scope=a,mode=max")
    assert (repository / ".github/workflows/a.yml").read_text() == expected
    assert (repository / "docker-bake.hcl").read_text() == BAKE.replace(",mode=max", "")
    assert "nothing to change" in run("--fix").stderr


def test_fix_keeps_line_ends_and_bytes(repository: Path) -> None:
    path = repository / ".github/workflows/a.yml"
    text = f"# caf\xe9 \r\n{WORKFLOW}".replace("\n", "\r\n").replace("\r\r", "\r").replace("GHA", "gha")
    path.write_bytes(text.encode())
    run("--fix")
    assert path.read_bytes() == text.encode().replace(b"gha, scope", b"gha,scope").replace(b"=Max", b"=max")


def test_diff_is_a_patch_and_changes_nothing(repository: Path) -> None:
    result = run("--diff", "docker-bake.hcl")
    assert result.exit_code == 0
    assert result.stdout == (
        '--- a/docker-bake.hcl\n+++ b/docker-bake.hcl\n@@ -1,3 +1,3 @@\n target "a" {\n'
        '-  cache-to = ["type=inline,mode=max"]\n+  cache-to = ["type=inline"]\n }\n'
    )
    assert (repository / "docker-bake.hcl").read_text() == BAKE


def test_a_line_with_a_credential_is_neither_changed_nor_shown(repository: Path) -> None:
    text = 'target "a" {\n  cache-to = ["type=s3,bucket=b,region=r,name=n, mode=max,secret_access_key=s3cr3t"]\n}\n'
    (repository / "docker-bake.hcl").write_text(text)
    outputs = [run("docker-bake.hcl", "--format", kind).output for kind in ("table", "json", "sarif", "github", "csv")]
    outputs += [run("docker-bake.hcl", "--diff").output, run("docker-bake.hcl", "--fix").output]
    assert all("s3cr3t" not in output for output in outputs)
    assert "CG312" in outputs[0]
    assert (repository / "docker-bake.hcl").read_text() == text


def test_json(repository: Path) -> None:
    told = json.loads(run("--format", "json", "docker-bake.hcl").stdout)
    assert told["entries"] == 3
    (finding,) = told["findings"]
    assert (finding["rule"], finding["code"], finding["file"], finding["line"]) == (
        "inline-mode",
        "CG310",
        "docker-bake.hcl",
        2,
    )
    assert (finding["severity"], finding["fixable"], finding["known"]) == ("warning", True, False)
    assert told["failures"] == told["unresolved"] == []


def test_sarif_points_to_the_line_and_names_the_page(repository: Path) -> None:
    told = json.loads(run("--format", "sarif").stdout)["runs"][0]
    first = told["results"][0]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == ".github/workflows/a.yml"
    assert place["region"]["startLine"] == 10
    rule = told["tool"]["driver"]["rules"][first["ruleIndex"]]
    assert rule["id"] == first["ruleId"] == "CG302"
    assert rule["name"] == first["properties"]["rule"] == "blank-in-entry"
    assert rule["helpUri"].startswith("https://docs.docker.com/")
    assert told["automationDetails"]["id"] == "cachegraph-lint/"


def test_github_junit_csv_and_markdown(repository: Path) -> None:
    assert run("--format", "github").stdout.startswith(
        "::error file=.github/workflows/a.yml,line=10,title=CG302 blank-in-entry::"
    )
    suites = ET.fromstring(run("--format", "junit").stdout)
    assert {suite.get("name"): suite.get("failures") for suite in suites} == {
        ".github/workflows/a.yml": "2",
        "docker-bake.hcl": "0",
    }
    assert run("--format", "csv").stdout.splitlines()[1].startswith("error,CG302,blank-in-entry,.github/workflows/")
    assert "CG310" in run("--format", "markdown").stdout


def test_a_page_of_the_findings_runs_nothing_that_a_file_says(repository: Path) -> None:
    (repository / "docker-bake.hcl").write_text('target "a" {\n  cache-to = ["type=<img src=x>"]\n}\n')
    page = run("--format", "html").stdout
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(<td.*?)</tr>", page)]
    assert [row[:4] for row in cells] == [
        ["10", "error", "CG302", "blank-in-entry"],
        ["10", "error", "CG303", "unknown-type"],
        ["2", "error", "CG303", "unknown-type"],
    ]
    assert re.findall(r"<h2>(.*?)</h2>", page) == [".github/workflows/a.yml", "docker-bake.hcl"]
    assert "<p>2 files, 3 cache entries: 3 errors.</p>" in page
    assert "&lt;img src=x&gt;" in page
    assert "<img" not in page


def test_ignore_baseline_and_settings(repository: Path) -> None:
    assert run("--ignore", "CG302", "--ignore", "unknown-type").exit_code == 0
    (repository / "cachegraph.toml").write_text('[[rules]]\ncode = "CG310"\nseverity = "error"\n')
    assert run("docker-bake.hcl").exit_code == 1
    (repository / "cachegraph.toml").unlink()
    written = run("--baseline", "known.json", "--write-baseline")
    assert "3 findings written" in written.stderr
    assert run("--baseline", "known.json", "--fail-on", "note").exit_code == 0
    text = (repository / "docker-bake.hcl").read_text()
    (repository / "docker-bake.hcl").write_text(f"# moved down\n\n{text}")
    assert run("--baseline", "known.json", "--fail-on", "note").exit_code == 0
    (repository / "docker-bake.hcl").write_text(text.replace('"a"', '"b"').replace("inline,", "inline, "))
    assert run("--baseline", "known.json").exit_code == 1


def test_notes_are_folded_beside_worse(repository: Path) -> None:
    (repository / "Dockerfile").write_text("FROM alpine\nADD https://example.com/a /\n")
    assert "1 note not shown: --all shows them." in run().stdout
    assert "CG344" in run("--all").stdout
    assert "CG344" in run("Dockerfile").stdout
    assert run("--all", "--format", "json").exit_code == 2
