"""The exports that come with the repository are whole: what a newcomer tries first shows no false error."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import cachegraph as cg
from cachegraph.core.times import rfc3339
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


# --- The nights ------------------------------------------------------------------------------------------------------


def test_the_nights_are_whole_but_for_the_blob_that_the_store_lost(nights: Path) -> None:
    truth = json.loads((nights / "truth.json").read_bytes())
    assert [night["night"] for night in truth] == list(range(1, 31))
    for night in truth:
        folder = nights / f"night-{night['night']:02}"
        blobs = {path.name: path.read_bytes() for path in (folder / "blobs" / "sha256").iterdir()}
        assert all(hashlib.sha256(content).hexdigest() == name for name, content in blobs.items())
        (one,) = json.loads((folder / "index.json").read_bytes())["manifests"]
        manifest = json.loads(blobs[one["digest"][7:]])
        named = {entry["digest"][7:] for entry in (one, manifest["config"], *manifest["layers"])}
        lost = {night["lost"][7:]} if night["lost"] else set()
        assert (named - blobs.keys(), blobs.keys() - named) == (lost, set())


def test_each_night_made_its_results_on_a_date_of_its_own(nights: Path) -> None:
    """The dates were moved; what ran in a night has its date, and nothing has a later one."""
    for night in json.loads((nights / "truth.json").read_bytes()):
        (graph,) = cg.load(nights / f"night-{night['night']:02}").graphs
        days = {rfc3339(time)[:10] for time in graph.result_times}
        today = f"2026-10-{night['night']:02}"
        assert max(days) <= today
        assert (today in days) == any(night["steps"].values())
