"""Questions about certain builders: what BuildKit 0.25 to 0.32 can miss at random, and who is asked about."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from unittest import mock

import pytest
from click.testing import CliRunner, Result

import cachegraph as cg
from cachegraph.cli.app import app
from cachegraph.core.versions import EVERY, LOSES_LINKS, NO_CHAINS, Versions, config_limit
from cachegraph.errors import UsageError
from cachegraph.queries.catalogue import QUERIES, TOGETHER, asked
from tests.builders import graph_of, layers, record, rows

TWO_TARGETS = (record("base"), record("step", [0]), record("target", [0], [1]), record("other", [0]))
"""Record 0 may be given to record 3 first; then record 1 loses its only link to it, and record 2 needs record 1."""

CASES = Path(__file__).parent.parent / "data" / "fragile.jsonl.xz"


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


@pytest.fixture
def spec(tmp_path: Path) -> str:
    """A config that such a builder can miss a record of."""
    made = [
        {"digest": "base"},
        {"digest": "step", "inputs": [[{"link": 0}]]},
        {"digest": "target", "inputs": [[{"link": 0}], [{"link": 1}]]},
        {"digest": "other", "inputs": [[{"link": 0}]]},
    ]
    (tmp_path / "config.json").write_text(json.dumps({"records": made}))
    return str(tmp_path / "config.json")


def test_which_record_and_what_it_costs() -> None:
    found = rows(graph_of(*TWO_TARGETS), "fragile-links", "record", "reason", "slots", "cost", "steps", "severity")
    assert found == [(1, "missable", (0,), 2, (1, 2), "warning")]


def test_one_target_is_never_missed() -> None:
    assert rows(graph_of(*TWO_TARGETS[:3]), "fragile-links", "record") == []


def test_of_what_takes_too_long_nothing_is_claimed() -> None:
    with mock.patch("cachegraph.core.fragile.missable", return_value=None):
        found = rows(graph_of(*TWO_TARGETS), "fragile-links", "record", "reason", "severity", "cost")
    assert found == [(None, "cannot-tell", "note", None)]


def test_every_record_that_real_imports_missed_is_found() -> None:
    with lzma.open(CASES, "rt", encoding="utf-8") as file:
        cases = [json.loads(line) for line in file]
    for case in cases[::5]:
        graph = cg.from_config(json.dumps(case["config"]).encode(), blobs=case["blobs"])
        found = {(record, slot) for record, slots in rows(graph, "fragile-links", "record", "slots") for slot in slots}
        assert {(record, slot) for record, slot, _ in case.get("missed", ())} <= found, case["name"]


@pytest.mark.parametrize(
    ("version", "fragile", "legacy"),
    [
        (None, False, False),
        ("0.34.2", False, False),
        ("v0.33.0", False, False),
        ("0.32.2", True, False),
        ("0.25", True, False),
        ("0.24.9", False, False),
        ("0.10", False, False),
        ("0.9.3", False, True),
    ],
)
def test_the_builder_decides_what_is_asked(version: str | None, *, fragile: bool, legacy: bool) -> None:
    names = {query.name for query in asked(version)}
    assert ("fragile-links" in names, "legacy-misses" in names) == (fragile, legacy)
    assert names | {"fragile-links", "legacy-misses"} == {query.name for query in QUERIES}
    assert set(asked(version, together=True)) == {*asked(version), *TOGETHER}


def test_check_asks_about_the_builder_that_is_named(spec: str) -> None:
    def codes(*options: str) -> set[str]:
        return {one["code"] for one in json.loads(run("check", "-f", "json", *options, spec).stdout)["findings"]}

    assert "CG112" not in codes()
    assert "CG112" in codes("--buildkit", "0.31")
    suites = run("check", "-f", "junit", spec).stdout, run("check", "-f", "junit", "--buildkit", "0.31", spec).stdout
    assert ["fragile-links" in text for text in suites] == [False, True], "what was not asked has not passed"
    refused = run("check", "--buildkit", "newest", spec)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "'newest' is not a version of BuildKit" in refused.stderr


def test_old_builders_skip_chains() -> None:
    graph = graph_of(record("root"), record("step", [0], chain=(0,)), stack=layers(-1))
    assert [finding.query for finding in graph.check("0.9") if finding.record == 1] == ["legacy-misses"]
    assert [finding.query for finding in graph.check() if finding.record == 1] == []


def test_ranges_of_versions() -> None:
    assert [str(one) for one in (EVERY, NO_CHAINS, LOSES_LINKS, Versions(since=(0, 31)))] == [
        *("every version", "before 0.10", "0.25 to 0.32", "0.31 and newer")
    ]
    assert Versions(since=(0, 31)).hold(None)
    assert not Versions(since=(0, 31)).hold((0, 30))
    assert config_limit() == config_limit((0, 20)) == 1_048_576
    with pytest.raises(UsageError, match=r"write it as 0\.31"):
        asked("31")
