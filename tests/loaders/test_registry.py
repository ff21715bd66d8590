"""Exports from a real registry: the same as from the layout that was pushed."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import urllib3

from cachegraph.core.model import CacheExport
from cachegraph.errors import NotFoundError, SpecError
from cachegraph.loaders import catalogue
from cachegraph.loaders import local as layout
from cachegraph.loaders.base import Options
from cachegraph.loaders.http.client import Answer, Http
from cachegraph.loaders.specs.parse import parse

OPTIONS = Options(timeout=5.0)
Push = Callable[[str, str], str]


def load(spec: str, options: Options = OPTIONS) -> list[CacheExport]:
    loaded = catalogue.load([spec], options)
    for failure in loaded.failures:
        raise failure.error
    return list(loaded.exports)


def content(export: CacheExport) -> tuple[object, ...]:
    """What an export holds, wherever it lies."""
    listed = {(blob.digest, blob.size, blob.media_type, blob.diff_id) for blob in export.blobs or ()}
    return export.platform, export.config, export.config_digest, export.layer_history, listed, export.manifest_digest


@pytest.mark.parametrize(
    "name", ["web-max", "web-min", "web-oci", "web-zstd", "web-multi-inline", "wide-12-inline", "scratch-file-inline"]
)
@pytest.mark.parametrize("form", ["type=registry,ref={}", "{}"])
def test_gives_what_the_layout_gives(registry: str, push: Push, layouts: Path, name: str, form: str) -> None:
    push(name, f"same/{name}:cache")
    exports = load(form.format(f"{registry}/same/{name}:cache"))
    local = layout.load(parse(str(layouts / name)), Options())
    assert list(map(content, exports)) == list(map(content, local))
    assert {export.source for export in exports} == {f"type=registry,ref={registry}/same/{name}:cache"}
    assert {export.kind for export in exports} == {"inline" if name.endswith(("inline", "oci")) else "registry"}
    assert {blob.present for export in exports for blob in export.blobs or ()} == {None}


def test_latest_is_meant_without_a_tag_and_a_digest_is_kept(registry: str, push: Push) -> None:
    digest = push("web-max", "same/latest:latest")
    sources = [export.source for ref in ("", f"@{digest}") for export in load(f"{registry}/same/latest{ref}")]
    assert sources == [
        f"type=registry,ref={registry}/same/latest:latest",
        f"type=registry,ref={registry}/same/latest@{digest}",
    ]


def test_probe_asks_for_each_blob_and_downloads_no_layer(registry: str, push: Push, registry_log: Path) -> None:
    push("web-max", "probe/web:latest")
    lost = load(f"{registry}/probe/web")[0].config.layers[1].blob
    assert urllib3.request("DELETE", f"http://{registry}/v2/probe/web/blobs/{lost}").status == 202
    reports: list[tuple[str, int, int | None]] = []
    (export,) = load(f"{registry}/probe/web", replace(OPTIONS, probe=True, report=lambda *args: reports.append(args)))
    assert {blob.digest: blob.present for blob in export.blobs or ()} == {
        blob.digest: blob.digest != lost for blob in export.blobs or ()
    }
    assert export.problems == ()
    total = len(export.blobs or ())
    probing = [report for report in reports if report[0].startswith("probing")]
    assert probing == [(f"probing {registry}/probe/web:latest", done, total) for done in range(total + 1)]
    downloads = [line for line in registry_log.read_text().splitlines() if '"GET /v2/probe/web/blobs/' in line]
    assert downloads != []
    assert all(f"/blobs/{export.config_digest} " in line for line in downloads)


def test_a_blob_of_another_size_is_a_problem(registry: str, registry_storage: Path, push: Push) -> None:
    push("scratch-file-inline", "sizes/app:latest")
    (export,) = load(f"{registry}/sizes/app")
    digits = export.config.layers[2].blob.removeprefix("sha256:")
    data = registry_storage / "docker" / "registry" / "v2" / "blobs" / "sha256" / digits[:2] / digits / "data"
    sound = data.read_bytes()
    data.write_bytes(b"short")
    try:
        (export,) = load(f"{registry}/sizes/app", replace(OPTIONS, probe=True))
    finally:
        data.write_bytes(sound)
    assert [(problem.code, problem.digest) for problem in export.problems] == [("size-mismatch", f"sha256:{digits}")]


@pytest.fixture(scope="module")
def tagged(registry: str, push: Push) -> str:
    """A repository with three tags that hold a cache, and one that does not."""
    for tag, name in {"main": "web-max", "main-2": "scratch-file-inline", "plain": "web-prov", "x": "web-min"}.items():
        push(name, f"tags/app:{tag}")
    return f"{registry}/tags/app"


class TestAllTags:
    @pytest.mark.parametrize(
        ("value", "found"),
        [("true", ["main", "main-2", "x"]), ("main*", ["main", "main-2"]), ("[x-z]", ["x"])],
    )
    def test_by_key(self, tagged: str, value: str, found: list[str]) -> None:
        exports = load(f"type=registry,ref={tagged},all-tags={value}")
        assert [export.source.rpartition(":")[2] for export in exports] == found
        assert [export.problems for export in exports] == [()] * len(found)

    def test_by_option(self, tagged: str) -> None:
        assert len(load(tagged, replace(OPTIONS, tag_glob="main*"))) == 2

    def test_no_match(self, tagged: str) -> None:
        with pytest.raises(NotFoundError) as caught:
            load(tagged, replace(OPTIONS, tag_glob="nope-*"))
        assert str(caught.value) == f"{tagged}: no tag matches 'nope-*' (check the name and the pattern)"

    def test_no_cache_in_any(self, tagged: str) -> None:
        with pytest.raises(NotFoundError, match=f"{tagged}:plain: the image has no inline cache"):
            load(tagged, replace(OPTIONS, tag_glob="plain"))

    def test_and_one_tag(self, tagged: str) -> None:
        with pytest.raises(SpecError, match=rf"all tags are asked for, and one \(write ref={tagged}\)"):
            load(f"{tagged}:main", replace(OPTIONS, tag_glob="*"))


def test_many_tags_are_loaded_some_at_once_with_progress(
    registry: str, push: Push, serve: Callable[..., str], reply: Callable[..., None]
) -> None:
    """200 tags through a gate that counts who is inside."""
    push("web-max", "many/app:t0")
    answers = {"/v2/many/app/tags/list?n=1000": json.dumps({"tags": [f"t{n}" for n in range(200)]}).encode()}
    lock, inside, most = threading.Lock(), 0, 0

    def gate(request: BaseHTTPRequestHandler) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.002)
        path = re.sub("manifests/t.*", "manifests/t0", request.path)
        if path not in answers:
            accept = {"Accept": request.headers["Accept"]}
            answers[path] = urllib3.request("GET", f"http://{registry}{path}", headers=accept).data
        with lock:
            inside -= 1
        reply(request, 200, answers[path])

    host = serve(gate)
    reports: list[tuple[str, int, int | None]] = []
    options = replace(OPTIONS, tag_glob="*", concurrency=4, report=lambda *args: reports.append(args))
    exports = load(f"{host}/many/app", options)
    assert len({export.source for export in exports}) == 200
    assert 1 < most <= 4
    assert [(done, total) for what, done, total in reports if what == "sources"] == [
        *((done, 200) for done in range(201)),
    ]


def test_many_threads_ask_once_for_each_blob(registry: str, push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 threads on 8 connections: none takes another's away, so nothing is asked twice and nothing hangs."""
    push("web-max", "threads/app:latest")
    asked: list[str] = []
    send = Http.send

    def counted(http: Http, method: str, url: str, **how: Any) -> Answer:  # noqa: ANN401 - passed on as it comes
        asked.append(url)
        return send(http, method, url, **how)

    monkeypatch.setattr(Http, "send", counted)
    loaded = catalogue.load([f"{registry}/threads/app"] * 60, replace(OPTIONS, timeout=20.0, probe=True))
    assert loaded.failures == ()
    blobs = len({blob.digest for export in loaded.exports for blob in export.blobs or ()})
    assert len(asked) == 60 * (2 + blobs)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("type=registry", "type=registry: ref is missing"),
        ("type=registry,ref=", "ref is missing"),
        ("type=registry,ref=UPPER", "'UPPER' is not an image reference"),
        ("type=registry,ref=a,registry.insecure=maybe", "registry.insecure is 'maybe'"),
    ],
)
def test_specs_that_make_no_sense(spec: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load(spec)


def test_buildkits_own_word_for_insecure(
    serve: Callable[..., str], reply: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{serve(lambda request: reply(request, 404))}")
    with pytest.raises(NotFoundError, match=r"reg\.test/app:latest: manifest latest: reg\.test answered 404"):
        load("type=registry,ref=reg.test/app,registry.insecure=true,mode=max")
