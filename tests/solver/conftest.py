"""What really ran: changed builds, each in an empty daemon that imported one export."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from cachegraph.graph import CacheGraph
from cachegraph.reading import from_config

DATA = Path(__file__).parents[1] / "data" / "predictions"


def read(export: dict[str, Any]) -> CacheGraph:
    """Make a graph of a case's export."""
    return from_config(json.dumps(export["config"]).encode(), blobs=export["blobs"])


@pytest.fixture(scope="session")
def cases() -> list[dict[str, Any]]:
    """139 changed builds: ``before`` was imported, ``after`` exported, ``cold`` exported without the import."""
    with gzip.open(DATA / "cases.jsonl.gz") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="session")
def mutations() -> list[dict[str, Any]]:
    """71 changed Dockerfiles: ``cold`` is the changed build's own export, whose steps were ``executed`` or ``hit``."""
    with gzip.open(DATA / "mutations.jsonl.gz") as file:
        return [json.loads(line) for line in file]
