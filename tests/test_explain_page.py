"""The page on explain is true: its commands print what it shows, its Python runs, and it names every kind."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner

from cachegraph.cli.app import app
from cachegraph.solver.causes import MissKind

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "explain.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("command", "output"), re.findall(r"```console\n\$ cachegraph (.*?)\n(.*?)```", PAGE, re.DOTALL)
)
def test_its_commands(monkeypatch: pytest.MonkeyPatch, command: str, output: str) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0
    shown = output.strip().splitlines()
    assert result.stdout.splitlines()[: len(shown)] == shown


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_its_python(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(code, names)
    assert repr(names["found"]).startswith("<")


def test_every_kind_is_on_it() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE) == list(get_args(MissKind))
