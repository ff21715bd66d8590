"""What ``cachegraph`` alone says, and a command without a SPEC: which caches the files here name, and what to run."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from tests.cli.test_summary import on_a_terminal

WORKFLOW = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          cache-from: type=local,src=CACHE
          cache-to: type=local,dest=CACHE,mode=max
      - uses: docker/build-push-action@v6
        with:
          cache-from: type=gha,scope=${{ github.ref_name }}
          cache-to: type=gha,scope=${{ github.ref_name }},mode=max
"""
NAMED = """\
The files here name 2 caches:
  type=local,src=CACHE (.github/workflows/a.yml:9)
  type=gha,scope=* (.github/workflows/a.yml:13; only a run knows its name)

What they hold, and what is wrong with it:
  cachegraph check --from-file .github/workflows/a.yml
What is wrong with how caches are written and read (2 warnings):
  cachegraph lint
Which steps of ./Dockerfile will be cached:
  cachegraph predict --cache-from type=local,src=CACHE .
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def repository(tmp_path: Path, layouts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".github/workflows").mkdir(parents=True)
    cache = str(layouts / "web-max")
    (tmp_path / ".github/workflows/a.yml").write_text(WORKFLOW.replace("CACHE", cache))
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY a /\n")
    (tmp_path / "a").write_text("a")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_name_alone_says_what_to_look_at(repository: Path, layouts: Path) -> None:
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    named = NAMED.replace("CACHE", str(layouts / "web-max"))
    assert result.stdout == f"{named}\ncachegraph --help lists all commands.\n"


def test_what_it_says_to_run_runs(repository: Path) -> None:
    commands = [line.strip() for line in run().stdout.splitlines() if line.startswith("  cachegraph ")]
    assert [run(*shlex.split(command)[1:]).exit_code for command in commands] == [0, 0, 0]


def test_a_command_without_a_spec_is_wrong_and_says_it_too(repository: Path, layouts: Path) -> None:
    result = run("check")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: Missing argument 'SPEC...'.\n\n" in result.stderr
    assert result.stderr.endswith(NAMED.replace("CACHE", str(layouts / "web-max")))
    other = run("records").stderr
    assert "Their records:\n  cachegraph records --from-file .github/workflows/a.yml\n" in other
    assert "  cachegraph check --from-file" in run("blast-radius").stderr


def test_from_a_folder_below_the_paths_are_those_from_there(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "below").mkdir()
    monkeypatch.chdir(repository / "below")
    said = run().stdout
    assert "  cachegraph check --from-file ../.github/workflows/a.yml\n" in said
    assert "predict" not in said, "there is no Dockerfile here"


def test_files_that_name_no_cache(repository: Path) -> None:
    (repository / ".github/workflows/a.yml").unlink()
    assert run().stdout == (
        "No file here names a cache, so a build on another machine runs every step.\n\n"
        "What is wrong with how caches are written and read:\n  cachegraph lint\n"
        "Which steps of ./Dockerfile will be cached:\n  cachegraph predict --cache-from SPEC .\n\n"
        "cachegraph --help lists all commands.\n"
    )


def test_files_outside_a_repository_are_looked_at_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docker-bake.hcl").write_text('target "a" { cache-from = ["registry.example.com/app:cache"] }')
    (tmp_path / "below").mkdir()
    (tmp_path / "below/docker-bake.hcl").write_text('target "b" { cache-from = ["registry.example.com/other"] }')
    said = run().stdout
    assert "The files here name 1 cache:\n  registry.example.com/app:cache (docker-bake.hcl:1)" in said


def test_where_nothing_is_the_commands_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run()
    assert result.exit_code == 0
    assert result.stdout == run("--help").stdout
    assert run("check").stderr.endswith("Error: Missing argument 'SPEC...'.\n")


def test_a_credential_in_a_file_is_not_shown(repository: Path) -> None:
    (repository / "docker-bake.hcl").write_text(
        'target "a" { cache-from = ["type=s3,bucket=b,region=r,name=n,secret_access_key=s3cr3t-s3cr3t"] }'
    )
    said = run().stdout
    assert "type=s3,bucket=b,region=r,name=n" in said
    assert "s3cr3t" not in said


def test_it_fits_a_terminal(repository: Path, layouts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    shown = on_a_terminal(80)
    assert [line for line in shown.splitlines() if len(line) > 80 and str(layouts) not in line] == []
    assert "only a run knows" in shown


def test_workflows_of_a_folder_that_is_no_repository_are_read_too(repository: Path, layouts: Path) -> None:
    (repository / ".git").rmdir()
    assert run().stdout.startswith(NAMED.replace("CACHE", str(layouts / "web-max")))


def test_without_the_reader_of_yaml_it_says_what_to_install(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    result = run()
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert result.stderr == (
        "cachegraph: there are files here that may name caches; reading them needs more packages "
        "(pip install 'cachegraph[files]')\n"
    )
    without_spec = run("check")
    assert (without_spec.exit_code, without_spec.stdout) == (2, "")
    assert without_spec.stderr.endswith("Error: Missing argument 'SPEC...'.\n")
