"""Stores are asked for up to 200 blobs by default, and what nobody asked is not claimed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cachegraph.cli.app import app
from cachegraph.core.model import CacheExport
from cachegraph.errors import AccessError
from cachegraph.graph import CacheGraph
from cachegraph.loaders.base import Options
from cachegraph.loaders.catalogue import Loaded
from cachegraph.loaders.objects import store as objects
from cachegraph.loaders.objects.store import Place, StoredObject, read_exports

DIGESTS = ["sha256:" + f"{number:064x}" for number in range(3)]
CONFIG = json.dumps(
    {
        "layers": [
            {"blob": digest, "parent": -1, "annotations": {"diffID": "sha256:d", "size": 10, "mediaType": "t"}}
            for digest in DIGESTS
        ],
        "records": [
            {"digest": "base"},
            *({"digest": f"s{n}", "inputs": [[{"link": 0}]], "layers": [{"layer": n}]} for n in range(3)),
        ],
    }
).encode()
PLACE = Place(kind="s3", where={"bucket": "b", "region": "r"}, names=("main",), manifests="m/", blobs="b/")


class Bucket:
    """A bucket with a config, and blobs of some sizes."""

    def __init__(self, sizes: dict[str, int], *, others: int = 0, refuses: bool = False) -> None:
        self.sizes = sizes
        self.others = others
        self.refuses = refuses
        self.listed = 0

    def get(self, key: str, *, limit: int) -> bytes | None:  # noqa: ARG002 - the protocol's
        return CONFIG if key == "m/main" else None

    def list(self, prefix: str) -> Iterator[StoredObject]:
        if self.refuses:
            raise AccessError("b: listing is not allowed")
        keys = [(f"b/sha256:{'f' * 32}{n:032d}", 1) for n in range(self.others)]
        for key, size in [*keys, *((f"b/{digest}", size) for digest, size in self.sizes.items())]:
            if key.startswith(prefix):
                self.listed += 1
                yield StoredObject(key=key, size=size, modified_at="2026-01-01T00:00:00Z")


def read(bucket: Bucket, **options: Any) -> tuple[CacheExport, str, str]:  # noqa: ANN401 - options of any type
    (export,) = read_exports(bucket, PLACE, Options(**options))
    (verdict,) = CacheGraph([export]).verdict()
    return export, verdict.presence, verdict.word


def test_nobody_asked() -> None:
    bucket = Bucket({})
    _, presence, word = read(bucket)
    assert (presence, word, bucket.listed) == ("not-asked", "CACHED", 0)


def test_one_listing_tells_what_is_there() -> None:
    export, presence, word = read(Bucket(dict.fromkeys(DIGESTS, 10)), probe_blobs=200)
    assert (presence, word) == ("there", "CACHED")
    assert export.strays is None


def test_one_listing_tells_what_is_gone() -> None:
    _, presence, word = read(Bucket(dict.fromkeys(DIGESTS[1:], 10)), probe_blobs=200)
    assert (presence, word) == ("lost", "BREAKS THE BUILD")


def test_a_blob_of_another_size_is_damaged() -> None:
    export, presence, word = read(Bucket({DIGESTS[0]: 9, DIGESTS[1]: 10, DIGESTS[2]: 10}), probe_blobs=200)
    assert [blob.fault for blob in export.blobs or ()] == ["wrong-size", None, None]
    assert (presence, word) == ("there", "BREAKS THE BUILD")


def test_more_blobs_than_may_be_asked_for() -> None:
    bucket = Bucket(dict.fromkeys(DIGESTS, 10))
    assert read(bucket, probe_blobs=2)[1] == "not-asked"
    assert bucket.listed == 0


def test_a_listing_that_is_refused_is_no_error_unless_asked_for() -> None:
    assert read(Bucket({}, refuses=True), probe_blobs=200)[1] == "not-asked"
    with pytest.raises(AccessError):
        read(Bucket({}, refuses=True), probe=True)


def test_of_a_listing_that_was_cut_short_only_what_it_told_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_LOOKED_THROUGH", 5)
    bucket = Bucket(dict.fromkeys(DIGESTS, 10), others=4)
    export, presence, word = read(bucket, probe_blobs=200)
    assert [blob.present for blob in export.blobs or ()] == [True, None, None]
    assert (presence, word, bucket.listed) == ("partly-asked", "CACHED", 5)


@pytest.mark.parametrize(
    ("args", "probe", "blobs"),
    [
        ((), False, 200),
        (("--probe",), True, 0),
        (("--no-probe",), False, 0),
        (("--all-tags",), False, 0),
    ],
)
def test_the_command_asks_for_200_unless_told(
    monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], blobs: int, *, probe: bool
) -> None:
    given: list[Options] = []
    _listen(monkeypatch, given)
    CliRunner().invoke(app, ["check", *args, "r.example/app"])
    assert [(options.probe, options.probe_blobs) for options in given] == [(probe, blobs)]


def test_several_places_share_them_equally(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Options] = []
    _listen(monkeypatch, given)
    CliRunner().invoke(app, ["check", "r.example/a", "r.example/b", "r.example/c"])
    CliRunner().invoke(app, ["records", "r.example/a"])
    assert [options.probe_blobs for options in given] == [66, 0]


def _listen(monkeypatch: pytest.MonkeyPatch, given: list[Options]) -> None:
    """Read nothing, and keep how it was to be read."""

    def read(specs: object, options: Options) -> Loaded:
        given.append(options)
        return Loaded(exports=(), failures=())

    monkeypatch.setattr("cachegraph.loaders.several.read", read)


def test_a_directory_is_always_looked_at(layouts: Path) -> None:
    result = CliRunner().invoke(app, ["check", "--no-probe", str(layouts / "web-max")])
    assert "all there" in result.stdout
