"""``cachegraph show`` and ``records --tree``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from cachegraph.cli.tree import tree_lines
from cachegraph.core.graph import ExportGraph
from tests.builders import export_graph, record


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_a_record_whole(layouts: Path) -> None:
    result = run("show", layouts / "web-max", "mkdir dist", "--names", layouts / "web-prov")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[:2] == [
        f"record 15 of type=local,src={layouts / 'web-max'},tag=latest",
        "  RUN mkdir dist && cat app/* > dist/out (Dockerfile:7)",
    ]
    assert "    slot 0  record 13 (COPY app app (Dockerfile:6, 9)) at /" in lines
    assert "    record 2 (COPY --link --from=build /src/dist /srv (Dockerfile:12))" in lines
    assert [line.split()[1:] for line in lines if line.startswith("    sha256:")][-1] == ["150", "B"]


@pytest.mark.parametrize("wanted", ["15", "e72ec2ad78a9", "sha256:e72e", "DIST mkdir"])
def test_a_record_by_index_digest_or_words(layouts: Path, wanted: str) -> None:
    result = run("show", layouts / "web-max", wanted, "--names", layouts / "web-prov", "--format", "json")
    (found,) = json.loads(result.stdout)
    assert (found["record"], found["dependents"], found["results"][0]["loadable"]) == (15, [2], True)
    assert found["inputs"] == [[{"record": 13, "selector": found["inputs"][0][0]["selector"]}]]


def test_which_record_is_meant_is_asked_for(layouts: Path) -> None:
    result = run("show", layouts / "web-oci", "copy")
    assert result.exit_code == 2
    assert "'copy' is in the names of several records (give one: 0 (COPY /report /report); 2 (COPY" in result.stderr
    assert run("show", layouts / "web-oci", "99").exit_code == 2
    assert run("show", layouts / "web-oci").exit_code == 2
    assert run("show", "gone/", "1").exit_code == 3


def test_a_command_keeps_its_lines(tmp_path: Path, layouts: Path) -> None:
    statement = json.loads(
        next(
            p for p in (layouts / "web-prov/blobs/sha256").iterdir() if b"buildkit_metadata" in p.read_bytes()
        ).read_bytes()
    )
    source = statement["predicate"]["runDetails"]["metadata"]["buildkit_metadata"]["source"]
    source["locations"]["step14"]["locations"][0]["ranges"][0] = {"start": {"line": 1}, "end": {"line": 2}}
    source["infos"][0]["data"] = "UlVOIGVjaG8gXAogICAgZmluYWw="  # RUN echo \\ and a line more
    names = tmp_path / "provenance.json"
    names.write_text(json.dumps(statement))
    result = run("show", layouts / "web-max", "5", "--names", names)
    assert result.stdout.splitlines()[1:3] == ["  RUN echo \\", "      final"]
    listed = run("records", layouts / "web-max", "--names", names).stdout
    assert "RUN echo final (Dockerfile:1)" in listed


def test_the_tree_is_in_the_order_of_the_dockerfile(layouts: Path) -> None:
    result = run("records", "--tree", layouts / "web-max", "--names", layouts / "web-prov")
    steps = [
        line.split("(Dockerfile")[0].split(None, 1)[1].strip()
        for line in result.stdout.splitlines()
        if "cached" in line
    ]
    wanted = [
        "WORKDIR /src",
        "COPY package.json .",
        "RUN echo installing",
        "COPY app app",
        "RUN mkdir dist",
        "COPY --link",
    ]
    at = [next(i for i, step in enumerate(steps) if step.startswith(start)) for start in wanted]
    assert at == sorted(at)
    assert steps[-1] == "RUN echo final > /final"
    assert run("records", "--tree", "--format", "json", layouts / "web-max").exit_code == 2


def lines(graph: ExportGraph) -> list[tuple[int, int, bool]]:
    return [(line.depth, line.record, line.again) for line in tree_lines(graph)]


def test_what_a_step_takes_besides_its_base_is_indented_before_it() -> None:
    graph = export_graph(record("base"), record("files"), record("copy", [0], [1]), record("run", [2]), record("alone"))
    assert lines(graph) == [(0, 0, False), (1, 1, False), (0, 2, False), (0, 3, False), (0, 4, False)]


def test_a_shared_base_is_named_above_what_stands_on_it() -> None:
    graph = export_graph(record("base"), record("a", [0]), record("b", [0]))
    assert lines(graph) == [(0, 0, False), (0, 1, False), (0, 0, True), (0, 2, False)]


def test_loops_and_long_chains_end() -> None:
    loop = export_graph(record("a", [1]), record("b", [0]))
    assert sorted(number for _, number, again in lines(loop) if not again) == [0, 1]
    chain = export_graph(record("root"), *(record(f"r{i}", [i], [i]) for i in range(20_000)))
    assert len(lines(chain)) == 20_001
