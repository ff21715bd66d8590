"""Fixtures for every room: the real exports and BuildKit's verdicts on them."""

from __future__ import annotations

import gc
import json
import lzma
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.servers.browser",
    "tests.servers.github",
    "tests.servers.hostile",
    "tests.servers.neo4j",
    "tests.servers.objects",
    "tests.servers.registry",
    "tests.servers.sharing",
    "tests.wheels",
]

# How long an example takes says nothing on a busy machine; pytest-timeout ends what hangs. `make quick` tries fewer.
settings.register_profile("whole", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=25)
settings.load_profile("whole")

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Verdict:
    """What BuildKit's importer made of a config."""

    name: str
    config: bytes
    blobs: list[str]
    error: str | None
    keys: int
    keys_with_results: int
    results: list[list[list[str]]]


MARKS = {
    "azurite_program": "server",
    "browser": "browser",
    "neo4j_jars": "server",
    "neo4j_servers": "server",
    "registry_program": "server",
}
"""Fixtures that need a program which is no Python package, and the mark that whatever uses them gets."""


@pytest.hookimpl(tryfirst=True)  # before marks are selected by -m
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server or a browser, so that no test has to say so."""
    for item in items:
        for fixture in MARKS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(MARKS[fixture])


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Keep what stays until the end, thousands of items and all modules, out of later collections of garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the test data."""
    return DATA


@pytest.fixture(scope="session")
def layouts() -> Path:
    """Folder of the real image layouts. Shared by all tests: copy one before you change it."""
    return DATA / "layouts"


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of thirty nightly exports of one build, with what ran in ``truth.json``. Copy one before you change it."""
    folder = tmp_path_factory.mktemp("series")
    with tarfile.open(DATA / "nights" / "nights.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "nights"


@pytest.fixture(scope="session")
def kept(nights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One directory to which every night wrote: it points at the last, and has the blobs of all."""
    folder = tmp_path_factory.mktemp("kept") / "cache"
    for night in sorted(nights.glob("night-*")):
        shutil.copytree(night, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def verdicts() -> list[Verdict]:
    """BuildKit's verdicts: on the real exports, then on 400 that were damaged on purpose."""
    return [verdict for name in ("real", "mutated") for verdict in _verdicts(DATA / "verdicts" / f"{name}.jsonl.xz")]


def _verdicts(path: Path) -> Iterator[Verdict]:
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            found = json.loads(line)
            buildkit = found["buildkit"]
            yield Verdict(
                name=found["name"],
                config=json.dumps(found["config"]).encode(),
                blobs=found["blobs"],
                error=buildkit["error"],
                keys=buildkit.get("keys", 0),
                keys_with_results=buildkit.get("keys_with_results", 0),
                results=buildkit.get("results", []),
            )
