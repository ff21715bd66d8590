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
from tests.cli.test_summary import on_a_terminal

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
FIRST = re.findall(r"```text\n\$ cachegraph (.*?)\n(.*?)```", README, re.DOTALL)
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
CONSOLE = {
    page: re.findall(r"```console\n\$ cachegraph (.*?)\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    for page in (ROOT / "README.md", *TUTORIALS)
}
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def at_any_time(text: str) -> str:
    """Leave out what depends on when and where a page is tested: ages, and whether the clone has a history."""
    now = re.sub(r"newest result .*? old", "newest result 2 h old", text).replace(_NO_COMMIT, "")
    return "".join(line for line in now.splitlines(keepends=True) if not line.strip().startswith(_STALE))


_NO_COMMIT = "; no commit that was looked at has them"
_STALE = ("note Nothing new was exported", "Fix: Check that a build still exports")  # one day it will be


@pytest.mark.parametrize("page", CONSOLE, ids=[page.stem for page in CONSOLE])
def test_the_pages_commands_print_what_they_show(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, page: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for command, output in CONSOLE[page]:
        result = CliRunner().invoke(app, shlex.split(command))
        assert result.exit_code == 0, command
        shown = lines(output)
        assert lines(at_any_time(result.stdout))[: len(shown)] == shown


def test_the_answer_that_the_readme_begins_with_is_true(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a terminal of 80 columns shows it."""
    ((command, output),) = FIRST
    cg.sample("cold", tmp_path / "cold")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert lines(at_any_time(on_a_terminal(80, *shlex.split(command)))) == lines(output)
    assert max(map(len, lines(output))) <= 80


def test_the_readme_fits_its_reader() -> None:
    """Blocks fit a page without scrolling, and prose an editor."""
    inside = False
    for number, line in enumerate(README.splitlines(), 1):
        inside = inside != line.startswith("```")
        assert len(line) <= (100 if inside else 140) or line.startswith("|"), number


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
