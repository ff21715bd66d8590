"""``load``, ``cypher``, ``neo4j`` and ``--neo4j`` on a real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from cachegraph.server import Login


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


@pytest.fixture
def server(clean_neo4j: Login, monkeypatch: pytest.MonkeyPatch) -> Login:
    """Give an empty server that the environment names."""
    monkeypatch.setenv("NEO4J_URI", clean_neo4j.uri)
    monkeypatch.setenv("NEO4J_USERNAME", clean_neo4j.username)
    monkeypatch.setenv("NEO4J_PASSWORD", clean_neo4j.password)
    return clean_neo4j


@pytest.fixture
def loaded(server: Login, layouts: Path) -> Login:
    """Give a server that holds two exports."""
    result = run("load", str(layouts / "scratch-file-inline"), str(layouts / "web-oci"), "--neo4j")
    assert result.exit_code == 0, result.output
    return server


def test_load_tells_what_it_did_and_does_it_once(server: Login, layouts: Path) -> None:
    specs = [str(layouts / name) for name in ("scratch-file-inline", "web-multi-inline")]
    first = run("load", *specs, "--neo4j", server.uri)
    assert first.exit_code == 0
    assert first.stdout.startswith("3 exports created, 0 unchanged, 0 superseded, 0 failed; ")
    again = json.loads(run("load", "--neo4j", *specs, "--format", "json").stdout)
    assert (again["created"], again["unchanged"], again["rows"]) == (0, 3, 0)


def test_what_cannot_be_read_is_told_at_the_end_and_the_rest_is_loaded(server: Login, layouts: Path) -> None:
    result = run("load", "nowhere.json", str(layouts / "web-oci"))
    assert result.exit_code == 3
    assert result.stdout.startswith("1 export created, 0 unchanged, 0 superseded, 1 failed; ")
    assert result.stderr == "cachegraph: nowhere.json: there is no such file (check the path)\n"


def test_check_and_query_give_the_findings_of_the_core(loaded: Login, layouts: Path) -> None:
    specs = [str(layouts / name) for name in ("scratch-file-inline", "web-oci")]

    def findings(*args: str) -> list[dict[str, object]]:
        found = json.loads(run("check", "--format", "json", *args).stdout)["findings"]
        return sorted(found, key=lambda finding: json.dumps(finding, sort_keys=True))

    assert findings("--neo4j") == findings(*specs)
    asked = json.loads(run("query", "merge-subsets", "--neo4j", "--format", "json").stdout)
    assert len(asked) == 10


def test_one_export_is_asked_by_its_id_or_source(loaded: Login) -> None:
    exports = json.loads(run("neo4j", "contents", "--format", "json").stdout)
    scratch = next(export for export in exports if "scratch" in export["source"])
    for name in (scratch["id"], scratch["source"]):
        found = json.loads(run("check", "--neo4j", "--export", name, "--format", "json").stdout)
        assert [export["id"] for export in found["exports"]] == [scratch["id"]]
        assert {finding["export"] for finding in found["findings"]} == {scratch["id"]}
    assert run("check", "--neo4j", "--export", "nope").exit_code == 2


def test_every_format_of_check_from_the_server(loaded: Login) -> None:
    table = " ".join(run("check", "--neo4j").stdout.split())
    assert "CACHED 3 of 3 steps (100 %) 4 layers, 1.0 MiB, all there newest result" in table
    assert table.startswith("2 caches: ")
    for format_ in ("csv", "markdown", "sarif", "junit", "html"):
        shown = run("check", "--neo4j", "--format", format_).stdout
        assert "unreachable-roots" in shown or "CG104" in shown


def test_a_spec_and_a_server_are_two_things_to_ask(loaded: Login) -> None:
    result = run("check", "x", "--neo4j")
    assert result.exit_code == 2
    assert "SPEC cannot be used here: --neo4j asks what was loaded." in result.stderr


def test_cypher_from_the_library_a_file_and_a_text(loaded: Login, tmp_path: Path) -> None:
    shared = json.loads(run("cypher", "shared-layers", "--param", "exports=2", "--format", "json").stdout)
    assert len(shared) == 2  # the base image's
    text = "MATCH (r:Record {loadable: true}) RETURN count(*) AS loadable"
    (tmp_path / "own.cypher").write_text(text)
    for args in (("-e", text), ("--file", str(tmp_path / "own.cypher"))):
        assert json.loads(run("cypher", *args, "--format", "json").stdout) == [{"loadable": 10}]


def test_cypher_reads_unless_told_otherwise(loaded: Login) -> None:
    refused = run("cypher", "-e", "CREATE (n:Mine)")
    assert refused.exit_code == 3
    assert refused.stderr.count("\n") == 1
    assert run("cypher", "-e", "CREATE (n:Mine) RETURN 1", "--write").exit_code == 0
    assert "Invalid input" in run("cypher", "-e", "MATCH").stderr


def test_cypher_loads_its_specs_first(server: Login, layouts: Path) -> None:
    found = json.loads(run("cypher", "bytes-per-ref", str(layouts / "web-oci"), "--format", "json").stdout)
    assert len(found) == 1


def test_the_library_is_listed_without_a_server() -> None:
    rows = json.loads(run("cypher", "--format", "json").stdout)
    assert {"missing-results", "shared-layers", "bytes-per-ref"} <= {row["name"] for row in rows}


def test_schema_contents_and_prune(loaded: Login) -> None:
    assert run("neo4j", "schema").stdout == "All constraints and indexes are there.\n"
    assert "CREATE CONSTRAINT" in run("neo4j", "schema", "--print").stdout
    assert "2 Export" in run("neo4j", "contents").stdout
    assert run("neo4j", "prune", "--dry-run").stdout == ("0 exports would be removed, and the remains of 0 loads.\n")


def test_forget(loaded: Login) -> None:
    exports = json.loads(run("neo4j", "contents", "--format", "json").stdout)
    gone, kept = (export["source"] for export in exports)
    assert run("neo4j", "forget", gone).stdout == f"{gone}: 1 export removed.\n"
    assert run("neo4j", "forget", gone).exit_code == 2
    assert [e["source"] for e in json.loads(run("neo4j", "contents", "--format", "json").stdout)] == [kept]


def test_no_password_is_shown_when_it_is_wrong(loaded: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", "hush-hush")
    result = run("check", "--neo4j")
    assert result.exit_code == 3
    assert result.output.count("\n") == 1
    assert "hush" not in result.output
