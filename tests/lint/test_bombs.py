"""Small files that stand for gigabytes, or for hours: an error or the answer, in a second or two."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cachegraph.errors import CacheGraphError, DecodeError
from cachegraph.lint.files import specs_in_file
from cachegraph.loaders.limits import Limits

pytestmark = pytest.mark.slow  # files that are made to take long

ENV: dict[str, str] = {}
WORKFLOW = "jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          cache-from: "


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Each of these takes a second at most, however busy the machine is."""
    began = time.process_time()
    yield
    assert time.process_time() - began < 5


def laughs(template: str, reference: str, levels: int = 10) -> str:
    lines = [template.format(name="v0", value="ha" * 50)]
    lines += [
        template.format(name=f"v{level}", value=reference.format(f"v{level - 1}") * 10) for level in range(1, levels)
    ]
    return "\n".join(lines)


def write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_variables_of_a_bake_file_that_hold_ten_of_the_next(tmp_path: Path) -> None:
    text = laughs('variable "{name}" {{ default = "{value}" }}', "${{{}}}")
    text += '\ntarget "a" { cache-from = ["type=registry,ref=${v9}"] }\n'
    with pytest.raises(DecodeError, match="more than 1,048,576 bytes once its variables are filled in"):
        specs_in_file(write(tmp_path, "docker-bake.hcl", text), ENV)


def test_the_same_in_json(tmp_path: Path) -> None:
    variables = ",".join(
        f'"v{level}": {{"default": "{f"${{v{level - 1}}}" * 10 if level else "ha"}"}}' for level in range(12)
    )
    text = f'{{"variable": {{{variables}}}, "target": {{"a": {{"cache-from": ["${{v11}}"]}}}}}}'
    with pytest.raises(DecodeError, match="--limit expanded-bytes=NUMBER"):
        specs_in_file(write(tmp_path, "bake.json", text), ENV)
    small = text.replace("${v11}", "type=registry,ref=${v0}")
    assert [found.text for found in specs_in_file(write(tmp_path, "bake.json", small), ENV)] == ["type=registry,ref=ha"]


def test_env_of_a_workflow_that_holds_a_thousand_of_the_next(tmp_path: Path) -> None:
    text = (
        f"env: {{A: {'x' * 10_000}}}\njobs:\n  a:\n    env: {{B: '{'${{env.A}}' * 1000}'}}\n    steps:\n"
        f"      - env: {{C: '{'${{env.B}}' * 1000}'}}\n        run: docker build --cache-from '${{{{env.C}}}}' ."
    )
    with pytest.raises(DecodeError, match="once its variables are filled in"):
        specs_in_file(write(tmp_path, "ci.yml", text), ENV)


@pytest.mark.parametrize(
    "value",
    [
        "${{" + " " * 200_000 + "x",
        "${{ " * 50_000,
        "${{" + " " * 200_000 + "}",
        "${" * 200_000,
        "${A:-" * 100_000,
        "$" * 200_001,
    ],
)
def test_openings_without_an_end(tmp_path: Path, value: str) -> None:
    specs_in_file(write(tmp_path, "ci.yml", f"{WORKFLOW}'{value}'\n"), ENV)
    script = f"jobs:\n  a:\n    steps:\n      - run: 'docker build --cache-from {value} --cache-to={value}'\n"
    specs_in_file(write(tmp_path, "ci.yml", script), ENV)
    compose = f"services:\n  a:\n    build:\n      cache_from: ['{value}']\n"
    specs_in_file(write(tmp_path, "compose.yml", compose), ENV)
    bake = '{"target": {"a": {"cache-from": ["' + value + '"]}}}'
    specs_in_file(write(tmp_path, "bake.json", bake), ENV)


@pytest.mark.parametrize(
    "piece", ["--cache-from ${{", "--cache-from '", '--cache-from "\\', "--cache-from \\ ", "--set  "]
)
def test_options_without_an_end(tmp_path: Path, piece: str) -> None:
    text = f"jobs:\n  a:\n    steps:\n      - run: |\n          {piece * 20_000}\n"
    specs_in_file(write(tmp_path, "ci.yml", text), ENV)


def test_anchors_that_merge_ten_of_the_next(tmp_path: Path) -> None:
    lines = ["x0: &x0 {k: v}"]
    lines += [f"x{n}: &x{n} {{<<: [{', '.join([f'*x{n - 1}'] * 10)}]}}" for n in range(1, 12)]
    text = "\n".join([*lines, "services:", "  a:", "    <<: *x11", "    build: {cache_from: [x]}"])
    with pytest.raises(DecodeError, match="once its variables are filled in"):
        specs_in_file(write(tmp_path, "compose.yml", text), ENV)


def test_one_long_list_that_a_thousand_services_use(tmp_path: Path) -> None:
    entries = ", ".join(["x"] * 5000)
    services = "\n".join(f"  s{n}: {{build: {{cache_from: *l}}}}" for n in range(1000))
    text = f"x: &l [{entries}]\nservices:\n{services}\n"
    with pytest.raises(DecodeError, match="once its variables are filled in"):
        specs_in_file(write(tmp_path, "compose.yml", text), ENV)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.yml", "\0"),
        ("x.yml", "a: \x01"),
        ("x.yml", "services: \ufffe"),
        ("x.yml", "{" * 5000),
        ("x.yml", "[" * 5000 + "]" * 5000),
        ("x.yml", "? [a]\n: b\nservices: {? {a: b} : c}"),
        ("x.yml", "services: !!python/object/apply:os.system [ls]"),
        ("x.yml", "services: {<<: 7}"),
        ("x.yml", "services: &a {<<: *a}"),
        ("x.yml", "- services"),
        ("x.json", "[" * 100_000),
        ("x.json", "9" * 100_000),
        ("x.json", '{"target": 9}'),
        ("x.hcl", "target \\ {}"),
        ("x.hcl", 'target "\\q" {}'),
        ("x.hcl", "target a b c {}"),
        ("x.hcl", "x = " + "(" * 2000),
        ("x.hcl", "x = " + "[" * 2000 + "]" * 2000),
        ("x.hcl", 'target "a" { cache-from = ["\\ud800"] }'),
    ],
)
def test_texts_that_are_none(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    told = []
    try:
        specs_in_file(path, ENV)
    except CacheGraphError as error:
        told.append(str(error))
    assert all(str(path) in said for said in told)


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "x.yml", "services: {}\n" * 100)
    with pytest.raises(
        DecodeError, match=r"more than 1,000 bytes \(if you trust it, allow more with --limit settings-bytes"
    ):
        specs_in_file(path, ENV, Limits(settings_bytes=1000))
