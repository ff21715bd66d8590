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


FIRST = "a7f9c9d61d0cedcae5891e4f8041118fce730fb5"
TIP = "63783d22bf84caa40e15cfca385e1f9bc7bdb983"
KEYS = {
    FIRST: "sha256:c571c972e9013f8432639a8f859d612b3da6db16d49986890559cd395038e589",
    f"{FIRST}:sub": "sha256:cbe77606918806845fbc41c799b572f4aff43ed7e9d4effe2371c5278260e07e",
    TIP: "sha256:131d047cba3ec6544b29f40405a9931bc405613f253eb91555645fe3e665ff36",
    f"{TIP}.git#refs/heads/main": "sha256:58fed79c6691301577b9f57b12cfe12ef99e597bf34913d1f67ec6922cb46083",
}
"""What BuildKit 0.34.2 exported for each."""
REPOSITORY = "http://127.0.0.1:15012/git/g1.git"
KEPT = {"git.keepgitdir": "true"}


def repository(fragment: str, told: str, attrs: dict[str, str] | None = None, algorithm: str = "sha1") -> Operation:
    """A repository, and the commit that provenance tells of it."""
    source = {"identifier": f"git://127.0.0.1:15012/git/g1.git{fragment}"}
    more = {"git.fullurl": REPOSITORY, "git.authtokensecret": "GIT_AUTH_TOKEN"} | (attrs or {})
    ref = fragment.partition(":")[0]
    return operation(
        source | {"attrs": more},
        AMD64,
        resolvedDependencies=[{"uri": f"{REPOSITORY}{ref}", "digest": {algorithm: told}}] if told else [],
    )


@pytest.mark.parametrize(
    ("fragment", "told", "attrs", "key"),
    [
        (f"#{FIRST}", "", {}, FIRST),
        (f"#{FIRST}:sub", "", {}, f"{FIRST}:sub"),
        (f"#{FIRST}:.", "", {}, FIRST),  # the whole repository
        ("", TIP, {}, TIP),  # a default branch is no tag
        ("#refs/heads/main", TIP, {}, TIP),
        ("#refs/heads/main", TIP, KEPT, f"{TIP}.git#refs/heads/main"),
        ("#main", "", KEPT | {"git.fetchbycommit": "true", "git.checksum": TIP}, f"{TIP}.git#refs/heads/main"),
        ("#main", "", {"git.fetchbycommit": "true", "git.checksum": TIP}, TIP),
    ],
)
def test_a_commit(fragment: str, told: str, attrs: dict[str, str], key: str) -> None:
    found = repository(fragment, told, attrs)
    assert found.record_digests == (KEYS[key],)
    assert found.unknown is None
    (text,) = {one.text for digest, one in found.plaintexts.items() if digest not in found.record_digests}
    assert text == f"buildkit.source.v0:{key}".encode()


@pytest.mark.parametrize(
    ("fragment", "told", "attrs", "reason"),
    [
        ("#refs/heads/main", "", {}, "provenance does not tell its commit"),
        # Of the annotated tag v2, what it resolved to is its own hash: the key has the commit's.
        ("#v2", "0" * 40, {}, "v2 can be an annotated tag, whose commit provenance does not tell; refs/heads/ cannot"),
        ("#refs/tags/v2", "0" * 40, {}, "refs/tags/v2 can be an annotated tag"),
        ("#main", TIP, KEPT, "its key has the whole name of the reference, and provenance tells only the short one"),
        ("", TIP, KEPT, "its key has the whole name of the reference"),
        ("#refs/heads/main", TIP, {"git.checkoutbundle": "true"}, "git.checkoutbundle is not known here"),
        ("#refs/heads/main", "63783d2", {}, "provenance does not tell its commit"),
    ],
)
def test_a_commit_that_is_not_told(fragment: str, told: str, attrs: dict[str, str], reason: str) -> None:
    found = repository(fragment, told, attrs)
    assert found.record_digests is None
    assert found.unknown is not None
    assert found.unknown.startswith(reason)


def test_a_commit_is_told_under_either_name_and_without_credentials() -> None:
    assert repository("#refs/heads/main", TIP, algorithm="gitCommit").record_digests == (KEYS[TIP],)
    hidden = {"git.fullurl": "http://me:secret@127.0.0.1:15012/git/g1.git"}
    assert repository("#refs/heads/main", TIP, hidden).record_digests == (KEYS[TIP],)


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
