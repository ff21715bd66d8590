"""README and pages are true: their examples run, their tables are current."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from cachegraph.cli.app import app
from docs.tools.pages import PAGES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PICTURE = re.findall(r"^\$ cachegraph (.*?)\n(.*?)(?=\n\n|\n\Z)", README.split("```")[1], re.DOTALL | re.MULTILINE)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


@pytest.mark.parametrize(("command", "output"), PICTURE, ids=["inline", "mode=max"])
def test_the_picture_that_the_readme_begins_with_is_true(
    monkeypatch: pytest.MonkeyPatch, command: str, output: str
) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(app, shlex.split(command))
    now = re.sub(r"newest result .*? old", "newest result 2 h old", result.stdout)
    stale = ("note Nothing new was exported", "Fix: Check that a build still exports")  # one day it will be
    assert [line for line in lines(now) if not line.strip().startswith(stale)] == lines(output)


@pytest.mark.parametrize("code", PYTHON)
def test_the_readmes_python_runs(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(code, names)
    assert repr(names["graph"]) == "<CacheGraph: 1 export, 6 records>"


@pytest.mark.parametrize("page", PAGES)
def test_made_pages_are_current(page: str) -> None:
    assert (ROOT / "docs" / page).read_text("utf-8") == PAGES[page]()


def test_every_link_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
