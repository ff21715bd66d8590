"""The exports that come with the repository are whole: what a newcomer tries first shows no false error."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.errors import NoCacheError
from cachegraph.loaders.base import Options

DATA = Path(__file__).parent / "data"
LAYOUTS = sorted(path.name for path in (DATA / "layouts").iterdir())
WITHOUT_CACHE = {"web-prov"}


def test_none_was_lost() -> None:
    assert len(LAYOUTS) == 24


def test_nothing_is_a_symbolic_link() -> None:
    assert not any(path.is_symlink() for path in DATA.rglob("*"))


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_blob_that_a_layout_names_is_there(name: str, layouts: Path) -> None:
    blobs = layouts / name / "blobs" / "sha256"
    reached: set[str] = set()
    todo: list[dict[str, object]] = json.loads((layouts / name / "index.json").read_bytes())["manifests"]
    while todo:
        descriptor = todo.pop()
        digest = str(descriptor["digest"]).removeprefix("sha256:")
        content = (blobs / digest).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (digest, descriptor["size"])
        reached.add(digest)
        if any(kind in str(descriptor["mediaType"]) for kind in ("manifest", "index")):
            manifest = json.loads(content)
            todo += [*manifest.get("manifests", []), *manifest.get("layers", [])]
            todo += [manifest["config"]] if "config" in manifest else []
    strays = {path.name for path in blobs.iterdir()} - reached
    assert bool(strays) == (name == "web-churn")


@pytest.mark.parametrize("name", sorted(set(LAYOUTS) - WITHOUT_CACHE))
def test_no_layout_is_damaged(name: str, layouts: Path) -> None:
    graph = cg.load(str(layouts / name), options=Options(verify=True))
    assert [finding for finding in graph.check() if finding.severity == "error"] == []
    assert len(graph.query("source-problems")) == 0


@pytest.mark.parametrize("name", sorted(WITHOUT_CACHE))
def test_an_image_without_a_cache_says_so(name: str, layouts: Path) -> None:
    with pytest.raises(NoCacheError):
        cg.load(str(layouts / name))


@pytest.mark.parametrize("kind", ["s3", "azblob"])
def test_objects_are_what_their_names_say(kind: str) -> None:
    config = json.loads((DATA / kind / "manifests" / "web").read_bytes())
    objects = {path.name.replace("-", ":"): path.read_bytes() for path in (DATA / kind / "blobs").iterdir()}
    assert {layer["blob"] for layer in config["layers"]} <= objects.keys()
    assert all(f"sha256:{hashlib.sha256(content).hexdigest()}" == name for name, content in objects.items())
