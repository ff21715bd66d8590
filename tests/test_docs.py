"""README and pages are true: their examples run, their tables are current."""

from __future__ import annotations

import doctest
import re
import shlex
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner

import cachegraph as cg
from cachegraph.cli.app import app
from docs.tools.pages import PAGES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PICTURE = re.findall(r"^\$ cachegraph (.*?)\n(.*?)(?=\n\n|\n\Z)", README.split("```")[1], re.DOTALL | re.MULTILINE)
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
CONSOLE = [
    found
    for page in (ROOT / "README.md", *TUTORIALS)
    for found in re.findall(r"```console\n\$ cachegraph (.*?)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
]
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def at_any_time(text: str) -> str:
    """Leave out what depends on when and where a page is tested: ages, and whether the clone has a history."""
    now = re.sub(r"newest result .*? old", "newest result 2 h old", text).replace(_NO_COMMIT, "")
    return "".join(line for line in now.splitlines(keepends=True) if not line.strip().startswith(_STALE))


_NO_COMMIT = "; no commit that was looked at has them"
_STALE = ("note Nothing new was exported", "Fix: Check that a build still exports")  # one day it will be


def test_the_pages_commands_print_what_they_show(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for command, output in CONSOLE:
        result = CliRunner().invoke(app, shlex.split(command))
        assert result.exit_code == 0, command
        shown = lines(output)
        assert lines(at_any_time(result.stdout))[: len(shown)] == shown


@pytest.mark.parametrize(("command", "output"), PICTURE, ids=["inline", "mode=max"])
def test_the_picture_that_the_readme_begins_with_is_true(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, output: str
) -> None:
    for name in ("web-max", "web-oci", "web-prov"):
        cg.sample(name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, shlex.split(command))
    assert lines(at_any_time(result.stdout)) == lines(output)


@pytest.mark.parametrize("code", PYTHON)
def test_the_readmes_python_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(code, names)
    assert repr(names["graph"]) == "<CacheGraph: 1 export, 6 records>"


@pytest.mark.parametrize("page", TUTORIALS, ids=[page.stem for page in TUTORIALS])
def test_a_tutorials_python_runs_from_top_to_bottom(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, page: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        examples = doctest.DocTestParser().get_examples(code)
        assert examples, code
        for example in examples:
            shown = StringIO()
            with redirect_stdout(shown):
                exec(compile(example.source, page.name, "single"), names)
            assert lines(shown.getvalue()) == lines(example.want), example.source


@pytest.mark.parametrize("page", PAGES)
def test_made_pages_are_current(page: str) -> None:
    assert (ROOT / "docs" / page).read_text("utf-8") == PAGES[page]()


def test_every_link_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
