"""Builds that are given as operations, against what BuildKit exported of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import cachegraph as cg
from cachegraph.builds.definitions import read_definition, read_recorded
from cachegraph.cli.app import app
from cachegraph.errors import CacheGraphError, DecodeError, NotFoundError
from cachegraph.given import build_given
from tests.builds.content.corpus import DATA, write_source
from tests.builds.truth import BASES, Json, export_of, read, same_records
from tests.causes.project import BASE, OTHER_BASE, Project, config_of

DEFINITIONS = DATA.parent / "definitions"
PROVENANCE = next((DATA.parent / "layouts" / "web-prov" / "blobs" / "sha256").glob("131dd7cfb693*"))
CASES = {case["name"]: case for case in read("cases")}
NAMES = sorted(path.stem for path in DEFINITIONS.glob("*.pb"))
"""Operations as BuildKit had them, written by its own ``solver/pb`` and in the form of ``buildctl debug dump-llb``."""


def build(path: Path, case: Json, root: Path) -> cg.CacheGraph:
    write_source(case["source"], root)
    return build_given(
        path, context=root / case["context"], images=BASES, builder="linux/amd64", secrets=list(case["secrets"])
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["pb", "jsonl"])
def test_the_records_are_those_that_buildkit_exports(name: str, kind: str, tmp_path: Path) -> None:
    case = CASES[name]
    made = build(DEFINITIONS / f"{name}.{kind}", case, tmp_path)
    export = export_of(case)
    found = same_records(made, export)
    assert all(found)
    records = export.graphs[0].export.config.records
    assert {i for i, record in enumerate(records) if record.inputs} <= {index for one in found for index in one}
    assert [step for step in cg.predict(made, export) if step.executed is not False] == []


def test_operations_are_called_as_the_definition_calls_them(tmp_path: Path) -> None:
    made = build(DEFINITIONS / "copy-chmod.pb", CASES["copy-chmod"], tmp_path)
    assert "[2/7] COPY --chmod=755 a.txt /1" in {name.name for name in made.graphs[0].names.records.values()}


def test_the_build_that_provenance_records_asks_for_the_images_that_it_had(tmp_path: Path) -> None:
    made = build_given(PROVENANCE, "provenance", builder="linux/amd64", offline=True)
    (graph,) = made.graphs
    export = cg.load(DATA.parent / "layouts" / "web-max")
    prediction = cg.predict(made, export)
    # The base image and what stands on it are known; what files of the context decide is not.
    assert [step.executed for step in prediction][:2] == [False, None]
    assert made.notes == ("the files of context are not known: give them with --build-context context=FOLDER",)
    assert (graph.export.config.records[0].digest, graph.export.config.records[1].inputs[0][0].link) in {
        (record.digest, 0) for record in export.graphs[0].export.config.records if not record.inputs
    }


def dumped(*operations: object) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in operations)


def test_an_operation_of_another_kind_makes_unknown_what_stands_on_it(tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_bytes(
        dumped(
            {"Digest": "a", "Op": {"Op": {"build": {}}}},
            {
                "Digest": "b",
                "Op": {
                    "inputs": [{"digest": "a"}],
                    "Op": {"exec": {"meta": {"args": ["x"], "cwd": "/"}, "mounts": [{"dest": "/"}]}},
                },
                "OpMetadata": {"ignore_cache": True},
            },
            {"Digest": "c", "Op": {"inputs": [{"digest": "b"}], "Op": {}}},
        )
    )
    made = build_given(path)
    assert [(step.operation.label.name, step.record is None) for step in made.steps] == [
        ("an operation", False),
        ("RUN x", False),
    ]
    assert [(step.name, step.executed, step.why) for step in cg.predict(made, ())] == [("RUN x", True, "asked-for")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it has no operations"),
        (b"\xff\xff\xff", "no protobuf"),
        (b"{}", "line 1 is no dumped operation"),
        (dumped({"Digest": "a", "Op": {"inputs": [{"digest": "b"}]}}), "takes b, which is not there"),
        (
            dumped(
                {"Digest": "a", "Op": {"inputs": [{"digest": "b"}], "Op": {"merge": {}}}},
                {"Digest": "b", "Op": {"inputs": [{"digest": "a"}], "Op": {"merge": {}}}},
            ),
            "in a loop",
        ),
        (dumped({"Digest": "a", "Op": {"inputs": [{"digest": "a"}], "Op": {"merge": {}}}}), "in a loop"),
    ],
)
def test_what_is_no_definition_is_refused(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "definition"
    path.write_bytes(data)
    with pytest.raises(DecodeError, match=words):
        build_given(path)


def test_provenance_without_operations_says_how_to_get_them() -> None:
    with pytest.raises(DecodeError, match="no operations") as caught:
        read_recorded(b'{"predicate": {"buildDefinition": {}}}', "p.json")
    assert caught.value.hint == "let the build write it with --provenance=mode=max"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such folder"):
        build_given(DEFINITIONS / "copy-chmod.pb", context=tmp_path / "none")


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda data: b"\x0a" + bytes([len(data)]) + data))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_definition(data, "x")
    except CacheGraphError as error:
        assert error.message  # noqa: PT017 - anything else is a traceback


def predict(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["predict", "--builder", "linux/amd64", "--image", str(BASES), *arguments])
    return result.exit_code, result.output


def test_predict_takes_a_definition_instead_of_a_dockerfile(tmp_path: Path) -> None:
    case = CASES["copy-chmod"]
    write_source(case["source"], tmp_path)
    cache = tmp_path / "cache.json"
    cache.write_text(json.dumps(case["config"]))
    context = str(tmp_path / case["context"])
    code, output = predict(context, "--llb", str(DEFINITIONS / "copy-chmod.pb"), "--cache-from", str(cache))
    assert code == 0
    assert "[2/7] COPY --chmod=755 a.txt /1" in output


@pytest.fixture
def chmod(tmp_path: Path) -> Project:
    """A build whose cache is in ``cache.json``, in a repository."""
    case = CASES["copy-chmod"]
    write_source(case["source"], tmp_path)
    (tmp_path / "cache.json").write_text(json.dumps(case["config"]))
    project = Project(tmp_path / case["context"])
    project.commit()
    return project


def test_a_file_that_changed_is_named_without_a_dockerfile(chmod: Project) -> None:
    (chmod.root / "a.txt").write_text("changed")
    commit = chmod.git("rev-parse", "--short=7", "HEAD").strip()
    cache = str(chmod.root.parent / "cache.json")
    code, output = predict(
        str(chmod.root), "--llb", str(DEFINITIONS / "copy-chmod.jsonl"), "--cache-from", cache, "--format", "json"
    )
    assert code == 0
    first, second, *_ = json.loads(output)["steps"]
    assert first["cause"]["commit"].startswith(commit)
    assert first["cause"]["paths"] == ["a.txt"]
    assert first["reason"].endswith("ago); since then a.txt was changed")
    assert second["reason"] == "[2/7] COPY --chmod=755 a.txt /1 is not cached, and this step stands on it"


def test_what_a_definition_leaves_out_is_left_out_of_the_commits_too(chmod: Project, tmp_path: Path) -> None:
    """As where a frontend was told the patterns: no .dockerignore says them."""
    (chmod.root / "d" / "left-out").write_text("")
    chmod.commit()
    text = (DEFINITIONS / "copy-chmod.jsonl").read_text()
    definition = tmp_path / "definition.jsonl"
    assert "local.sharedkeyhint" in text
    definition.write_text(
        text.replace('"local.sharedkeyhint"', '"local.excludepatterns":"[\\"d/left-out\\"]","local.sharedkeyhint"')
    )
    cache = tmp_path / "cache.json"
    cache.write_bytes(config_of(build_given(definition, context=chmod.root, images=BASES, builder="linux/amd64")))
    (chmod.root / "d" / "f").write_text("changed")
    code, output = predict(str(chmod.root), "--llb", str(definition), "--cache-from", str(cache), "--format", "json")
    assert code == 0
    assert [step["cause"] and step["cause"]["paths"] for step in json.loads(output)["steps"]] == [
        None,
        None,
        None,
        ["d/f"],
        None,
        None,
    ]


def test_another_base_image_is_named_without_a_dockerfile(chmod: Project, tmp_path: Path) -> None:
    definition = tmp_path / "moved.jsonl"
    definition.write_text((DEFINITIONS / "copy-chmod.jsonl").read_text().replace(BASE, OTHER_BASE))
    cache = str(chmod.root.parent / "cache.json")
    code, output = predict(str(chmod.root), "--llb", str(definition), "--cache-from", cache)
    assert code == 0
    said = "the image 127.0.0.1:15011/base/tool:1 is another one than in the cache: it is sha256:d2a67de27d38 now"
    assert said in " ".join(output.split())


def test_a_context_that_lacks_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, output = predict(str(tmp_path / "empty"), "--llb", str(DEFINITIONS / "copy-chmod.pb"))
    assert code == 3
    assert "[2/7] COPY --chmod=755 a.txt /1: /a.txt: not found" in output
    assert f"context is the folder {tmp_path / 'empty'}: name another with --build-context" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "x"], "--target is for a Dockerfile"),
        (["--build-arg", "A=1"], "--build-arg is for a Dockerfile"),
        (["--compare", "HEAD~1", "HEAD"], "--compare reads a Dockerfile"),
        (["--provenance", str(PROVENANCE)], "a prediction takes one"),
    ],
)
def test_what_belongs_to_a_dockerfile_is_refused(arguments: list[str], words: str) -> None:
    code, output = predict("--llb", str(DEFINITIONS / "copy-chmod.pb"), *arguments)
    assert code == 2
    assert words in output
