"""Cache entries in bake files, compose files and workflows."""

from __future__ import annotations

from pathlib import Path

import pytest

from cachegraph.errors import DecodeError, NotFoundError, SourceError, SpecError
from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.files import FoundSpec, specs_in_file
from cachegraph.lint.holes import Holes
from cachegraph.lint.interpolation import interpolated
from cachegraph.lint.values import Place
from cachegraph.loaders.limits import DEFAULT

BAKE = r"""
# The variables of the environment come first.
variable "TAG" { default = "latest" }
variable "REGISTRY" {}
variable "REPO" { default = "${REGISTRY}/app" }
variable "CACHE" { default = "example.com/app:${TAG}" }
variable "MORE" { default = ["type=gha", "type=local,src=more"] }
variable "LOOP" { default = "${LOOP}" }
variable "RETRIES" { default = 3 }

group "default" { targets = ["web"] }

target "web" {
  cache-from = [
    "type=registry,ref=${CACHE}",
    { type = "gha", scope = "web-${TAG}" },
    CACHE,
    "ref-of-${REPO}",
    "${upper(TAG)}",
    "${LOOP}",
    "type=local,src=a\"b$${c}",
    "type=s3,bucket=${RETRIES},name=x",
  ]
  cache-to = concat(["type=inline"], MORE)
}

target "api" {
  inherits   = ["web"]
  cache-from = MORE
  cache-to   = []
}
"""


def found(tmp_path: Path, name: str, text: str, **environ: str) -> list[tuple[str, str, str | None]]:
    """Return path, direction and text of each entry; the reason in angles where there is no text."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return [(spec.path, spec.direction, spec.text or f"<{spec.reason}>") for spec in specs_in_file(path, environ)]


def test_bake_hcl(tmp_path: Path) -> None:
    assert found(tmp_path, "docker-bake.hcl", BAKE) == [
        # What a variable brings is where the variable is set.
        ("target.api.cache-from[0]", "from", "type=gha"),
        ("target.api.cache-from[1]", "from", "type=local,src=more"),
        ("target.web.cache-to[1]", "to", "type=gha"),
        ("target.web.cache-to[2]", "to", "type=local,src=more"),
        ("target.web.cache-from[0]", "from", "type=registry,ref=example.com/app:latest"),
        ("target.web.cache-from[1]", "from", "type=gha,scope=web-latest"),
        ("target.web.cache-from[2]", "from", "example.com/app:latest"),
        ("target.web.cache-from[3]", "from", "<variable REGISTRY has no default and is not set>"),
        ("target.web.cache-from[4]", "from", "LATEST"),
        ("target.web.cache-from[5]", "from", "<variable LOOP is defined by itself>"),
        ("target.web.cache-from[6]", "from", 'type=local,src=a"b${c}'),
        ("target.web.cache-from[7]", "from", "type=s3,bucket=3,name=x"),
        ("target.web.cache-to[0]", "to", "type=inline"),
    ]


def test_bake_variables_of_the_environment(tmp_path: Path) -> None:
    entries = found(tmp_path, "docker-bake.hcl", BAKE, TAG="v${2}", REGISTRY="r.example.com", UNRELATED="x")
    assert entries[4] == ("target.web.cache-from[0]", "from", "type=registry,ref=example.com/app:v${2}")
    assert entries[7] == ("target.web.cache-from[3]", "from", "ref-of-r.example.com/app")


def test_bake_json(tmp_path: Path) -> None:
    text = """{"variable": {"TAG": {"default": "latest"}},
               "target": {"web": {"cache-from": ["app:${TAG}", {"type": "local", "src": "${NOPE}"}],
                                  "cache-to": "type=inline"}, "odd": 7}}"""
    assert found(tmp_path, "docker-bake.json", text) == [
        ("target.web.cache-from[0]", "from", "app:latest"),
        ("target.web.cache-from[1]", "from", "<NOPE is not a variable of this file>"),
        ("target.web.cache-to[0]", "to", "type=inline"),
    ]


COMPOSE = """
x-cache: &cache
  cache_from:
    - "type=registry,ref=app:${TAG:-latest}"
services:
  web:
    build:
      <<: *cache
      context: .
      cache_to: ["type=local,dest=$$HOME/${NOPE}", "type=gha,scope=${SCOPE?needed}"]
      x-bake:
        cache-from: type=gha
  db:
    image: postgres
  short:
    build: .
"""


def test_compose(tmp_path: Path) -> None:
    assert found(tmp_path, "compose.yaml", COMPOSE, SCOPE="s") == [
        ("services.web.build.cache_from[0]", "from", "type=registry,ref=app:latest"),
        ("services.web.build.cache_to[0]", "to", "<variable NOPE is not set>"),
        ("services.web.build.cache_to[1]", "to", "type=gha,scope=s"),
        ("services.web.build.x-bake.cache-from[0]", "from", "type=gha"),
    ]


def test_places(tmp_path: Path) -> None:
    path = tmp_path / "compose.yml"
    path.write_text(COMPOSE)
    first, second, *_ = specs_in_file(path, {})
    assert first.place == f"{path}:4: services.web.build.cache_from[0]"
    assert (second.line, second.file) == (10, str(path))
    assert FoundSpec(file="b.hcl", path="target.x", direction="to").place == "b.hcl: target.x"


WORKFLOW = r"""
on: push
env:
  IMAGE: ghcr.io/acme/app
  SECRET: ${{ secrets.TOKEN }}
jobs:
  build:
    env: {SCOPE: "${{ env.IMAGE }}-web"}
    steps:
      - uses: actions/checkout@v5
      - uses: docker/build-push-action@v6
        with:
          push: true
          cache-from: |
            # what main wrote
            type=gha,scope=${{ env.SCOPE }}

            type=registry,ref=${{ env.IMAGE }}:${{ github.ref_name }}
          cache-to: type=inline
      - uses: docker/bake-action@0123456789abcdef
        env: {IMAGE: other}
        with:
          set: |
            *.cache-from=type=registry,ref=${{ env.IMAGE }}:cache
            *.platform=linux/amd64
            web.cache-to+=type=gha,mode=max
      - run: |
          # docker build --cache-from never
          docker buildx build --cache-from type=local,src=cache \
            --cache-from="type=registry,ref=$IMAGE:cache" \
            --cache-to 'type=local,dest=my cache' . && echo done
          docker buildx bake --set "*.cache-from=type=gha,scope=${SCOPE}" --set web.args.X=1
          docker build --cache-from ${{ env.SECRET }} --cache-to type=s3,bucket=$BUCKET,name=x; true
  reuse:
    uses: ./.github/workflows/other.yml
"""


def test_workflow(tmp_path: Path) -> None:
    path = tmp_path / "ci.yml"
    path.write_text(WORKFLOW)
    steps = "jobs.build.steps"
    assert [
        (spec.line, spec.path, spec.direction, spec.text or f"<{spec.reason}>") for spec in specs_in_file(path)
    ] == [
        (16, f"{steps}[1].with.cache-from", "from", "type=gha,scope=ghcr.io/acme/app-web"),
        (18, f"{steps}[1].with.cache-from", "from", "<${{ github.ref_name }} is known only while the workflow runs>"),
        (19, f"{steps}[1].with.cache-to", "to", "type=inline"),
        (24, f"{steps}[2].with.set", "from", "type=registry,ref=other:cache"),
        (26, f"{steps}[2].with.set", "to", "type=gha,mode=max"),
        (29, f"{steps}[3].run", "from", "type=local,src=cache"),
        (30, f"{steps}[3].run", "from", "type=registry,ref=ghcr.io/acme/app:cache"),
        (31, f"{steps}[3].run", "to", "type=local,dest=my cache"),
        (32, f"{steps}[3].run", "from", "type=gha,scope=ghcr.io/acme/app-web"),
        (33, f"{steps}[3].run", "from", "<${{ secrets.TOKEN }} is known only while the workflow runs: it is a secret>"),
        (33, f"{steps}[3].run", "to", "<variable BUCKET is not set in this step>"),
    ]


def test_composite_action(tmp_path: Path) -> None:
    text = """
runs:
  using: composite
  steps:
    - uses: docker/build-push-action@v6
      with: {cache-from: "type=gha,scope=${{ inputs.scope }}", cache-to: type=gha}
"""
    assert found(tmp_path, "action.yml", text) == [
        (
            "runs.steps[0].with.cache-from",
            "from",
            "<${{ inputs.scope }} is known only while the workflow runs: whoever starts it gives it>",
        ),
        ("runs.steps[0].with.cache-to", "to", "type=gha"),
    ]


def filled(text: str, **variables: str) -> str:
    """Fill in variables; what is not known is a star."""
    holes = Holes()
    made = interpolated(text, variables.get, holes, ExpansionBudget("x", DEFAULT))
    return holes.value(made, Place(file="x")).pattern


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$A-${A}-$$A", "1-1-$A"),
        ("${EMPTY-x}${EMPTY:-x}${B-y}${B:-}", "xy"),
        ("${A:+set}${B:+set}${EMPTY+set}${EMPTY:+no}", "setset"),
        ("${A:?must}", "1"),
        ("${B:-${EMPTY:-a${A}}}", "a1"),
        ("$B", "*"),
        ("x${B}y", "x*y"),
        ("${EMPTY:?must}", "*"),
        ("${B:-${C}}", "*"),
        ("${A%x}", "*"),
        ("${!A}", "*"),
        ("$", "$"),
        ("${A", "1"),
    ],
)
def test_variables(text: str, expanded: str) -> None:
    assert filled(text, A="1", EMPTY="") == expanded


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("docker-bake.hcl", "target x {", DecodeError, "not HCL at line 1"),
        ("docker-bake.json", "{", DecodeError, "not JSON: "),
        ("docker-bake.json", "[" * 100_000, DecodeError, "not JSON: "),
        ("docker-bake.json", "[]", DecodeError, "a bake file is a JSON object"),
        ("ci.yml", "a: [", DecodeError, "not YAML at line 2: did not find expected node content"),
        ("ci.yml", "", DecodeError, "neither a compose file, a workflow nor an action"),
        ("ci.yml", "- services", DecodeError, "neither a compose file, a workflow nor an action"),
        ("ci.yml", "[" * 20_000, DecodeError, "not YAML"),
        ("Dockerfile", "FROM x", SpecError, "no suffix is not a kind of file that holds cache entries"),
        ("compose.yaml", "#" * 5_000_000, DecodeError, "more than 4,194,304 bytes"),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, name: str, text: str, error: type[SourceError | SpecError], message: str
) -> None:
    with pytest.raises(error, match=message):
        found(tmp_path, name, text)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"ci\.yml: there is no such file"):
        specs_in_file(tmp_path / "ci.yml")
    (tmp_path / "folder.yml").mkdir()
    with pytest.raises(SourceError, match=r"folder\.yml: this is a directory"):
        specs_in_file(tmp_path / "folder.yml")
    (tmp_path / "odd.yml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(DecodeError, match=r"odd\.yml: not UTF-8"):
        specs_in_file(tmp_path / "odd.yml")


def test_a_yaml_bomb_is_harmless(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    text = "\n".join([*lines, "services: {web: {build: {cache_from: *a59, cache_to: [type=inline]}}}"])
    assert found(tmp_path, "compose.yaml", text)[-1] == ("services.web.build.cache_to[0]", "to", "type=inline")


def test_a_mapping_that_merges_itself_is_empty(tmp_path: Path) -> None:
    assert found(tmp_path, "compose.yaml", "services: &a\n  <<: *a") == []


SECRET = "Zq81secret"
SPEC = f"type=s3,secret_access_key={SECRET}"


def test_credentials_are_not_in_the_repr(tmp_path: Path) -> None:
    path = tmp_path / "docker-bake.json"
    path.write_text(f'{{"target": {{"web": {{"cache-from": ["{SPEC}"]}}}}}}')
    (spec,) = specs_in_file(path)
    assert spec.text == SPEC
    assert SECRET not in repr(spec)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("docker-bake.hcl", f'target "x" {{ cache-from = bcrypt(["{SPEC}"]) }}'),
        ("docker-bake.hcl", f'target "x" {{ cache-from = ["${{bcrypt("{SECRET}")}}"] }}'),
        ("compose.yml", f"services: {{x: {{build: {{cache_from: ['${{A%{SECRET}}}']}}}}}}"),
        ("ci.yml", f"runs: {{steps: [{{run: \"docker build --cache-from ${{{{ hashFiles('{SECRET}') }}}}\"}}]}}"),
    ],
)
def test_credentials_are_not_in_a_reason(tmp_path: Path, name: str, text: str) -> None:
    ((_, _, reason),) = found(tmp_path, name, text)
    assert reason is not None
    assert reason.startswith("<")
    assert SECRET not in reason


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("docker-bake.hcl", f'target "x" {{ "{SECRET}" "{SECRET}" }}'),
        ("docker-bake.json", f'{{"{SECRET}" "{SECRET}"'),
        ("ci.yml", f"services: [{SECRET}: {SECRET}"),
    ],
)
def test_credentials_are_not_in_an_error(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        found(tmp_path, name, text)
    assert SECRET not in str(caught.value)
