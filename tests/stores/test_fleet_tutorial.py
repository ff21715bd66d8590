"""The tutorial for ops teams: its commands work, one after the other, on a real server."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from cachegraph.cli.app import app
from cachegraph.server import Login

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorials" / "fleet.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
OWN_SERVER = {"cachegraph neo4j up", "cachegraph neo4j down"}
"""Tested where a server of one's own is. Here the tests' own is used, as the page says for one that is there."""


def test_its_commands(clean_neo4j: Login, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", clean_neo4j.uri)
    monkeypatch.setenv("NEO4J_USERNAME", clean_neo4j.username)
    monkeypatch.setenv("NEO4J_PASSWORD", clean_neo4j.password)
    monkeypatch.chdir(tmp_path)
    assert set(COMMANDS) > OWN_SERVER
    shown = {}
    for command in COMMANDS:
        if command not in OWN_SERVER:
            result = CliRunner().invoke(app, shlex.split(command)[1:])
            assert result.exit_code == 0, f"{command}: {result.output}"
            shown[command] = result.stdout
    assert "web-multi-inline" in shown["cachegraph neo4j contents"]
    assert list(shown.values())[-2].count("fleet/") == 4
