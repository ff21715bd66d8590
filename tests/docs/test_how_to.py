"""The how-to pages are true: each is followed from top to bottom, in a project with real caches and servers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cachegraph.server import VERSIONS, Login
from tests.docs.blocks import ROOT, blocks
from tests.docs.world import World
from tests.servers.github import MAIN, REST_TOKEN, GitHub, runtime_token
from tests.servers.objects import AZURE_ACCOUNT, AZURE_KEY, S3_KEY, S3_SECRET

PAGES = {path.stem: str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs" / "how-to").glob("*.md"))}
OTHERS = {"read-a-cache", "try-it", "watch-a-fleet"}
"""Those that need more than a registry, or less."""


@pytest.mark.parametrize("page", sorted(PAGES.keys() - OTHERS))
def test_a_page_works(page: str, world: World) -> None:
    for block in blocks(PAGES[page]):
        world.follow(block)


def test_trying_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks(PAGES["try-it"]):
        World(tmp_path).follow(block)


def test_reading_caches_from_everywhere(
    world: World,
    s3_endpoint: str,
    s3_bucket: str,
    aws_settings: Path,
    azure_account: str,
    azure_container: str,
    filled: GitHub,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", S3_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", S3_SECRET)
    monkeypatch.setenv("ACTIONS_RESULTS_URL", filled.url)
    monkeypatch.setenv("ACTIONS_RUNTIME_TOKEN", runtime_token(MAIN))
    monkeypatch.setenv("GITHUB_TOKEN", REST_TOKEN)
    world.names |= {
        "https://acme.blob.core.windows.net": azure_account,
        "container=cache": f"container={azure_container}",
        "$AZURE_KEY": f"{AZURE_KEY},account_name={AZURE_ACCOUNT}",
    }
    bake = f'target "app" {{ cache-from = ["type=registry,ref={world.names["registry.example.com"]}/app:cache"] }}'
    (world.folder / "docker-bake.hcl").write_text(bake)
    for block in blocks(PAGES["read-a-cache"]):
        world.follow(block)


@pytest.mark.parametrize("neo4j_server", VERSIONS[:1], indirect=True)
def test_watching_a_fleet(world: World, clean_neo4j: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_URI", clean_neo4j.uri)
    monkeypatch.setenv("NEO4J_USERNAME", clean_neo4j.username)
    monkeypatch.setenv("NEO4J_PASSWORD", clean_neo4j.password)
    for block in blocks(PAGES["watch-a-fleet"]):
        world.follow(block)


def test_every_page_is_a_short_one_named_by_its_task() -> None:
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    tasks = dict(re.findall(r"^\| [^|]+ \| \[([^\]]+)\]\(how-to/([\w-]+)\.md\) \|$", index, re.MULTILINE))
    titles = {}
    for name, page in PAGES.items():
        text = (ROOT / page).read_text("utf-8")
        titles[text.partition("\n")[0].removeprefix("# ")] = name
        assert len(text.splitlines()) < 90, page
        assert any(block.language == "console" for block in blocks(page)), page
    try_it = next(title for title, name in titles.items() if name == "try-it")
    assert tasks == {title: name for title, name in titles.items() if title != try_it}
    assert "(how-to/try-it.md)" in index
