"""What the package holds is what the test data holds."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest

from cachegraph.sampledata.archive import read
from cachegraph.sampledata.catalogue import SAMPLES
from tests.sampledata.make import HOME, files_of, pack

NAMES = [sample.name for sample in SAMPLES]
BUDGET = 3_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_what_the_test_data_holds(name: str) -> None:
    files = read(name)
    assert files
    assert files == files_of(name), "make samples packs them again"


def test_it_is_packed_the_same_each_time_and_nothing_lies_about() -> None:
    made = {path: content for name in NAMES for path, content in pack(name).items()}
    assert made == {path: content for name in NAMES for path, content in pack(name).items()}
    there = {path.relative_to(HOME).as_posix() for path in HOME.glob("*/*") if path.suffix != ".pyc"}
    assert there == made.keys()
    assert all((HOME / path).read_bytes() == content for path, content in made.items() if path.startswith("large/"))


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in HOME.rglob("*") if path.suffix not in {".py", ".pyc"}) < BUDGET


@pytest.mark.parametrize("name", NAMES)
def test_no_path_leads_out_of_a_sample(name: str) -> None:
    paths = [PurePosixPath(path) for path in read(name)]
    assert not any(path.is_absolute() or ".." in path.parts for path in paths)


def test_the_cold_build_differs_from_what_it_was_in_one_file() -> None:
    files = read("cold")
    now = {path: file for path, file in files.items() if path.startswith(("app/", "Dockerfile"))}
    before = {path.removeprefix("before/"): file for path, file in files.items() if path.startswith("before/")}
    assert now.keys() == before.keys()
    assert [path for path in now if now[path] != before[path]] == ["app/main.go"]


def test_the_export_that_lost_a_blob_lost_nothing_else() -> None:
    lost = set(read("web-max")) - set(read("web-lost"))
    (path,) = lost
    (manifest,) = json.loads(read("web-lost")["index.json"].content)["manifests"]
    held = json.loads(read("web-lost")[f"blobs/sha256/{manifest['digest'][7:]}"].content)
    assert PurePosixPath(path).name in {layer["digest"][7:] for layer in held["layers"]}
