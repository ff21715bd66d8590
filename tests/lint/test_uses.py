"""The pre-commit hook and the GitHub Action, as far as they run without their services."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
BAKE = 'target "a" {\n  cache-to = ["type=gha, mode=max"]\n}\n'


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "bin" / "cachegraph"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cachegraph "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    (root / "docker-bake.hcl").write_text(BAKE)
    return root


def run_action(program: Path, repository: Path, tmp_path: Path, **inputs: str) -> tuple[int, str, str, str]:
    """Run the step that lints as a runner does; give its code, output, outputs and summary."""
    (step,) = (step for step in ACTION["runs"]["steps"] if step["id"] == "lint")
    known = {name: str(declared.get("default", "")) for name, declared in ACTION["inputs"].items()} | inputs
    values = {
        "steps.install.outputs.program": str(program),
        "runner.temp": str(tmp_path),
        **{f"inputs.{name}": value for name, value in known.items()},
    }

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: values[found[1]], text)

    env = {name: filled(value) for name, value in step["env"].items()}
    files = {"GITHUB_OUTPUT": tmp_path / "outputs", "GITHUB_STEP_SUMMARY": tmp_path / "summary"}
    for path in files.values():
        path.write_text("")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=repository / filled(step["working-directory"]),
        env={**os.environ, "PYTHONPATH": str(ROOT), **env, **{name: str(path) for name, path in files.items()}},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, files["GITHUB_OUTPUT"].read_text(), files["GITHUB_STEP_SUMMARY"].read_text()


def test_the_action_annotates_counts_and_fails(program: Path, repository: Path, tmp_path: Path) -> None:
    code, output, outputs, summary = run_action(program, repository, tmp_path, sarif="lint.sarif")
    assert code == 1
    assert output.startswith("::error file=docker-bake.hcl,line=2,title=CG302 blank-in-entry::")
    assert outputs == "findings=1\n"
    assert "CG302" in summary
    assert '"version": "2.1.0"' in (repository / "lint.sarif").read_text()


def test_the_action_takes_inputs_as_they_are(program: Path, repository: Path, tmp_path: Path) -> None:
    assert run_action(program, repository, tmp_path, **{"fail-on": "never"})[0] == 0
    assert run_action(program, repository, tmp_path, ignore="CG302\nCG999\n")[0] != 0
    assert run_action(program, repository, tmp_path, ignore="CG302\n")[0::2] == (0, "findings=0\n")
    (repository / "a b").mkdir()
    assert run_action(program, repository, tmp_path, paths="a b\n")[0] == 0
    code, _, _, _ = run_action(program, repository, tmp_path, paths="$(touch made)\n--version")
    assert code == 3
    assert not (repository / "made").exists()


def test_no_script_of_the_action_holds_an_expression() -> None:
    assert all("${{" not in step.get("run", "") for step in ACTION["runs"]["steps"])
    assert {step.get("shell", "bash") for step in ACTION["runs"]["steps"]} == {"bash"}


def test_the_hook_runs(program: Path, repository: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(shlex.split(HOOK["entry"]), cwd=repository, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "CG302" in done.stdout
    assert HOOK["pass_filenames"] is False


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".github/actions/setup/action.yaml",
        "action.yml",
        ".gitlab-ci.yml",
        "deploy/compose.prod.yaml",
        "docker-compose.yml",
        ".env",
        "docker-bake.override.json",
        "Dockerfile",
        "web/Dockerfile.dev",
        "api.dockerfile",
        "Containerfile",
        "web/.dockerignore",
        "Makefile",
        "scripts/build.sh",
        "Jenkinsfile",
        ".devcontainer/devcontainer.json",
        "skaffold.yaml",
    ],
)
def test_the_hook_looks_at_what_lint_reads(path: str) -> None:
    assert re.search(HOOK["files"], path)


@pytest.mark.parametrize("path", ["README.md", "src/app.py", "package.json", "k8s/deployment.yaml"])
def test_the_hook_leaves_other_files_alone(path: str) -> None:
    assert not re.search(HOOK["files"], path)


def test_the_hook_installs_what_reads_the_files() -> None:
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(HOOK["additional_dependencies"]) == set(extras["files"])
