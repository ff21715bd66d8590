"""Identities stay what they are, from process to process and from release to release: stores and scripts keep them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cachegraph as cg
from tests.builders import export_graph, record

ROOT = Path(__file__).parents[2]

ASK = """
import json, sys
import cachegraph as cg
from cachegraph.stores.neo4j.batches import fingerprint

found = {}
for name in sys.argv[1:]:
    (graph,) = cg.load(f"tests/data/layouts/{name}")
    export = graph.export
    found[name] = {"source": export.source, "id": graph.id, "keys": graph.key_ids, "fingerprint": fingerprint(graph)}
print(json.dumps(found))
"""

IDS = {
    "scratch-file-inline": (
        "00dd50d36fb585a5557c2653416259d90e8b74989900fbbabd0f3ece85fe6614",
        "e50bdb10a44e751a1f6a98b32bbf4907ff1d038bb25ec13abda148eb315a506d",
        "3a634b9ea2ff33d39d0a072c9162322efb4f102558b0a4a81bbb0bffac791f9b",
    ),
    "web-max": (
        "4ac5a86d3aed2c8199479050b8f6af97485136aa586e26a0ba06b0a46c5a063a",
        "1c16f05040668ee2211e7170d085265068861e26bd1f5b63199b7a9847e4cf38",
        "56b7e18cf3ca0b329df645b53a93fe283a0c398ec23c478c0a0237efeccab535",
    ),
    "nested-inline": (
        "3de311dd9540e90c055fa6592393eda2ae3fcc68a63df0a53c1dfda0810599e2",
        "a30920c4b7ec8b62e74d5af7c9587995cd242480f5a779d1bb398a5008dfc84b",
        "226315d8c968cad980eb14fe30c1c324f677031b5d84c25521c1ad5f9d9e001b",
    ),
}
"""By layout: the export's id, the first record's key id, and the sha256 of all key ids as JSON."""


@pytest.mark.parametrize("name", IDS)
def test_identities_are_those_of_earlier_releases(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change here makes whoever has exports in Neo4j load them all again, and breaks what they kept key ids for."""
    monkeypatch.chdir(ROOT)
    (graph,) = cg.load(f"tests/data/layouts/{name}")
    keys = hashlib.sha256(json.dumps(graph.key_ids).encode()).hexdigest()
    assert (graph.id, graph.key_ids[0], keys) == IDS[name]


def test_what_is_on_a_loop_is_named_by_its_export() -> None:
    """By the export's id and its place, which nothing else is named by."""
    graph = export_graph(record("a", [1]), record("b", [0]))
    expected = [hashlib.sha256(f"{graph.id}/r{index}".encode()).hexdigest() for index in range(2)]
    assert graph.key_ids == expected


@pytest.mark.slow
def test_no_identity_depends_on_the_process() -> None:
    """The same in three processes with different hash seeds, the fingerprint that the store keeps included."""
    found = []
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", ASK, *IDS],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(json.loads(done.stdout))
    assert found[0] == found[1] == found[2]
    for name, said in found[0].items():
        keys = hashlib.sha256(json.dumps(said["keys"]).encode()).hexdigest()
        assert (said["id"], said["keys"][0], keys) == IDS[name]
        assert re.fullmatch("[0-9a-f]{64}", said["fingerprint"])
