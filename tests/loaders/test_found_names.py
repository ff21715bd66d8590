"""Names that nobody asked for: from an image's history, its provenance, its neighbours, and a Dockerfile beside."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import cachegraph as cg
from cachegraph.builds.history_names import history_name
from cachegraph.builds.step_lines import step_lines
from cachegraph.cli.app import app
from cachegraph.core.model import Name, Names
from cachegraph.loaders.base import Options
from cachegraph.loaders.names.found import _likely, found_names
from cachegraph.loaders.names.images import named_layers
from cachegraph.loaders.names.read import read_names
from tests.builders import export_graph, layers, record
from tests.builds.content.corpus import write_source
from tests.builds.truth import read

Push = Callable[[str, str], str]


def named(spec: str, *args: str) -> list[str | None]:
    """What ``records`` calls the records of the first export."""
    result = CliRunner().invoke(app, ["records", "--format", "json", spec, *args])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    return [row["name"] for row in rows if row["export"] == rows[0]["export"]]


# --- An image's history ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created_by", "op", "name"),
    [
        ("RUN /bin/sh -c npm ci # buildkit", "exec", "RUN npm ci"),
        ("RUN |2 A=1 B=x y /bin/sh -c make all # buildkit", "exec", "RUN make all"),
        ("RUN /bin/bash -euo pipefail -c make # buildkit", "exec", "RUN /bin/bash -euo pipefail -c make"),
        ("RUN /app/setup -c x # buildkit", "exec", "RUN /app/setup -c x"),
        ("COPY --chown=1 a b /src/ # buildkit", "file", "COPY --chown=1 a b /src/"),
        ("ADD https://x/y / # buildkit", "file", "ADD https://x/y /"),
        ("WORKDIR /src", "file", "WORKDIR /src"),
        ("RUN /bin/sh -c a \\\n  && b # buildkit", "exec", "RUN a && b"),
        ('CMD ["x"]', None, None),
        ("buildkit.exporter.image.v0", None, None),
        ("/bin/sh -c #(nop) ADD file:12 in / ", None, None),
        ("RUN", None, None),
        ("", None, None),
    ],
)
def test_what_made_a_layer(created_by: str, op: str | None, name: str | None) -> None:
    found = history_name(created_by)
    assert (found and found.op, found and found.name) == (op, name)


def test_a_command_of_several_lines_keeps_them() -> None:
    found = history_name("RUN /bin/sh -c a \\\n  && b # buildkit")
    assert found is not None
    assert found.text == "RUN a \\\n  && b"


def test_the_record_whose_result_ends_in_a_layer_has_the_name_of_its_history(layouts: Path) -> None:
    found = named(str(layouts / "web-oci"), "--no-names")
    assert found[5] == "RUN echo final > /final"
    assert found[11] == "COPY package.json /etc/pkg.json"
    assert found[8] == "merge of 2 inputs"  # ends in the same layer as record 2, and its digest says more
    assert found[2] == "COPY /src/dist /srv"
    assert found[10] == "files for COPY /src/dist /srv"  # the key of what that step takes
    assert found[3] is None


def test_a_layer_that_an_image_has_twice_names_nothing_unless_all_below_are_there() -> None:
    stack = tuple(layer for layer in layers(-1, 0, 1))
    twice = (stack[0], stack[1], type(stack[2])(blob="blob-1", parent=1))
    made = (Name(op="exec", name="RUN a"), Name(op="exec", name="RUN b"), Name(op="exec", name="RUN c"))
    graph = export_graph(
        record("root"),
        record("whole", [0], layer=2),
        record("alone", [0], chain=(2,)),
        record("first", [0], chain=(0,)),
        stack=twice,
        layer_names=made,
    )
    assert [name.name for name in graph.namings] == ["", "RUN c", "", "RUN a"]


def test_layers_of_another_image_are_told_by_all_below_them() -> None:
    found = named_layers(["a", "b", "c"], ["RUN /bin/sh -c x", "COPY y /", None])
    assert {key: name.name for key, name in found.items()} == {
        ("a",): "RUN x",
        ("a", "b"): "COPY y /",
        ("b",): "COPY y /",  # what --link copied lies in no other layer
    }
    graph = export_graph(
        record("root"),
        record("same", [0], chain=(0, 1)),
        record("link", [0], chain=(1,)),
        record("other", [0], chain=(1, 0)),
        stack=layers(-1, -1),
    )
    layered = Names(layers=named_layers(["blob-0", "blob-1"], ["RUN /bin/sh -c x", "COPY y /"]))
    again = type(graph)(graph.export, layered)
    assert [name.name for name in again.namings] == ["", "COPY y /", "COPY y /", ""]


def test_history_of_an_image_names_a_full_cache_of_the_same_build(layouts: Path) -> None:
    (graph,) = cg.load(str(layouts / "web-max"), names=str(layouts / "web-oci"))
    assert graph.naming(5).name == "RUN echo final > /final"
    assert graph.naming(2).name == "COPY /src/dist /srv"


# --- Provenance ------------------------------------------------------------------------------------------------------


def test_provenance_has_the_instruction_with_its_line(layouts: Path) -> None:
    names = read_names(str(layouts / "web-prov"), Options())
    found = sorted(name.name for name in names.records.values() if "Dockerfile:" in name.name)
    assert "COPY --link --from=build /src/dist /srv (Dockerfile:12)" in found
    assert "COPY app app (Dockerfile:6, 9)" in found
    assert all(name.places == () for name in names.records.values())  # of another Dockerfile than the one here, perhaps


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"locations": {"s": {}}},
        {"infos": [], "locations": {"s": {"locations": [{"ranges": [{"start": {"line": 1}, "end": {"line": 1}}]}]}}},
        {"infos": [{"data": "QQ=="}], "locations": {"s": {"locations": [{"ranges": [{"start": {"line": 2}}]}]}}},
        {"infos": [{"data": "QQ=="}], "locations": {"s": {"locations": [{"sourceIndex": 7}]}}},
    ],
)
def test_lines_that_are_not_there(source: object) -> None:
    metadata = {"buildkit_metadata": {"source": source}}
    assert step_lines(json.dumps({"runDetails": {"metadata": metadata}}).encode()) == {}
    old = {"https://mobyproject.org/buildkit@v1#metadata": {"source": source}}
    assert step_lines(json.dumps({"metadata": old}).encode()) == {}


def test_lines_of_the_older_provenance() -> None:
    source = {
        "infos": [{"filename": "D", "data": "RlJPTSBhClJVTiBiCg=="}],
        "locations": {"s": {"locations": [{"ranges": [{"start": {"line": 2}, "end": {"line": 2}}]}]}},
    }
    data = {"metadata": {"https://mobyproject.org/buildkit@v1#metadata": {"source": source}}}
    (found,) = step_lines(json.dumps(data).encode()).values()
    assert (found.text, found.file, found.lines) == ("RUN b", "D", (2,))


@pytest.mark.parametrize("name", ["go-cold", "copy-link", "two-platforms"])
def test_a_build_record_is_a_source_of_names(name: str) -> None:
    path = Path(__file__).parents[1] / "data" / "records" / f"{name}.dockerbuild"
    names = read_names(str(path), Options())
    assert sum("Dockerfile:" in found.name for found in names.records.values()) > 2


# --- What is looked at without being asked ---------------------------------------------------------------------------


def test_all_records_of_an_image_are_named_by_what_its_repository_holds(registry: str, push: Push) -> None:
    """An inline cache, a full cache, and an image with provenance, as docker/build-push-action leaves them."""
    push("web-oci", "found/web:latest")
    push("web-max", "found/web:cache")
    push("web-prov", "found/web:main")
    for tag in ("latest", "cache"):
        found = named(f"{registry}/found/web:{tag}")
        assert sum(name is not None for name in found) >= 0.9 * len(found)
        assert "COPY --link --from=test /report /report (Dockerfile:14)" in found
        assert None in named(f"{registry}/found/web:{tag}", "--no-names")


def test_a_repository_is_asked_for_little(registry: str, push: Push, registry_log: Path) -> None:
    for number in range(20):
        push("alternating-1", f"found/many:v{number}")
    push("web-oci", "found/many:cache")
    before = len(registry_log.read_text().splitlines())
    assert None in named(f"{registry}/found/many:cache")
    asked = registry_log.read_text().splitlines()[before:]
    assert sum("/manifests/v" in line for line in asked) <= 8
    assert len(asked) < 40


def test_other_registries_and_faults_cost_no_answer(refused: str) -> None:
    (graph,) = cg.load(str(Path(__file__).parents[1] / "data/layouts/web-oci"))
    import dataclasses

    gone = dataclasses.replace(graph.export, source=f"type=registry,ref={refused.partition('//')[2]}/a/b:c")
    assert found_names([gone], Options(timeout=1)) == Names()


def test_likely_tags_come_first() -> None:
    tags = ["1.0", "cache-main", "buildcache-x", "latest", "main", "main-abc", "v2"]
    assert _likely(tags, "cache-main") == ["main", "main-abc", "latest", "v2", "1.0", "buildcache-x"]


def test_a_dockerfile_beside_names_what_its_digests_prove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (case,) = (case for case in read("cases") if case["name"] == "copy-link-scratch")
    write_source(case["source"], tmp_path)
    (tmp_path / "cache.json").write_text(json.dumps(case["config"]))
    monkeypatch.chdir(tmp_path / "context")
    assert "COPY d /d (Dockerfile:4)" in named("../cache.json")
    assert set(named("../cache.json", "--no-names")) <= {None, "merge of 2 inputs"}
    monkeypatch.chdir(tmp_path)
    assert "COPY d /d (Dockerfile:4)" not in named("cache.json")


def test_a_dockerfile_that_cannot_be_read_costs_no_answer(
    tmp_path: Path, layouts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPPY a /\n")
    monkeypatch.chdir(tmp_path)
    assert len(named(str(layouts / "web-max"))) == 19


@pytest.fixture
def both(layouts: Path, tmp_path: Path) -> Path:
    """An image with inline cache and provenance, as ``--output type=oci`` writes it."""
    made = tmp_path / "both"
    shutil.copytree(layouts / "web-prov", made)
    shutil.copytree(layouts / "web-oci", made, dirs_exist_ok=True)
    entries = [
        entry
        for layout in ("web-oci", "web-prov")
        for entry in json.loads((layouts / layout / "index.json").read_text())["manifests"]
    ]
    (made / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": entries}))
    return made


def test_provenance_beside_an_inline_cache_in_a_layout(both: Path) -> None:
    found = named(str(both))
    assert all(found)
    assert "RUN echo installing && mkdir node_modules && echo dep > node_modules/dep (Dockerfile:4)" in found


INSTALL = "RUN echo installing && mkdir node_modules && echo dep > node_modules/dep (Dockerfile:4)"


@pytest.mark.parametrize(
    ("command", "step"),
    [
        (["explain", "BOTH", "--cache-from", "CHURN"], "COPY app app (Dockerfile:6, 9)"),
        (["diff", "CHURN", "BOTH"], INSTALL),
        (["why", "BOTH", "5"], "RUN echo final > /final (Dockerfile:15)"),
        (["inline-preview", "BOTH", "--image", "BOTH"], "RUN echo final > /final (Dockerfile:15)"),
        (["blast-radius", "BOTH"], INSTALL),
        (["simulate", "BOTH", "--change", "5"], "RUN echo final > /final (Dockerfile:15)"),
        (["show", "BOTH", "5"], "RUN echo final > /final (Dockerfile:15)"),
        (["query", "missing-results", "BOTH"], "WORKDIR /src (Dockerfile:2)"),
    ],
    ids=lambda given: given[0] if isinstance(given, list) else "",
)
def test_every_command_finds_the_same_names(command: list[str], step: str, both: Path, layouts: Path) -> None:
    places = {"BOTH": str(both), "CHURN": str(layouts / "web-churn")}
    given = [places.get(word, word) for word in command]
    with_names = CliRunner().invoke(app, [*given, "--format", "json"])
    without = CliRunner().invoke(app, [*given, "--format", "json", "--no-names"])
    assert with_names.exit_code == without.exit_code == 0, with_names.output
    assert step in with_names.stdout
    assert "Dockerfile:" not in without.stdout


def test_a_dockerfile_beside_names_what_was_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that went: the step is named in each of the exports, and in the pages that are made of them."""
    (case,) = (case for case in read("cases") if case["name"] == "copy-link-scratch")
    write_source(case["source"], tmp_path)
    (tmp_path / "old.json").write_text(json.dumps(case["config"]))
    records = [{key: value for key, value in one.items() if key != "layers"} for one in case["config"]["records"]]
    (tmp_path / "new.json").write_text(json.dumps(case["config"] | {"records": records}))
    monkeypatch.chdir(tmp_path / "context")
    old, new, step = "../old.json", "../new.json", "COPY d /d (Dockerfile:4)"
    for given in (
        ["diff", old, new],
        ["history", old, new, "--format", "json"],
        ["explain", old, "--cache-from", new],
        ["report", new, "--compare", old],
    ):
        result = CliRunner().invoke(app, given)
        assert result.exit_code == 0, result.output
        assert step in result.stdout, given
        assert step not in CliRunner().invoke(app, [*given, "--no-names"]).stdout, given
