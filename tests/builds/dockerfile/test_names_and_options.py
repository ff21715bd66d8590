"""The small languages within a Dockerfile and its options: platforms, repositories, owners, modes, paths, checks."""

from __future__ import annotations

import re

import pytest

from cachegraph.builds.dockerfile.checks import read_check_options
from cachegraph.builds.dockerfile.errors import BuildOptionError, DockerfileError
from cachegraph.builds.dockerfile.gitrefs import parse_git
from cachegraph.builds.dockerfile.options import read_options
from cachegraph.builds.dockerfile.owners import has_name, parse_mode
from cachegraph.builds.dockerfile.paths import llb_path, normalize_workdir
from cachegraph.builds.dockerfile.platforms import format_platform, normalize, parse_platform
from cachegraph.builds.dockerfile.references import parse_reference


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64"),
    ],
)
def test_platforms(text: str, normal: str) -> None:
    assert format_platform(normalize(parse_platform(text))) == normal


@pytest.mark.parametrize("text", ["", "linux/amd64/v1/x", "linux/!", "nosuch"])
def test_platforms_that_are_none(text: str) -> None:
    with pytest.raises(DockerfileError):
        parse_platform(text)


@pytest.mark.parametrize(
    ("text", "remote", "ref", "subdir"),
    [
        ("https://github.com/org/app.git", "https://github.com/org/app.git", "", ""),
        ("https://github.com/org/app.git#v1:sub", "https://github.com/org/app.git", "v1", "sub"),
        ("https://github.com/org/app.git?branch=x&subdir=y", "https://github.com/org/app.git", "refs/heads/x", "y"),
        ("https://github.com/org/app.git?tag=x", "https://github.com/org/app.git", "refs/tags/x", ""),
        ("git@github.com:org/app.git#main", "git@github.com:org/app.git", "main", ""),
        ("git://example.com/app", "git://example.com/app", "", ""),
    ],
)
def test_repositories(text: str, remote: str, ref: str, subdir: str) -> None:
    found = parse_git(text)
    assert found is not None
    assert (found.remote, found.ref, found.subdir) == (remote, ref, subdir)


@pytest.mark.parametrize("text", ["https://example.com/app.tar.gz", "./app", "alpine:3", "app.git"])
def test_what_is_no_repository(text: str) -> None:
    assert parse_git(text) is None


@pytest.mark.parametrize(
    ("text", "familiar", "full"),
    [
        ("alpine", "alpine", "docker.io/library/alpine:latest"),
        ("org/app:1", "org/app:1", "docker.io/org/app:1"),
        ("localhost:5000/a", "localhost:5000/a", "localhost:5000/a:latest"),
    ],
)
def test_references(text: str, familiar: str, full: str) -> None:
    found = parse_reference(text)
    assert (found.familiar, str(found.with_tag())) == (familiar, full)


@pytest.mark.parametrize(
    ("text", "mode"), [("644", (0o644, "")), ("0755", (0o755, "")), ("7777", (0o7777, "")), ("u+x,g=r", (0, "u+x,g=r"))]
)
def test_modes(text: str, mode: tuple[int, str]) -> None:
    assert parse_mode(text) == mode


@pytest.mark.parametrize("text", ["10000", "8", "u*x", "", "-1"])
def test_modes_that_are_refused(text: str) -> None:
    with pytest.raises(DockerfileError, match="invalid chmod parameter"):
        parse_mode(text)


@pytest.mark.parametrize(("text", "named"), [("1000", False), ("1000:1000", False), ("node", True), ("0:staff", True)])
def test_owners_by_name_are_looked_up_in_the_image(text: str, named: bool) -> None:
    assert has_name(text) is named


@pytest.mark.parametrize(
    ("current", "path", "system", "folder"),
    [
        ("/", "app", "linux", "/app"),
        ("/app", "../x", "linux", "/x"),
        ("/app", "/b/", "linux", "/b/"),
        ("", "a", "linux", "/a"),
        ("C:\\app", "x", "windows", "\\app\\x"),
    ],
)
def test_working_folders(current: str, path: str, system: str, folder: str) -> None:
    assert normalize_workdir(current, path, system) == folder


@pytest.mark.parametrize(
    ("path", "result"), [("a/", "/w/a/"), ("/a/.", "/a/."), (".", "/w"), ("../..", "/"), ("/", "/")]
)
def test_a_slash_at_the_end_of_a_destination_counts(path: str, result: str) -> None:
    assert llb_path("/w", path, keep_slash=True) == result


def test_options_of_a_build() -> None:
    read = read_options(
        {
            "target": "Prod",
            "platform": "linux/arm64,linux/amd64",
            "build-arg:A": "1",
            "context:lib": "local:lib",
            "no-cache": "one,two",
            "add-hosts": "db=10.0.0.1",
            "force-network-mode": "none",
        }
    )
    assert read.target == "Prod"
    assert [platform.architecture for platform in read.platforms] == ["arm64", "amd64"]
    assert (read.build_args, read.contexts) == ({"A": "1"}, {"lib": "local:lib"})
    assert (read.is_no_cache("ONE"), read.is_no_cache("three")) == (True, False)
    assert ([(host.host, host.ip) for host in read.extra_hosts], read.network) == ([("db", "10.0.0.1")], 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("platform", "x"),
        ("add-hosts", "db"),
        ("ulimit", "nofile=x"),
        ("force-network-mode", "bridge"),
        ("shm-size", "x"),
    ],
)
def test_options_that_are_refused_are_named(name: str, value: str) -> None:
    with pytest.raises(BuildOptionError, match=re.escape(name)):
        read_options({name: value})


def test_check_options() -> None:
    read = read_check_options("skip=StageNameCasing,JSONArgsRecommended;error=true")
    assert (set(read.skip), read.is_error) == ({"StageNameCasing", "JSONArgsRecommended"}, True)
