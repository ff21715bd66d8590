"""Tables and sentences on a terminal: they fit it but for what is to be copied; in a pipe nothing is cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cachegraph.cli.app import app
from cachegraph.cli.tables import drawn, fold
from tests.cli.test_summary import on_a_terminal

COMMANDS = {
    "sources": ["sources", "MAX", "MAX", "CHURN"],
    "blast-radius": ["blast-radius", "MAX"],
    "simulate": ["simulate", "MAX", "--change", "3"],
    "diff": ["diff", "CHURN", "MAX"],
    "explain": ["explain", "CHURN", "--cache-from", "MAX"],
    "why": ["why", "MAX", "3"],
    "inline-preview": ["inline-preview", "MAX", "--image", "OCI"],
    "query": ["query", "missing-results", "CHURN"],
    "queries": ["queries"],
    "explain-rule": ["explain-rule"],
}


def arguments(command: str, layouts: Path) -> list[str]:
    places = {"MAX": "web-max", "CHURN": "web-churn", "OCI": "web-oci"}
    given = [str(layouts / places[word]) if word in places else word for word in COMMANDS[command]]
    return given if command in ("queries", "explain-rule") else [*given, "--names", str(layouts / "web-prov")]


@pytest.mark.parametrize("columns", [80, 160])
@pytest.mark.parametrize("command", COMMANDS)
def test_lines_fit_the_terminal(command: str, columns: int, layouts: Path) -> None:
    shown = on_a_terminal(columns, *arguments(command, layouts)).splitlines()
    wide = [line for line in shown if len(line) > columns and "type=local,src=/" not in line]
    assert not wide
    assert len(shown) > 5


@pytest.mark.parametrize("command", ["sources", "blast-radius", "simulate", "diff", "why", "inline-preview"])
def test_in_a_pipe_every_row_is_a_line_of_whole_fields(command: str, layouts: Path) -> None:
    result = CliRunner().invoke(app, arguments(command, layouts))
    assert result.exit_code == 0
    rows = [line.split("\t") for line in result.stdout.splitlines() if "\t" in line]
    assert len({len(row) for row in rows}) == 1
    assert len(rows) > 2
    whole = "COPY --link --from=build /src/dist /srv (Dockerfile:12)"
    assert any(whole in cell for row in rows for cell in row) or command not in ("blast-radius", "diff")


def test_headings_are_folded_before_cells_and_no_number_from_its_unit() -> None:
    rows = [["COPY a b c", "12 steps (1.0 MiB)"], ["RUN x", "1 step (2 B)"]]
    assert drawn(("step", "what stays cached here then"), rows, 80, coloured=False).splitlines() == [
        "step        what stays cached here then",
        "───────────────────────────────────────",
        "COPY a b c  12 steps (1.0 MiB)",
        "RUN x       1 step (2 B)",
    ]
    assert drawn(("step", "what stays cached here then"), rows, 30, coloured=False).splitlines() == [
        "            what stays cached",
        "step        here then",
        "──────────────────────────────",
        "COPY a b c  12 steps (1.0 MiB)",
        "RUN x       1 step (2 B)",
    ]
    assert drawn(("step", "stays"), rows, 24, coloured=False).splitlines() == [
        "step        stays",
        "────────────────────────",
        "COPY a b c  12 steps",
        "            (1.0 MiB)",
        "RUN x       1 step (2 B)",
    ]


def test_a_long_word_at_the_end_of_a_line_makes_no_other_line_longer() -> None:
    source = f"type=registry,ref={'r' * 60}"
    shown = drawn(("steps that it saves", "cache"), [["12", source], ["3", "./cache"]], 60, coloured=False)
    assert shown.splitlines() == [
        "steps",
        "that",
        "it",
        "saves  cache",
        "─" * 60,
        f"12     {source}",
        "3      ./cache",
    ]


def test_a_word_that_is_wider_than_its_share_is_not_broken() -> None:
    digest = f"sha256:{'a' * 30}"
    shown = drawn(("digest", "name"), [[digest, "some words that can be folded"]], 50, coloured=False)
    assert all(len(line) <= 50 for line in shown.splitlines())
    assert digest in shown


def test_a_text_is_folded_between_words_and_not_before_a_unit() -> None:
    assert fold("it takes some time and 12 MiB of room", 41) == "it takes some time and 12 MiB of room"
    assert fold("it takes some time and all of 12 MiB", 40, indent=2) == "it takes some time and all of 12 MiB"
    assert fold("it takes some time and almost all of 12 MiB", 42, indent=2) == (
        "it takes some time and almost all of\n  12 MiB"
    )


def test_an_image_in_a_name_does_not_widen_a_table() -> None:
    name = f"[build 1/6] FROM registry.example.com/tool:1@sha256:{'0a' * 32}"
    shown = drawn(("change of", "runs again"), [[name, "5 to 7"]], 80, coloured=False).splitlines()
    assert shown[2] == "[build 1/6] FROM registry.example.com/tool:1@sha256:0a0a0a0a0a0a  5 to 7"
    source = f"type=local,src=a,digest=sha256:{'0a' * 32}"
    assert source in drawn(("cache", "x"), [[source, "y"]], 80, coloured=False)
