"""The first screen of ``check``: on a terminal, in a pipe, for one cache and for many."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.answer import Answer
from cachegraph.cli.app import app
from cachegraph.cli.output import Output
from cachegraph.cli.summary import summary
from cachegraph.queries.findings import Findings
from cachegraph.schema.summary import summarise
from cachegraph.verdict.model import Cause, Verdict
from tests.builders import export_graph, record

DIGEST = "sha256:d9b15fc8bad3c9bb7f386cebd29e37086d69ca2a11312fe8dab478de6215e104"


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


def on_a_terminal(columns: int, *args: str) -> str:
    """Run the command where somebody looks, without colour; give what it left on the screen's standard output."""
    main, other = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "xterm"}
    command = [sys.executable, "-m", "cachegraph", *args]
    with subprocess.Popen(command, stdout=other, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(other)
        shown = b""
        while True:
            try:
                piece = os.read(main, 65_536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            shown += piece
        process.wait()
    os.close(main)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 160])
def test_lines_fit_the_terminal_but_for_what_is_to_be_copied(layouts: Path, columns: int) -> None:
    text = on_a_terminal(columns, "check", "--names", str(layouts / "web-prov"), str(layouts / "web-oci"))
    lines = text.splitlines()
    assert lines[0].endswith(f"web-oci,digest={DIGEST}")
    paste = next(line for line in lines if "--cache-to" in line)
    assert paste.endswith("/web-oci-cache,mode=max")
    assert all(len(line) <= columns for line in lines if line not in (lines[0], paste))
    assert f"PARTLY CACHED{' ' * 3}7 of 13 steps (54 %)" in lines[1]


def test_steps_are_named_in_the_order_of_the_build_and_the_rest_is_counted(layouts: Path) -> None:
    text = on_a_terminal(80, "check", "--names", str(layouts / "web-prov"), str(layouts / "web-oci"))
    named = [line for line in text.splitlines() if line.startswith(" " * 6) and "--cache-to" not in line]
    assert named == [
        "      WORKDIR /src (Dockerfile:2)   COPY package.json . (Dockerfile:3)",
        "      RUN echo installing && mkdir... (Dockerfile:4)   ... 3 more",
    ]


def test_in_a_pipe_nothing_is_folded_or_padded(layouts: Path) -> None:
    result = run("check", "--names", str(layouts / "web-prov"), str(layouts / "web-oci"), str(layouts / "web-max"))
    lines = result.stdout.splitlines()
    assert lines[0] == "2 caches: 1 PARTLY CACHED, 1 CACHED"
    cells = lines[1].split("\t")
    assert (cells[0], cells[1], len(cells)) == ("PARTLY CACHED", "7/13 steps", 5)
    assert cells[-1].endswith(f"digest={DIGEST} linux/amd64")
    assert "WORKDIR /src (Dockerfile:2)   COPY package.json . (Dockerfile:3)   RUN echo installing" in result.stdout
    assert all(line == line.rstrip() for line in lines)


def test_of_several_the_healthy_ones_have_no_details(layouts: Path) -> None:
    text = run("check", *(str(layouts / name) for name in ("web-max", "web-oci", "nested-max"))).stdout
    assert "\ntype=local,src=" in text
    assert text.count("\n  PARTLY CACHED") == 1
    assert text.count("\n  CACHED") == 0
    assert text.index("PARTLY CACHED\t") < text.index("CACHED\t13/13")


def test_without_names_the_records_are_told(layouts: Path) -> None:
    text = run("check", str(layouts / "web-oci")).stdout
    assert "\n      records 3, 4, 9, 13, 15, 18 (--names tells what they do)\n" in text


def test_a_healthy_cache_is_three_lines(layouts: Path) -> None:
    lines = run("check", str(layouts / "web-churn")).stdout.splitlines()
    assert [line for line in lines if "stale" not in line][-1] == (
        "  Costs nothing: 11 keys of earlier builds, 17 blobs that no manifest names, 18 notes (--all shows them)."
    )
    assert lines[1].startswith("  CACHED   13 of 13 steps (100 %)   15 layers, 1.0 MiB, all there   newest result ")


def test_all_shows_every_finding(layouts: Path) -> None:
    text = run("check", "--all", str(layouts / "web-churn")).stdout
    assert text.count("\n  note CG") == 1 + 17 + 18
    assert "Costs nothing" not in text


def shown(*causes: Cause) -> str:
    """Show a verdict of these causes, in a pipe."""
    export = summarise(export_graph(record("base")))
    verdict = Verdict(export=export.id, spec="app:cache", word="COLD", causes=causes)
    answer = Answer(exports=[export], findings=Findings(()), verdicts=[verdict])
    return summary(answer, Output(format="table"), everything=False)


def test_a_cause_has_what_it_costs_and_what_cures_it() -> None:
    text = shown(
        Cause(
            kind="inline", code="CG111", severity="warning", what="W.", cost="C.", cure="Do it.", paste="--cache-to x"
        ),
        Cause(kind="stale", code=None, severity="note", what="N.", cure="Look."),
        Cause(kind="a", code="CG1", severity="error", what="E.", paste="--x"),
    )
    assert text.splitlines() == [
        "app:cache",
        "  COLD   no steps   0 layers, not asked whether they are there",
        "  warning CG111 W.",
        "    C.",
        "    Fix: Do it:",
        "      --cache-to x",
        "  note N.",
        "    Fix: Look.",
        "  error CG1 E.",
        "    Fix: Build with:",
        "      --x",
    ]


def test_many_names_are_cut_and_counted() -> None:
    names = tuple(f"RUN step {number} " + "x" * 60 * (number == 0) for number in range(11))
    text = shown(Cause(kind="a", code="CG1", severity="error", what="E.", steps=tuple(range(11)), names=names))
    line = text.splitlines()[3]
    assert line.startswith(f"      RUN step 0 {'x' * 42}...   RUN step 1")
    assert line.endswith("RUN step 7    ... 3 more")
