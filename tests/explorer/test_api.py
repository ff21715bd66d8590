"""The API of the explorer: what it answers, that it keeps to its own description, and whom it answers."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
import urllib3
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

import cachegraph as cg
from cachegraph.cli.app import app
from cachegraph.core.graph import ExportGraph
from tests.builders import graph_of, record
from tests.explorer.conftest import Served, serving


@pytest.fixture
def web(graph: cg.CacheGraph) -> ExportGraph:
    """The export that is whole."""
    return next(one for one in graph if "web-max" in one.export.source)


def test_the_worst_export_comes_first(explorer: Served) -> None:
    answer = explorer.json("/api/exports")
    assert answer["total"] == 3
    assert [(one["title"], one["verdict"]["word"], one["records"]) for one in answer["items"]] == [
        ("web-multi-inline linux/amd64", "PARTLY CACHED", 23),
        ("web-multi-inline linux/386", "PARTLY CACHED", 23),
        ("web-max", "CACHED", 19),
    ]


def test_an_id_may_be_cut_as_long_as_it_is_clear(explorer: Served, web: ExportGraph) -> None:
    assert explorer.json(f"/api/exports/{web.id[:8]}") == explorer.json(f"/api/exports/{web.id}")
    assert explorer.ask(f"/api/exports/{web.id[:5]}").status == 404
    assert explorer.json("/api/exports/nowhere") == {
        "detail": "no export has the id 'nowhere'",
        "hint": "/api/exports lists them",
    }


def test_records_come_a_page_at_a_time_and_every_one_once(explorer: Served, web: ExportGraph) -> None:
    seen, after = [], 0
    while after is not None:
        page = explorer.json(f"/api/exports/{web.id}/records?limit=7&after={after}")
        assert page["total"] == 19
        seen += [(one["index"], one["digest"], one["loadable"]) for one in page["items"]]
        after = page["next"]
    records = web.export.config.records
    assert seen == [(index, one.digest, bool(web.loadable[index])) for index, one in enumerate(records)]


def test_a_search_looks_at_number_digest_and_name(explorer: Served, web: ExportGraph) -> None:
    def found(text: str) -> list[int]:
        query = urlencode({"search": text})
        return [one["index"] for one in explorer.json(f"/api/exports/{web.id}/records?{query}")["items"]]

    assert found(web.export.config.records[4].digest[7:20].upper()) == [4]
    assert found("merge of") == sorted(web.merges)
    assert found("no such thing") == []


def test_a_record_tells_slots_alternatives_and_results(
    explorer: Served, web: ExportGraph, graph: cg.CacheGraph
) -> None:
    said = explorer.json(f"/api/exports/{web.id}/records/0")
    assert [[one["record"] for one in slot] for slot in said["slots"]] == [
        [one.link for one in slot] for slot in web.export.config.records[0].inputs
    ]
    view = graph.record(0, export=web.id)
    assert said["downstream"] == view.downstream
    assert said["results"] == [list(result.layers) for result in view.results]
    assert explorer.json(f"/api/exports/{web.id}/records/19")["detail"] == "web-max has no record 19"


def test_findings_can_be_asked_for_by_severity(explorer: Served, graph: cg.CacheGraph) -> None:
    export = next(one for one in graph if one.export.platform == "linux/386")
    found = explorer.json(f"/api/exports/{export.id}/findings?severity=warning")
    assert [one["code"] for one in found["items"]] == ["CG111", "CG113"]
    assert explorer.ask(f"/api/exports/{export.id}/findings?severity=bad").status == 422


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8080", "", "[::2]:80", "localhost.:1", "localhost:1@evil"]
)
def test_who_names_another_host_gets_nothing(explorer: Served, host: str) -> None:
    answer = explorer.ask("/api/exports", Host=host)
    assert answer.status == 403
    assert b"exports" not in answer.data


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:80", "localhost:1", "[::1]:9", "[::1]"])
def test_loopback_is_answered_by_each_of_its_names(explorer: Served, host: str) -> None:
    assert explorer.ask("/api/exports", Host=host).status == 200


def test_no_other_origin_may_read_and_nothing_can_be_changed(explorer: Served) -> None:
    answer = explorer.ask("/api/exports", Origin="https://evil.example")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert {explorer.ask("/api/exports", method).status for method in ("POST", "PUT", "PATCH", "DELETE")} == {405}


def test_without_a_neo4j_the_fleet_is_not_there(explorer: Served) -> None:
    assert explorer.json("/api/fleet") == {
        "detail": "no Neo4j is served",
        "hint": "start with cachegraph serve --neo4j",
    }
    assert explorer.ask("/fleet").status == 404


def test_hostile_names_stay_text() -> None:
    hostile = graph_of(record("<script>alert(1)</script>"), record('"><img src=x onerror=alert(1)>', [0]))
    with serving(hostile) as served:
        page = served.ask(f"/exports/{hostile.graphs[0].id}").data.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.slow
def test_it_keeps_to_its_own_description(explorer: Served) -> None:
    described = schemathesis.openapi.from_url(f"{explorer.address}/openapi.json")
    operations = [found.ok() for found in described.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == len(list(described.get_all_operations()))
    assert {operation.label for operation in operations} == {
        "GET /api/exports",
        "GET /api/exports/{export}",
        "GET /api/exports/{export}/records",
        "GET /api/exports/{export}/records/{record}",
        "GET /api/exports/{export}/findings",
        "GET /api/fleet",
        "GET /api/fleet/{name}",
    }
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
        def keeps(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate()

        keeps()


def test_the_command_needs_something_to_serve() -> None:
    result = CliRunner().invoke(app, ["serve"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is nothing to serve" in result.stderr


def test_the_command_takes_what_a_file_names(tmp_path: Path) -> None:
    bake = tmp_path / "docker-bake.json"
    bake.write_text('{"target": {"web": {"cache-from": ["type=local,src=none"]}}}')
    result = CliRunner().invoke(app, ["serve", "--from-file", str(bake)])
    assert result.exit_code == 3
    assert "none" in result.stderr


def test_the_command_says_on_its_page_what_could_not_be_read(layouts: Path, tmp_path: Path) -> None:
    """The address that it prints can be opened at once; Ctrl-C ends it, with the code of what could not be read."""
    command = [sys.executable, "-m", "cachegraph", "serve", str(layouts / "web-max"), str(tmp_path / "<b>none")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            told = [process.stderr.readline(), process.stderr.readline()]
            address = told[1].split()[1]
            page = urllib3.PoolManager().request("GET", address, retries=False, timeout=30).data.decode()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 3
    assert "there is no such file or directory" in told[0]
    assert "serves 1 export; Ctrl-C ends it" in told[1]
    assert "There is no such file or directory." in page
    assert "&lt;b&gt;none" in page
    assert page.index("Could not be read") < page.index("web-max")
