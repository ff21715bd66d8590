"""The recipes for developers are true: each is followed in a copy of the repository, and its commands succeed there.

A fenced block with ``file=PATH`` is a new file. With ``after="LINE"`` it is inserted below the line that begins so, in
a file that is there. Lines of ``console`` blocks that begin with ``$`` are run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RECIPES = sorted(path.stem for path in (ROOT / "docs" / "developers").glob("*.md"))
BLOCK = re.compile(r'^```\w+ file=(\S+)(?: after="([^\n]*)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Copy what git knows; the exports of the test data are linked."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists() and not name.startswith("tests/data/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name, follow_symlinks=False)
    (tmp_path / "tests" / "data").symlink_to(ROOT / "tests" / "data")
    return tmp_path


def follow(recipe: str, clone: Path) -> None:
    """Do what the blocks say, in their order."""
    for name, after, text in BLOCK.findall(recipe):
        path = clone / name
        if not after:
            assert not path.exists()
            path.write_text(text)
            continue
        lines = path.read_text("utf-8").splitlines(keepends=True)
        (place,) = [number for number, line in enumerate(lines, 1) if line.startswith(after)]
        path.write_text("".join([*lines[:place], text, *lines[place:]]), "utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_works(name: str, clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    recipe = (ROOT / "docs" / "developers" / f"{name}.md").read_text("utf-8")
    follow(recipe, clone)
    programs = tmp_path_factory.mktemp("bin")
    for program, module in (("python", ""), ("cachegraph", "-m cachegraph")):
        (programs / program).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        (programs / program).chmod(0o700)
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    commands = [line[2:] for block in CONSOLE.findall(recipe) for line in block.splitlines() if line.startswith("$ ")]
    assert commands
    for command in commands:
        done = subprocess.run(
            command, shell=True, cwd=clone, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
