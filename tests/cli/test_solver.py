"""``simulate``, ``blast-radius`` and ``sources``: real exports, in every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cachegraph as cg
from cachegraph.cli.app import app
from cachegraph.core.decode import encode
from cachegraph.core.model import CacheConfig, CacheLayer, CacheRecord, CacheResult


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_simulate_as_json(layouts: Path) -> None:
    spec = str(layouts / "web-max")
    found = json.loads(run("simulate", spec, "--change", "18", "-f", "json").stdout)
    assert found["changes"] == [18]
    assert found["best"] | {"bytes": 0} == {"loaded": 2, "not_needed": 10, "runs": 1, "bytes": 0}
    assert found["worst"]["runs"] == 4
    steps = {step["record"]: step for step in found["steps"]}
    assert (steps[18]["executed"], steps[18]["why"], steps[18]["first"], steps[18]["caused"]) == (
        True,
        "instruction",
        True,
        True,
    )
    assert (steps[0]["executed"], steps[0]["how"], steps[0]["depends"]["cause"]) == (None, None, "content")
    assert steps[0]["reason"].startswith("depends on what sha256:ed205ca82db4 (record 18) makes")
    assert len(steps) == 13


def test_simulate_lists_what_the_change_touches(layouts: Path) -> None:
    spec = str(layouts / "web-max")
    lines = run("simulate", spec, "--change", "18").stdout.splitlines()
    assert lines[0].endswith("9 steps as today: --all lists them.")
    assert [line.split("\t")[:2] for line in lines[2:]] == [
        ["runs", "18"],
        ["may run", "0"],
        ["may run", "6"],
        ["may run", "5"],
    ]
    assert len(run("simulate", spec, "--change", "18", "--all").stdout.splitlines()) == 15
    same = run("simulate", spec, "--change", "18", "--content", "same").stdout.splitlines()
    assert [line.split("\t")[:2] for line in same[2:]] == [["runs", "18"]]


def test_simulate_with_another_cache(layouts: Path) -> None:
    assert "Missing option '--change'" in run("simulate", str(layouts / "web-max")).stderr
    cache = str(layouts / "web-churn")
    other = run("simulate", str(layouts / "web-max"), "--change", "18", "--cache-from", cache, "--all", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(other.stdout)))
    assert sum(row["outcome"] == "runs" for row in rows) == 8
    assert {row["source"] for row in rows if row["bytes"]} == {f"type=local,src={layouts / 'web-churn'},tag=latest"}


def test_a_change_that_is_none(layouts: Path) -> None:
    result = run("simulate", str(layouts / "web-max"), "--change", "RUN nothing")
    assert result.exit_code == 2
    assert "no step or source is called 'RUN nothing'" in result.stderr


def test_one_platform_of_several(layouts: Path) -> None:
    spec = str(layouts / "web-multi-inline")
    result = run("blast-radius", spec)
    assert result.exit_code == 2
    assert "a build is one export, 2 were given" in result.stderr
    assert run("blast-radius", spec, "--platform", "linux/amd64").exit_code == 0
    none = run("blast-radius", spec, "--platform", "linux/s390x")
    assert none.exit_code == 2
    assert "no export of platform 'linux/s390x' (there is linux/386, linux/amd64)" in none.stderr


def test_blast_radius(layouts: Path) -> None:
    spec = str(layouts / "web-max")
    found = json.loads(run("blast-radius", spec, "-f", "json").stdout)
    assert (found["steps"], found["already"], len(found["changes"])) == (13, 0, 17)
    first = found["changes"][0]
    assert (first["record"], first["runs"], first["least"], first["bytes"]) == (4, 12, 6, 2168078)
    assert first["checked"] is True
    lines = run("blast-radius", spec, "--top", "3").stdout.splitlines()
    assert lines[0] == (
        "A change of sha256:57a5ab45ee83 (record 4) costs most: 12 of 13 steps run again (2.1 MiB). "
        "14 more changes cost less: --top 17 lists them."
    )
    columns = ["record", "change of", "runs again", "bytes", "stays cached", "if not taken by"]
    assert lines[1].split("\t") == columns
    assert lines[2].split("\t")[:4] == ["4", "sha256:57a5ab45ee83", "6 to 12", "2.1 MiB"]
    assert lines[2].split("\t")[4:] == ["12 steps (2.1 MiB)", "record 3"]
    assert len(lines) == 5
    assert len(list(csv.DictReader(io.StringIO(run("blast-radius", spec, "-f", "csv").stdout)))) == 17


def test_sources(layouts: Path) -> None:
    specs = [str(layouts / name) for name in ("web-max", "web-churn", "web-max", "web-oci")]
    found = json.loads(run("sources", *specs, "-f", "json").stdout)
    assert found["best"] == f"type=local,src={layouts / 'web-max'},tag=latest"
    assert [(one["rank"], one["runs"], one["collides"]) for one in found["caches"]] == [(1, 0, 0), (2, 0, 6), (3, 7, 2)]
    assert (found["together"]["best"]["runs"], found["together"]["worst"]["runs"]) == (0, 7)
    assert found["advice"].endswith("the others save nothing more, and can hide what it has")
    assert len(found["collisions"]) == 6
    text = run("sources", *specs).stdout
    assert text.startswith("0 of 13 steps run with type=local,src=")


def test_sources_need_a_build_and_a_cache(layouts: Path) -> None:
    result = run("sources", str(layouts / "web-max"))
    assert result.exit_code == 2
    assert "give an export of the build, then the caches to compare" in result.stderr


def test_a_cache_that_cannot_be_read_is_named_and_the_others_are_compared(layouts: Path, tmp_path: Path) -> None:
    result = run("sources", str(layouts / "web-max"), str(tmp_path / "no"), str(layouts / "web-max"), "-f", "json")
    assert result.exit_code == 3
    assert f"{tmp_path / 'no'}" in result.stderr
    assert len(json.loads(result.stdout)["caches"]) == 1


@pytest.mark.parametrize("command", [("simulate", "--change", "4"), ("blast-radius",)])
def test_markdown(layouts: Path, command: tuple[str, ...]) -> None:
    text = run(*command, str(layouts / "web-max"), "-f", "markdown").stdout.splitlines()
    assert text[1].startswith("| ---")
    assert all(line.startswith("| ") for line in text)


def test_blast_radius_by_the_times_of_a_build_record(data: Path, tmp_path: Path) -> None:
    path = data / "records" / "go-cold.dockerbuild"
    (record,) = cg.load_record(path)
    keys = record.keys.export.config.records
    results = (CacheResult(layer=0),)
    records = tuple(
        CacheRecord(digest=key.digest, inputs=key.inputs, layers=results if key.inputs else ()) for key in keys
    )
    spec = tmp_path / "build.json"
    spec.write_bytes(encode(CacheConfig(layers=(CacheLayer(blob="sha256:0", parent=-1),), records=records)))
    found = json.loads(run("blast-radius", str(spec), "--times", str(path), "-f", "json").stdout)
    costs = [change["seconds"] for change in found["changes"]]
    assert costs == sorted(costs, reverse=True)
    steps = {key.digest for key in keys if key.inputs}
    took = {d: step.seconds for step in record.steps for d in step.record_digests or () if d in steps and step.executed}
    assert costs[0] == pytest.approx(sum(seconds or 0 for seconds in took.values()), abs=1e-5)
    assert costs[0] > 0.5
    lines = run("blast-radius", str(spec), "--times", str(path)).stdout.splitlines()
    columns = ["record", "change of", "runs again", "seconds", "bytes", "stays cached", "if not taken by"]
    assert lines[1].split("\t") == columns
