"""``cachegraph sample``: what it lists and writes, and that what it says to try works."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

import cachegraph as cg
from cachegraph.cli.app import app


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of one's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_lists_what_there_is() -> None:
    done = CliRunner().invoke(app, ["sample"])
    assert done.stdout.splitlines()[:2] == [
        "sample\tshows",
        "web-max\tA small web application, exported with mode=max: everything can be loaded.",
    ]
    rows = json.loads(CliRunner().invoke(app, ["sample", "-f", "json"]).stdout)
    assert [row["sample"] for row in rows] == [sample.name for sample in cg.samples()]
    assert rows[0]["try"] == "cachegraph check web-max"


def test_it_writes_one_and_says_what_to_try(here: Path) -> None:
    done = CliRunner().invoke(app, ["sample", "web-oci", "my caches/one"])
    assert done.stdout == (
        "my caches/one: The same build with inline cache: six of its 13 steps keep no result.\n"
        "Try: cachegraph check 'my caches/one'\n"
    )
    assert (here / "my caches" / "one" / "index.json").exists()


def test_it_overwrites_nothing(here: Path) -> None:
    (here / "web-oci").mkdir()
    done = CliRunner().invoke(app, ["sample", "web-oci"])
    assert (done.exit_code, done.stderr) == (
        2,
        "cachegraph: web-oci is there already (name another folder, or remove it)\n",
    )


def test_a_name_that_does_not_exist() -> None:
    done = CliRunner().invoke(app, ["sample", "web-ocy"])
    assert done.exit_code == 2
    assert done.stderr.startswith("cachegraph: there is no sample 'web-ocy' (did you mean web-oci? There are: web-max")


@pytest.mark.parametrize("name", [sample.name for sample in cg.samples()])
def test_what_it_says_to_try_works(name: str, here: Path) -> None:
    said = CliRunner().invoke(app, ["sample", name]).stdout
    for command in said.splitlines()[-1].removeprefix("Try: ").split("; "):
        program, *words = shlex.split(command)
        assert program == "cachegraph"
        words = [path for word in words for path in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]
        done = CliRunner().invoke(app, words)
        # A finding is what some are there to show; web-prov in the fleet is an image without cache.
        assert done.exit_code == {"web-lost": 1}.get(name, 0), done.stderr
        assert done.stdout


def test_the_shell_completes_names() -> None:
    completed = ShellComplete(app, {}, "cachegraph", "_CACHEGRAPH_COMPLETE").get_completions(["sample"], "web-m")
    assert [item.value for item in completed] == ["web-max", "web-min", "web-multi-inline"]


@pytest.mark.parametrize("spec", ["cold/max.json", "web-oci/index.json"])
def test_whoever_names_one_that_is_not_written_yet_is_told_how_to_get_it(spec: str, here: Path) -> None:
    name = spec.partition("/")[0]
    said = CliRunner().invoke(app, ["records", spec]).stderr
    assert f"(write the sample of that name: cachegraph sample {name}; else check the path" in said
    cg.sample(name, here / name)
    (here / spec).unlink()
    assert "cachegraph sample" not in CliRunner().invoke(app, ["records", spec]).stderr
    assert "cachegraph sample" not in CliRunner().invoke(app, ["records", f"./{spec}"]).stderr


def test_names_too(here: Path) -> None:
    cg.sample("web-oci", here / "web-oci")
    done = CliRunner().invoke(app, ["check", "--names", "names/cache-all.json", "web-oci"])
    assert "write the sample of that name: cachegraph sample names; else give a path" in done.stderr
