"""Fixtures for every room: the real exports and BuildKit's verdicts on them."""

from __future__ import annotations

import json
import lzma
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest_plugins = ["tests.servers.github", "tests.servers.hostile", "tests.servers.objects", "tests.servers.registry"]

DATA = Path(__file__).parent / "data"
BUSYBOX = "7562242eb586238074602c0314a2d5e4080cbcd50a94d5b32f8dd1ba2c956004"


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


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the test data."""
    return DATA


@pytest.fixture(scope="session")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the real image layouts, whole. Shared by all tests: copy one before you change it."""
    folder = tmp_path_factory.mktemp("corpus") / "layouts"
    shutil.copytree(DATA / "layouts", folder)
    blob = folder / "scratch-file-inline" / "blobs" / "sha256" / BUSYBOX
    for layout in folder.iterdir():
        there = layout / "blobs" / "sha256" / BUSYBOX
        if not there.exists() and layout.name != "web-zstd":
            os.link(blob, there)
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
