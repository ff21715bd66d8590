"""Setting up fails in one line that says what to do, and leaves nothing broken behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.programs import DEBIAN, advice
from tests.servers.sharing import unit

ROOT = Path(__file__).parent.parent


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make` reads before there is a virtual environment."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    shutil.copy(ROOT / "Makefile", folder)
    return folder


def python(folder: Path, script: str) -> str:
    """Make a stand-in for an interpreter that this machine lacks."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


def refused(clone: Path, target: str, interpreter: str) -> str:
    """Say make to it; give the first line of what it complains about."""
    done = subprocess.run(
        ["make", target, f"PYTHON={interpreter}"], cwd=clone, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    return done.stderr.splitlines()[0]


@pytest.mark.parametrize("target", ["demo", "quick", "test"])
def test_an_old_python_is_refused_first(clone: Path, target: str) -> None:
    old = python(clone, "exit 1")
    assert refused(clone, target, old) == (
        f"{old} is missing or older than Python 3.11 (name a newer one as in: make demo PYTHON=python3.12)"
    )
    assert not (clone / ".venv").exists()


def test_no_python_at_all_is_told_alike(clone: Path) -> None:
    assert refused(clone, "demo", "no-such-python").startswith("no-such-python is missing or older than Python 3.11 (")


def test_a_python_without_venv_leaves_no_half_of_one(clone: Path) -> None:
    half = 'if [ "$2" = venv ]; then mkdir -p .venv/bin; touch .venv/pyvenv.cfg .venv/bin/python; exit 1; fi'
    without = python(clone, half)
    assert refused(clone, "demo", without) == (
        f"{without} cannot make virtual environments (on Debian and Ubuntu: apt-get install python3-venv)"
    )
    assert not (clone / ".venv").exists()


def test_a_folder_that_is_no_virtual_environment_stays_as_it_is(clone: Path) -> None:
    (clone / ".venv").mkdir()
    (clone / ".venv" / "thesis.txt").write_text("precious")
    assert refused(clone, "demo", sys.executable).startswith(
        ".venv is there already and is no virtual environment (move it away, or name another"
    )
    assert (clone / ".venv" / "thesis.txt").read_text() == "precious"


def test_who_may_not_install_programs_is_told_which_and_how(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.servers.programs"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},  # a machine without any of them, and without apt-get
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "The tests of servers and of the browser need chromedriver, chromium, docker-registry, node, npm, and only root"
        " may install them.\n"
        "    Install them, then say `make test` again: the packages that Debian calls chromium chromium-driver"
        " docker-registry nodejs npm\n"
        "    All other tests run without them: make quick\n"
    )
    assert "sudo apt-get install --no-install-recommends chromium nodejs\n" in advice({"node", "chromium"}, apt=True)
    assert set(DEBIAN) == {"chromedriver", "chromium", "docker-registry", "node", "npm"}


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("tests/stores/test_neo4j_looks.py::test_it[2026.08.1]", "2026.08.1"),
        ("tests/docs/test_how_to.py::test_it[5.26.30-page]", "5.26.30"),
        ("tests/docs/test_how_to.py::test_it[page-5.26.30]", "5.26.30"),
        ("tests/docs/test_how_to.py::test_it[page]", "tests/docs/test_how_to.py"),
        ("tests/stores/test_neo4j_faults.py::test_it", "5.26.30"),
        ("tests/server/test_server.py::test_it[4.26.30]", "5.26.30"),
        ("tests/views/test_browser.py::test_it", "views"),
        ("tests/views/test_explorer.py::test_it", "views"),
        ("tests/core/test_spans.py::test_it[a::b]", "tests/core/test_spans.py"),
    ],
)
def test_no_two_processes_start_the_same_server(test: str, expected: str) -> None:
    """What has the same name goes to the same process."""
    assert unit(test) == expected
