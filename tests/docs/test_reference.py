"""Pages that explain or list are true where they show commands, code or files."""

from __future__ import annotations

import configparser
import json
import lzma
import re
from collections.abc import Callable
from datetime import date
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from cachegraph.reports.settings import read_settings
from cachegraph.server import VERSIONS, Login
from tests.docs.blocks import ROOT, blocks
from tests.docs.world import DATA, World, keep_config


@pytest.mark.parametrize("page", ["cache", "ci", "report", "solver", "verdict"])
def test_a_page_works(page: str, world: World) -> None:
    (world.folder / "tests").symlink_to(ROOT / "tests")
    for block in blocks(f"docs/{page}.md"):
        world.follow(block)


def test_the_page_on_daemons(
    world: World, serve: Callable[..., str], reply: Callable[..., None], tmp_path: Path
) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        name = {"/debug/cache/store": "cache-store", "/debug/cache/all": "cache-all"}[request.path.split("?")[0]]
        reply(request, 200, lzma.decompress((DATA / "daemon" / f"{name}.json.xz").read_bytes()))

    world.names["127.0.0.1:6060"] = serve(answer)
    for name in ("cache.db", "cache-debug.db"):
        (tmp_path / name).write_bytes(lzma.decompress((DATA / "daemon" / f"{name}.xz").read_bytes()))
        world.names[f"/var/lib/buildkit/{name}"] = str(tmp_path / name)
    for block in blocks("docs/daemon.md"):
        world.follow(block)


@pytest.mark.parametrize("neo4j_server", VERSIONS[:1], indirect=True)
def test_the_operations_handbook(
    world: World, registry: str, registry_storage: Path, clean_neo4j: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_URI", clean_neo4j.uri)
    monkeypatch.setenv("NEO4J_USERNAME", clean_neo4j.username)
    monkeypatch.setenv("NEO4J_PASSWORD", clean_neo4j.password)
    world.run("cachegraph load --all-tags registry.example.com/web --neo4j")
    for cache in ("max", "inline"):  # two nights
        config = (DATA / "cold" / f"{cache}.json").read_bytes()
        keep_config(config, registry_storage, registry, "app:nightly")
        world.run("cachegraph load registry.example.com/app:nightly --neo4j")
    world.names["SOURCE"] = world.real("type=registry,ref=registry.example.com/web:cache-small")
    for block in blocks("docs/ops.md"):
        world.follow(block)
        if block.language == "cypher":
            world.run(f'cachegraph cypher -e "{" ".join(block.text.split())}"')


def test_the_record_that_the_picture_book_takes_apart_is_a_real_one() -> None:
    by_language = {block.language: block.text for block in blocks("docs/cache.md")}
    config = json.loads((DATA / "cold" / "max.json").read_bytes())
    assert json.loads(by_language["json"]) == config["records"][7]
    dockerfile = (DATA / "cold" / "Dockerfile").read_text()
    for name in ("tool", "run"):
        dockerfile = dockerfile.replace(f"127.0.0.1:15011/base/{name}:1", name)
    assert by_language["dockerfile"] in dockerfile


def test_the_settings_on_the_page_about_ci_are_read(tmp_path: Path) -> None:
    (text,) = [block.text for block in blocks("docs/ci.md") if block.language == "toml"]
    (tmp_path / "cachegraph.toml").write_text(text)
    (setting,) = read_settings(tmp_path / "cachegraph.toml")
    assert (setting.code, setting.severity, setting.expires) == ("CG104", "ignore", date(2026, 12, 31))


def test_the_resolvers_settings_are_a_file_of_that_kind() -> None:
    (text,) = [block.text for block in blocks("docs/server.md") if block.language == "ini"]
    found = configparser.ConfigParser()
    found.read_string(text)
    assert list(found["repositories"]) == ["central"]


def test_the_symptoms_of_the_runbooks_are_what_cachegraph_says() -> None:
    page = (ROOT / "docs" / "ops.md").read_text("utf-8")
    table = page.split("| symptom | runbook |", 1)[1].split("\n\n", 1)[0]
    code = "".join(path.read_text("utf-8") for path in (ROOT / "cachegraph" / "stores").rglob("*.py"))
    of_buildkit = {"not found", "error writing layer blob"}
    said = set(re.findall(r"`([^`]+)`", table)) - of_buildkit
    assert said == {symptom for symptom in said if symptom in code}
    assert len(said) == 4
    assert set(re.findall(r"\(#([\w-]+)\)", table)) <= {
        _anchor(title) for title in re.findall(r"^#+ (.*)$", page, re.M)
    }


def _anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def test_every_notebook_is_listed() -> None:
    page = (ROOT / "docs" / "tutorials" / "notebook.md").read_text("utf-8")
    listed = re.findall(r"^\| `(\d\d_\w+)` \|", page, re.MULTILINE)
    assert listed == sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
