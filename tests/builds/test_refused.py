"""Sources that BuildKit refuses: refused here as well, with the line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cachegraph.builds.dockerfile.errors import DockerfileError
from tests.builds.conftest import Serve
from tests.builds.content.corpus import DATA
from tests.builds.truth import build

REFUSED = {case["name"]: case for case in json.loads((DATA / "refused.json").read_text("utf-8"))}

PLACES = {
    "target-by-number": (0, 'target stage "0" could not be found'),
    "target-unknown": (0, 'target stage "b" could not be found'),
    "empty-syntax-arg": (0, "failed with build-arg:BUILDKIT_SYNTAX = : invalid reference format"),
    "syntax-line": (1, "failed to resolve docker.io/docker/dockerfile:1"),
    "copy-missing": (2, "COPY missing /m: /missing: not found"),
    "copy-missing-ignored": (2, "COPY a /m: /a: not found"),
    "link-chown-name": (2, "--chown=app: user and group names can't be resolved when used with --link"),
    "user-unknown": (3, "unable to find user root: no matching entries in passwd file"),
    "arg-before-from-empty": (2, "base name ($B) should not be blank"),
    "no-from": (1, "no build stage in current context"),
    "unknown-instruction": (2, "unknown instruction: RUNN"),
    "mount-from-later-stage": (2, 'cannot mount from stage "later" to "/x", stage needs to be defined before current'),
    "copy-from-later-stage": (2, 'cannot copy from stage "later", it needs to be defined before current stage "first"'),
    "copy-from-itself": (2, "circular dependency detected on stage: a"),
    "checksum-wrong": (2, "has another checksum than the Dockerfile says"),
    "subst-error": (3, 'failed to process "${A:?needed}": A: needed'),
    "security-not-allowed": (2, "security.insecure is not allowed"),
    "secret-required": (2, "secret x: not found"),
    "parents-missing": (2, "/a/b: not found"),
    "onbuild-missing-file": (1, "/lib: not found"),
    "check-error": (2, "lint violation found for rules: FromAsCasing"),
    "platform-not-in-index": (1, "has no image for linux/s390x"),
    "wildcard-in-folder-no-match": (2, "lstat /d: no such file or directory"),
}

PKG = {"df/pkg.txt": {"last_modified": 1700000000}}


def as_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give it the form of a case."""
    texts = {"context/Dockerfile": case["dockerfile"], "www/df/pkg.txt": "pkg 1\n"}
    texts |= {f"context/{path}": text for path, text in case["files"].items()}
    source = [{"path": path, "type": "file", "mode": "644", "text": text} for path, text in texts.items()]
    rest = {"contexts": {}, "opts": [], "secrets": {}, "allow": [], "www": PKG, "git": {}}
    return {**case, **rest, "source": source, "dockerfile": "context/Dockerfile", "context": "context"}


@pytest.mark.parametrize("name", REFUSED)
def test_what_buildkit_refuses_is_refused_with_its_place(name: str, tmp_path: Path, serve: Serve) -> None:
    line, words = PLACES[name]
    case = as_case(REFUSED[name])
    with pytest.raises(DockerfileError) as caught:
        build(case, tmp_path, serve(case), offline=name == "syntax-line")
    assert words in str(caught.value)
    assert (caught.value.file, caught.value.line) == ("Dockerfile", line)
    assert caught.value.exit_code == 3


def test_every_refused_source_has_its_place() -> None:
    assert set(PLACES) == set(REFUSED)


def test_what_is_given_to_a_build_is_no_longer_missing(tmp_path: Path) -> None:
    case = {**as_case(REFUSED["security-not-allowed"]), "allow": ["security.insecure"]}
    assert len(build(case, tmp_path / "allowed").graphs[0]) == 2
    case = {**as_case(REFUSED["secret-required"]), "secrets": {"x": "x"}}
    assert len(build(case, tmp_path / "told").graphs[0]) == 2


def test_the_built_in_rules_can_be_asked_for(tmp_path: Path) -> None:
    graph = build(as_case(REFUSED["syntax-line"]), tmp_path, offline=True, frontend="builtin")
    assert [graph.names.records[record.digest].name for record in graph.graphs[0].export.config.records] == [
        "FROM 127.0.0.1:15011/base/tool:1 (Dockerfile:2)",
        "RUN true (Dockerfile:3)",
    ]
