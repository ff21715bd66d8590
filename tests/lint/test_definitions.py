"""Builds as compose files, bake files and workflows define them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cachegraph.errors import UnknownNameError, UsageError
from cachegraph.lint.definitions import Definition, bake_definitions, compose_definitions, workflow_definitions

COMPOSE = """
x-args: &args {V: "${VERSION:-1}"}
services:
  web:
    build:
      context: ./web
      dockerfile: docker/Dockerfile
      target: app
      args: {<<: *args, FROM_ENV: }
      additional_contexts: {lib: ../lib, base: "docker-image://alpine:3"}
      platforms: [linux/amd64, linux/arm64]
      cache_from: ["type=gha,scope=web"]
      secrets: [npm, {source: token}]
  api: {build: ./api}
  db: {image: postgres}
"""
BAKE = """
variable "TAG" { default = "latest" }
group "default" { targets = ["web", "more"] }
group "more" { targets = ["api"] }
target "_base" {
  args = {A = "1", B = "2"}
  platforms = ["linux/amd64"]
}
target "web" {
  inherits = ["_base"]
  context = "web"
  args = {B = "3"}
  cache-from = ["type=registry,ref=app:${TAG}"]
}
target "api" {
  dockerfile = "api.Dockerfile"
  contexts = {lib = "target:web"}
  secret = ["id=npm"]
}
target "odd" { args = {A = timestamp()} }
"""
WORKFLOW = """
env: {IMAGE: ghcr.io/acme/app}
jobs:
  test: {steps: [{run: make}]}
  build:
    steps:
      - uses: docker/build-push-action@v6
        with:
          context: app
          file: app/prod.Dockerfile
          build-args: |
            A=1
            B=x=y
          platforms: linux/amd64,linux/arm64
          cache-from: type=registry,ref=${{ env.IMAGE }}:cache
          secrets: |
            npm=secret
      - uses: docker/build-push-action@v6
  late:
    steps: [{uses: docker/build-push-action@v6, with: {build-args: "SHA=${{ github.sha }}"}}]
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_ENV", "yes")
    path = write(tmp_path, "compose.yaml", COMPOSE)
    web, api = compose_definitions(path)
    assert web == Definition(
        name="web",
        context=str(tmp_path / "web"),
        dockerfile=str(tmp_path / "web" / "docker" / "Dockerfile"),
        target="app",
        args={"V": "1", "FROM_ENV": "yes"},
        contexts={"lib": str(tmp_path / ".." / "lib"), "base": "docker-image://alpine:3"},
        platforms=("linux/amd64", "linux/arm64"),
        cache_from=("type=gha,scope=web",),
        secrets=("npm", "token"),
    )
    assert api == Definition(name="api", context=str(tmp_path / "api"))
    assert compose_definitions(path, ["api"]) == [api]


def test_what_compose_does_not_say(tmp_path: Path) -> None:
    path = write(tmp_path, "compose.yaml", COMPOSE)
    with pytest.raises(UnknownNameError, match="no service 'db'"):
        compose_definitions(path, ["db"])
    unset = write(tmp_path, "unset.yaml", "services: {w: {build: {context: $NOWHERE_SET}}}")
    with pytest.raises(UsageError, match=r"services\.w\.build\.context: variable NOWHERE_SET is not set"):
        compose_definitions(unset)
    with pytest.raises(UsageError, match="it builds nothing"):
        compose_definitions(write(tmp_path, "none.yaml", "services: {w: {image: x}}"))


@pytest.mark.parametrize("form", ["hcl", "json"])
def test_bake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setenv("TAG", "v2")
    document = {
        "variable": {"TAG": {"default": "latest"}},
        "group": {"default": {"targets": ["web", "more"]}, "more": {"targets": ["api"]}},
        "target": {
            "_base": {"args": {"A": "1", "B": "2"}, "platforms": ["linux/amd64"]},
            "web": {
                "inherits": ["_base"],
                "context": "web",
                "args": {"B": "3"},
                "cache-from": ["type=registry,ref=app:${TAG}"],
            },
            "api": {"dockerfile": "api.Dockerfile", "contexts": {"lib": "target:web"}, "secret": ["id=npm"]},
        },
    }
    path = write(tmp_path, f"docker-bake.{form}", BAKE if form == "hcl" else json.dumps(document))
    assert bake_definitions(path) == [
        Definition(
            name="web",
            context="web",
            args={"A": "1", "B": "3"},
            platforms=("linux/amd64",),
            cache_from=("type=registry,ref=app:v2",),
        ),
        Definition(
            name="api", context=".", dockerfile="api.Dockerfile", contexts={"lib": "target:web"}, secrets=("id=npm",)
        ),
    ]
    with pytest.raises(UnknownNameError, match="no target 'none'"):
        bake_definitions(path, ["none"])


def test_what_only_bake_works_out(tmp_path: Path) -> None:
    path = write(tmp_path, "docker-bake.hcl", BAKE)
    with pytest.raises(UsageError, match=r"target\.odd\.args: only bake works out timestamp\(\.\.\)"):
        bake_definitions(path, ["odd"])
    circle = write(tmp_path, "circle.json", '{"target": {"a": {"inherits": ["a"]}}}')
    with pytest.raises(UsageError, match="target a inherits itself"):
        bake_definitions(circle, ["a"])


def test_workflow(tmp_path: Path) -> None:
    path = write(tmp_path, "build.yml", WORKFLOW)
    first, second = workflow_definitions(path, ["build"])
    assert first == Definition(
        name="build",
        context="app",
        dockerfile="app/prod.Dockerfile",
        args={"A": "1", "B": "x=y"},
        platforms=("linux/amd64", "linux/arm64"),
        cache_from=("type=registry,ref=ghcr.io/acme/app:cache",),
        secrets=("npm",),
    )
    assert second == Definition(name="build-2")
    with pytest.raises(UnknownNameError, match="no job 'test' that builds"):
        workflow_definitions(path, ["test"])
    with pytest.raises(UsageError, match=r"jobs\.late\.steps\[0\]\.with\.build-args"):
        workflow_definitions(path, ["late"])


ALIKE = {
    "no_cache_filter": ("deps",),
    "network": "none",
    "hosts": ("db=10.0.0.1",),
    "shm_size": "64m",
    "ulimits": ("nofile=1024:2048",),
    "allow": ("network.host",),
}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "docker-bake.hcl",
            """target "default" {
              no-cache-filter = ["deps"]
              network = "none"
              extra-hosts = {db = "10.0.0.1"}
              shm-size = "64m"
              ulimits = ["nofile=1024:2048"]
              entitlements = ["network.host"]
            }""",
            ALIKE,
        ),
        (
            "compose.yaml",
            """services:
              web:
                build:
                  no_cache: true
                  network: none
                  extra_hosts: {db: 10.0.0.1}
                  shm_size: 64m
                  ulimits: {nofile: {soft: 1024, hard: 2048}}
                  entitlements: [network.host]""",
            {**ALIKE, "no_cache": True, "no_cache_filter": ()},
        ),
        (
            "ci.yml",
            """jobs:
              build:
                steps:
                  - uses: docker/build-push-action@v6
                    with:
                      no-cache-filters: deps
                      network: none
                      add-hosts: db=10.0.0.1
                      shm-size: 64m
                      ulimit: nofile=1024:2048
                      allow: network.host""",
            ALIKE,
        ),
    ],
)
def test_what_else_a_key_is_made_of(tmp_path: Path, name: str, text: str, expected: dict[str, object]) -> None:
    path = tmp_path / name
    path.write_text(text)
    read: Mapping[str, Callable[[Path], list[Definition]]] = {
        "docker-bake.hcl": bake_definitions,
        "compose.yaml": compose_definitions,
        "ci.yml": workflow_definitions,
    }
    (found,) = read[name](path)
    assert {field: getattr(found, field) for field in expected} == expected


MADE = """
variable "V" { default = "1" }
function "tagged" {
  params = [name]
  result = upper("${name}-${V}")
}
target "app" {
  name = "app-${arch}"
  matrix = { arch = ["amd64", "arm64"] }
  platforms = ["linux/${arch}"]
  args = { NAME = tagged(arch) }
  dockerfile-inline = <<EOT
FROM scratch
ENV V=${V} HOME=$${HOME}
EOT
}
"""


def test_a_matrix_with_functions_and_a_dockerfile_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, "docker-bake.hcl", MADE)
    expected = [
        Definition(
            name=f"app-{arch}",
            inline="FROM scratch\nENV V=1 HOME=${HOME}\n",
            args={"NAME": f"{arch.upper()}-1"},
            platforms=(f"linux/{arch}",),
        )
        for arch in ("amd64", "arm64")
    ]
    assert bake_definitions(path) == expected
    assert bake_definitions(path, ["app"]) == expected
    assert bake_definitions(path, ["app-arm64"]) == expected[1:]


PRINTED = {
    "group": {"default": {"targets": ["app"]}},
    "target": {
        "app": {
            "context": ".",
            "dockerfile": "Dockerfile",
            "dockerfile-inline": "FROM scratch\nENV HOME=$${HOME}\n",
            "cache-from": [{"ref": "app:cache", "type": "registry"}],
            "secret": [{"id": "npm", "src": "npmrc"}],
        }
    },
}


def test_what_bake_prints(tmp_path: Path) -> None:
    expected = Definition(
        name="app",
        dockerfile="Dockerfile",
        inline="FROM scratch\nENV HOME=${HOME}\n",
        cache_from=("type=registry,ref=app:cache",),
        secrets=("id=npm,src=npmrc",),
    )
    assert bake_definitions(Path("-"), text=json.dumps(PRINTED)) == [expected]
    assert bake_definitions(write(tmp_path, "printed.json", json.dumps(PRINTED))) == [expected]
    with pytest.raises(UnknownNameError, match="standard input: no target 'web'"):
        bake_definitions(Path("-"), ["web"], text=json.dumps(PRINTED))


def test_a_dockerfile_within_a_compose_file(tmp_path: Path) -> None:
    path = write(tmp_path, "compose.yaml", 'services: {w: {build: {dockerfile_inline: "FROM a\\nENV B=$$C\\n"}}}')
    assert compose_definitions(path) == [Definition(name="w", context=str(tmp_path), inline="FROM a\nENV B=$C\n")]
