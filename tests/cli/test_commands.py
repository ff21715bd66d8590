"""The other commands, and what all commands have in common."""

from __future__ import annotations

import csv
import io
import json
import lzma
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import COMMANDS, LazyGroup, app
from cachegraph.queries.catalogue import QUERIES, TOGETHER


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


def every_command(group: LazyGroup, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command, groups entered."""
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name in group.homes:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        found.append(((*path, name), command))
        if isinstance(command, LazyGroup):
            found += every_command(command, (*path, name))
    return found


ALL = every_command(app) if isinstance(app, LazyGroup) else []


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_every_command_has_help_with_an_example(path: tuple[str, ...], command: click.Command) -> None:
    result = CliRunner().invoke(app, [*path, "--help"], terminal_width=80)
    assert result.exit_code == 0
    assert [line for line in result.stdout.splitlines() if len(line) > 80 and not line.startswith("Usage")] == []
    assert command.help
    assert f"cachegraph {' '.join(path)}" in (command.epilog or "")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path}: {parameter.name} has no help"


def test_the_groups_lines_are_the_commands_own() -> None:
    text = CliRunner().invoke(app, ["--help"], terminal_width=80).stdout
    for name, (_, line) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line)}$", text, re.MULTILINE), "it is not whole in one line"
        assert line.endswith(".")
    headings = re.findall(r"^(\S.*):$", text, re.MULTILINE)
    assert headings == ["Options", "Look at a cache", "Before a build", "After a build", "Many caches", "Help"]


@pytest.mark.parametrize(
    ("command", "own"), [("explain", "--cache-from"), ("simulate", "--change"), ("load", "--replace")]
)
def test_the_help_begins_with_what_is_the_commands_own(command: str, own: str) -> None:
    text = run(command, "--help").stdout
    assert text.index(f"  {own} ") < text.index("  --from-file ") < text.index("  --limit ") < text.index("--help  ")


def test_version() -> None:
    assert run("--version").stdout == "cachegraph 0.1.0\n"


def test_records_as_json(layouts: Path) -> None:
    rows = json.loads(run("records", "--format", "json", str(layouts / "scratch-file-inline")).stdout)
    assert [row["record"] for row in rows] == [0, 1, 2, 3, 4, 5]
    merge = rows[2]
    assert {key: merge[key] for key in ("op", "name", "is_root", "inputs")} == {
        "op": "merge",
        "name": "merge of 3 inputs",
        "is_root": False,
        "inputs": [
            [{"record": 3, "selector": None}],
            [{"record": 1, "selector": None}],
            [{"record": 4, "selector": None}],
        ],
    }
    (result,) = merge["results"]
    assert (result["kind"], len(result["blobs"]), result["loadable"], result["reason"]) == ("layer", 4, True, None)
    assert result["created_at"] == "2026-11-23T20:36:07.319628274Z"
    assert rows[0]["results"][0]["created_at"] is None
    root = {key: rows[1][key] for key in ("op", "name", "is_root", "inputs", "results")}
    assert root == {"op": "unknown", "name": None, "is_root": True, "inputs": [], "results": []}


def test_records_as_a_table(layouts: Path) -> None:
    text = run("records", "--format", "markdown", str(layouts / "scratch-file-inline")).stdout
    assert "| 2 | loadable | merge | merge of 3 inputs | sha256:7967330dcdfe | 3, 1, 4 | layer of 4 |" in text
    assert "| 1 | root | unknown |  | sha256:6eac9d425e3d |  |  |" in text


def test_query_as_json_is_a_list_of_findings(layouts: Path) -> None:
    found = json.loads(run("query", "merge-subsets", "-f", "json", str(layouts / "scratch-file-inline")).stdout)
    assert [(f["slot"], f["relation"], f["start"], f["stop"], f["inferred"]) for f in found] == [
        (0, "no-result", 0, 2, True),
        (1, "no-result", 2, 3, True),
        (2, "subset", 3, 4, False),
    ]


def test_an_empty_answer_is_an_empty_list(layouts: Path) -> None:
    result = run("query", "missing-results", "-f", "json", str(layouts / "web-max"))
    assert json.loads(result.stdout) == []
    assert result.exit_code == 0


@pytest.mark.parametrize("query", [query.name for query in QUERIES])
def test_every_question_in_every_format(layouts: Path, query: str) -> None:
    spec = str(layouts / "web-churn")
    found = json.loads(run("query", query, "-f", "json", spec).stdout)
    rows = list(csv.DictReader(io.StringIO(run("query", query, "-f", "csv", spec).stdout)))
    assert len(rows) == len(found)
    for format_ in ("table", "markdown"):
        assert run("query", query, "-f", format_, spec).exit_code == 0


def test_an_unknown_question_is_wrong_usage() -> None:
    result = run("query", "missing-result", "x")
    assert result.exit_code == 2
    assert "there is no question 'missing-result' (did you mean missing-results?)" in result.stderr


def test_a_question_has_its_code_as_a_name_too(layouts: Path) -> None:
    spec = str(layouts / "scratch-file-inline")
    by_name = run("query", "unreachable-roots", spec).stdout
    assert by_name
    assert run("query", "cg104", spec).stdout == by_name


def test_queries_lists_them_all() -> None:
    rows = json.loads(run("queries", "-f", "json").stdout)
    assert [row["name"] for row in rows] == [query.name for query in (*QUERIES, *TOGETHER)]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert "_CACHEGRAPH_COMPLETE" in result.stdout


def test_names_give_records_their_names(layouts: Path, data: Path, tmp_path: Path) -> None:
    names = tmp_path / "cache-debug.db"
    names.write_bytes(lzma.decompress((data / "daemon" / "cache-debug.db.xz").read_bytes()))
    rows = json.loads(run("records", "-f", "json", "--names", str(names), str(layouts / "web-max")).stdout)
    assert {row["op"] for row in rows} >= {"exec", "file", "source", "merge", "content"}
    assert not any(row["op"] == "unknown" for row in rows)
