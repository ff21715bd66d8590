"""Keys of the sources that provenance tells of: those that a daemon computed for the same operations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cachegraph.builds.dockerbuild.operations import Operation, read_operations
from cachegraph.errors import DecodeError

AMD64 = {"Architecture": "amd64", "OS": "linux"}


def operation(source: dict[str, Any], platform: dict[str, str] | None = None, **more: object) -> Operation:
    step = {"id": "step0", "op": {"Op": {"source": source}} | ({"platform": platform} if platform else {})}
    config = {"llbDefinition": [step], "digestMapping": {"sha256:vertex": "step0"}}
    predicate = {"buildDefinition": {"internalParameters": {"buildConfig": config}, **more}}
    return read_operations(json.dumps(predicate).encode(), "x").steps["sha256:vertex"]


def test_a_pinned_image() -> None:
    digest = "f1d8a44e922142131ed382ef191746dac780c4cd7a6b2ba42e024d91d9b0d2da"
    image = {"identifier": f"docker-image://127.0.0.1:15011/base/tool:1@sha256:{digest}"}
    expected = ("sha256:443521ec19552fbd0a58d97fca3c7c23ae3bd9b19c5d53122063981e10d74033",)
    assert operation(image, AMD64).record_digests == expected
    assert operation({"identifier": f"oci-layout://store/image@sha256:{digest}"}, AMD64).record_digests == expected
    limited = image | {"attrs": {"image.layerlimit": "2"}}
    assert operation(limited, AMD64).record_digests is None


def test_an_image_whose_digest_only_the_dependencies_tell() -> None:
    digest = "f1d8a44e922142131ed382ef191746dac780c4cd7a6b2ba42e024d91d9b0d2da"
    uri = "pkg:docker/127.0.0.1:15011/base/tool@1?platform=linux%2Famd64"
    found = operation(
        {"identifier": "docker-image://127.0.0.1:15011/base/tool:1"},
        AMD64,
        resolvedDependencies=[{"uri": uri, "digest": {"sha256": digest}}],
    )
    assert found.record_digests == ("sha256:443521ec19552fbd0a58d97fca3c7c23ae3bd9b19c5d53122063981e10d74033",)
    assert operation({"identifier": "docker-image://127.0.0.1:15011/base/tool:1"}, AMD64).record_digests is None


def test_a_download_with_a_checksum() -> None:
    checksum = "sha256:f238df2ae16f95a3461bb262b8db52df5808bb03a6f2d85471442835bb31c65b"
    url = "http://127.0.0.1:15012/df/pkg.txt"
    with_checksum = operation({"identifier": url, "attrs": {"http.checksum": checksum, "http.filename": "pkg.txt"}})
    expected = ("sha256:6695857136b5dcd69998e1ff7bc7d88c4bb782c24306c373667563b38c604b05",)
    assert with_checksum.record_digests == expected
    assert operation({"identifier": url, "attrs": {"http.checksum": checksum}}).record_digests == expected
    assert operation({"identifier": url, "attrs": {"http.filename": "pkg.txt"}}).record_digests is None


def test_what_provenance_does_not_tell_is_not_guessed() -> None:
    assert operation({"identifier": "git://example.com/app.git#main"}).record_digests is None
    assert operation({"identifier": "local://context"}).record_digests == ()


@pytest.mark.parametrize("reference", ["step0", "step0:", "step0:x", "step0:99", "step0:-1"])
def test_inputs_that_are_none(reference: str) -> None:
    config = {"llbDefinition": [{"id": "step1", "inputs": [reference], "op": {"Op": {"exec": {}}}}]}
    data = json.dumps({"buildConfig": config}).encode()
    with pytest.raises(DecodeError, match=f"x: '{reference}' is not an input of a step, expected such as 'step6:0'"):
        read_operations(data, "x")


def test_bytes_that_are_no_provenance() -> None:
    for data in (b"", b"[]", b'{"buildConfig": 5}', b"\xff", b"[" * 100_000):
        with pytest.raises(DecodeError, match="x: no SLSA provenance"):
            read_operations(data, "x")
