"""Graphs of real exports, and a large made one."""

from __future__ import annotations

import json
import lzma
import random
from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.core.model import Name, Names
from cachegraph.core.operations import operation_digests

HOSTILE = "<img src=x onerror=\"document.title='broken'\"> & </script><script>document.title='broken'</script>\x1b[31m"


@pytest.fixture(scope="session")
def hostile() -> str:
    """A name that breaks a page which does not escape it."""
    return HOSTILE


@pytest.fixture
def scratch(layouts: Path) -> cg.CacheGraph:
    """The case that started it: record 1 is a lost root, record 2 the merge, record 5 an orphan."""
    return cg.load(str(layouts / "scratch-file-inline"))


@pytest.fixture
def named(scratch: cg.CacheGraph, hostile: str) -> cg.CacheGraph:
    """The same, with a hostile name for record 1."""
    export = scratch.graphs[0].export
    names = Names(records={export.config.records[1].digest: Name(op="file", name=hostile)})
    return cg.CacheGraph([export], names)


@pytest.fixture
def fleet(layouts: Path) -> cg.CacheGraph:
    """Four exports, two of them of one image."""
    return cg.load([str(layouts / name) for name in ("web-max", "web-multi-inline", "nested-inline")])


@pytest.fixture(scope="session")
def daemon(data: Path, tmp_path_factory: pytest.TempPathFactory) -> cg.CacheGraph:
    """A builder's own cache, which has no config."""
    database = tmp_path_factory.mktemp("daemon") / "cache.db"
    database.write_bytes(lzma.decompress((data / "daemon" / "cache.db.xz").read_bytes()))
    return cg.load(str(database))


@pytest.fixture(scope="session")
def large() -> cg.CacheGraph:
    """An export of 5,000 records, the first 60 of them roots."""
    dice = random.Random(1)
    merge = next(digest for digest, known in operation_digests().items() if known == ("merge", 2))
    records: list[dict[str, object]] = [{"digest": f"sha256:{dice.getrandbits(256):064x}"} for _ in range(60)]
    layers: list[dict[str, object]] = []
    for index in range(60, 5000):
        width = 1 + (dice.random() < 0.15)
        digest = merge if width == 2 else f"sha256:{dice.getrandbits(256):064x}"
        inputs = [[{"link": dice.randrange(max(0, index - 150), index)}] for _ in range(width)]
        record: dict[str, object] = {"digest": digest, "inputs": inputs}
        if dice.random() < 0.8:
            record["layers"] = [{"layer": len(layers), "createdAt": "2026-11-23T20:36:07.3Z"}]
            layers.append({"blob": f"sha256:{dice.getrandbits(256):064x}", "parent": -1})
        records.append(record)
    return cg.from_config(json.dumps({"layers": layers, "records": records}).encode())
