"""``cachegraph entries`` against a server that speaks GitHub's REST API."""

from __future__ import annotations

import json
import re

from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from tests.servers.github import MAIN, PULL, GitHub, index


def run(*args: str) -> Result:
    return CliRunner().invoke(app, ["entries", *args])


def test_the_table_of_scopes(filled: GitHub) -> None:
    filled.add(PULL, index("web", PULL, 0), b"12345")
    filled.add(MAIN, index("api", MAIN, 0).replace("#", "-sig#"), b"1234567")
    result = run("acme/app")
    assert result.exit_code == 0, result.output
    title, header, *rows = result.stdout.splitlines()
    assert title.startswith("acme/app: 14 layers of all scopes, 1.0 MiB; the least used last used ")
    assert re.search(
        r"; the whole cache has 19 entries, 1\.\d MiB, 0 % of the 9\.3 GiB that are kept by default\.$", title
    )
    assert header.split("\t") == ["scope", "branch", "index", "written", "used", "superseded"]
    shown = [row.split("\t") for row in rows]
    assert [(row[0], row[1], row[2], row[5]) for row in shown] == [
        ("api (signed)", "main", "7 B", ""),
        ("web", "main", "11.6 KiB", "1 (26 B)"),
        ("web", "refs/pull/7/merge", "5 B", ""),
    ]


def test_json_has_bytes_and_times(filled: GitHub) -> None:
    found = json.loads(run("type=gha,scope=web,repository=acme/app", "--format", "json").stdout)
    assert (found["repository"], found["blobs"], found["quota"]) == ("acme/app", 14, 10_000_000_000)
    (row,) = found["rows"]
    assert (row["scope"], row["branch"], row["size"], row["superseded"], row["superseded_size"]) == (
        "web",
        MAIN,
        11_890,
        1,
        26,
    )
    assert found["size"] == row["size"] + row["superseded_size"] + found["blobs_size"]
    assert found["all_size"] == found["size"] + len(b"not BuildKit's")


def test_what_is_no_github_cache(github: GitHub) -> None:
    assert "this is no GitHub Actions cache" in run("type=s3,bucket=b").stderr
    assert run("type=s3,bucket=b").exit_code == 2
    missing = run()
    assert missing.exit_code == 2
    assert "neither a workflow's cache service nor a repository is given" in missing.stderr
    assert run("acme/ghost").exit_code == 3
