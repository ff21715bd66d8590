"""Names from a Dockerfile: lines for the records of caches that real builds left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from cachegraph.errors import CacheGraphError, NotFoundError
from cachegraph.loaders.base import Options
from cachegraph.loaders.names.read import read_names, read_texts
from cachegraph.reading import from_config
from tests.builds.content.corpus import write_source
from tests.builds.truth import read


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder that a real build was made of."""
    (case,) = (case for case in read("cases") if case["name"] == "copy-link-scratch")
    write_source(case["source"], tmp_path)
    (tmp_path / "cache.json").write_text(json.dumps(case["config"]))
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


def names(project: Path, source: str) -> list[str]:
    """What the records of the real cache are called, without those that have no name."""
    graph = from_config((project / "cache.json").read_bytes(), names=read_names(source, Options()))
    found = graph.records["record_name"].dropna()
    return sorted(name for name in found if not name.startswith("files for "))  # what follows from the others


def test_instructions_with_their_lines(project: Path) -> None:
    assert names(project, str(project / "context/Dockerfile")) == [
        "COPY --link a.txt /a (Dockerfile:2)",
        "COPY --link b.txt /b (Dockerfile:3)",
        "COPY d /d (Dockerfile:4)",
        "LINK COPY --link b.txt /b (Dockerfile:3)",
    ]


@pytest.mark.parametrize("spec", ["{0}/Dockerfile:{0}", "type=dockerfile,src={0}/Dockerfile,context={0}", "{0}"])
def test_what_they_take_from_a_context(project: Path, spec: str) -> None:
    found = names(project, spec.format(project / "context"))
    assert [name for name in found if name.startswith("content")] == [
        "content of /a.txt (Dockerfile:2)",
        "content of /b.txt (Dockerfile:3)",
        "content of /d (Dockerfile:4)",
    ]


def test_the_folder_that_a_build_is_run_in(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "context")
    assert names(project, ".") == names(project, "Dockerfile:.")
    Path("index.json").write_text('{"manifests": []}')  # a layout: what it holds counts
    with pytest.raises(NotFoundError, match="no provenance that names a step"):
        read_names(".", Options())
    (project / "empty").mkdir()
    with pytest.raises(
        NotFoundError, match=r"no index\.json \(give an OCI image layout, or a folder with a Dockerfile\)"
    ):
        read_names(str(project / "empty"), Options())


def test_every_stage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "build.txt"
    path.write_text("# what another target needs\n\nFROM scratch AS one\nCOPY a /\nFROM scratch\nCOPY a /\nCOPY b /\n")
    texts = read_texts(str(path), Options())
    assert sorted(name.name for name in texts.names.values()) == [
        "COPY a / (build.txt:6); COPY a / (build.txt:4)",
        "COPY b / (build.txt:7)",
    ]


def test_a_dockerfile_that_is_refused_names_nothing_and_says_its_line(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("FROM scratch\nCOPPY a /\n")
    with pytest.raises(CacheGraphError, match=r"Dockerfile.*2.*unknown instruction: COPPY"):
        read_names(str(path), Options())


def test_a_dockerfile_without_an_instruction_that_has_a_key(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("FROM scratch\nCMD true\n")
    with pytest.raises(NotFoundError, match="no name in it"):
        read_names(str(path), Options())


def test_findings_and_explain_point_at_lines(project: Path) -> None:
    cache, source = str(project / "cache.json"), str(project / "context/Dockerfile")
    answer = run("records", "--format", "json", "--names", source, cache)
    assert "COPY d /d (Dockerfile:4)" in answer.stdout
    explained = run("explain", "--names", source, "--cache-from", cache, cache)
    assert explained.exit_code == 0, explained.output


def test_sarif_points_at_lines(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The findings are about what line 3 asks for: its layer can only be loaded in a merge."""
    monkeypatch.chdir(project)
    log = json.loads(run("check", "-f", "sarif", "--names", "context/Dockerfile", "cache.json").stdout)
    places = [place for result in log["runs"][0]["results"] for place in result["locations"]]
    lines = {
        (place["physicalLocation"]["artifactLocation"]["uri"], place["physicalLocation"]["region"]["startLine"])
        for place in places
        if "#records[" in place["logicalLocations"][0]["fullyQualifiedName"]
    }
    assert ("context/Dockerfile", 3) in lines
    # What no instruction asks for (a source, a merge) is a matter of the cache itself.
    assert lines <= {("context/Dockerfile", 3), ("cache.json", 1)}
