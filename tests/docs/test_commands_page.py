"""The page of commands has every command, and every option of each."""

from __future__ import annotations

import re

import click
import pytest

from cachegraph.cli.app import COMMANDS
from docs.tools.commands import cli_page, commands

PAGE = cli_page()
FOUND = {context.command_path: context for context in commands()}


def part(path: str) -> str:
    return PAGE.split(f"\n## `{path}`\n", 1)[1].split("\n## ", 1)[0]


def test_every_command_has_a_part_and_a_line_that_leads_there() -> None:
    assert {f"cachegraph {name}" for name in COMMANDS} <= FOUND.keys()
    assert {"cachegraph neo4j up", "cachegraph neo4j prune"} <= FOUND.keys()
    assert re.findall(r"^## `(.*)`$", PAGE, re.MULTILINE) == list(FOUND)
    assert re.findall(r"^\| \[`(.*)`\]\(#(.*)\) \|", PAGE, re.MULTILINE) == [
        (path, path.replace(" ", "-")) for path in FOUND
    ]


@pytest.mark.parametrize("path", FOUND)
def test_a_part_has_the_usage_every_option_and_an_example(path: str) -> None:
    command = FOUND[path].command
    text = part(path)
    assert f"```text\n{path} " in text
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert re.search(rf"`(-\w, )?{re.escape(parameter.opts[0])}\b", text), parameter.opts
        elif isinstance(parameter, click.Argument):
            assert parameter.make_metavar(FOUND[path]) in text
    assert text.count(f"\n{path}") >= 1
    assert len(re.findall(rf"{path}\b", text)) >= 2, "no example"


def test_what_commands_share_is_told_once() -> None:
    common = PAGE.split("\n## Common options\n", 1)[1].split("\n## ", 1)[0]
    assert common.count("| `--limit NAME=N` |") == PAGE.count("| `--limit NAME=N` |") == 1
    assert "`--limit`" in part("cachegraph check")
    assert "sarif" in part("cachegraph check")
    assert "sarif" not in part("cachegraph records")


def test_exit_codes_are_those_of_the_errors() -> None:
    codes = re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)
    assert codes == ["0", "1", "2", "3", "130"]
