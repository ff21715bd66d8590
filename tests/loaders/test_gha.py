"""The GitHub Actions loader against a local server that speaks the documented calls."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
import socket
import time
from collections.abc import Callable

import pytest

from cachegraph.core.model import StrayBlob
from cachegraph.errors import AccessError, DecodeError, NotFoundError, SourceError, SpecError
from cachegraph.loaders import gha
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.github import rest
from cachegraph.loaders.github.entries import CacheEntry, sort_entries
from tests.servers.github import FEATURE, MAIN, PULL, REST_TOKEN, SIGNATURE, GitHub, index, runtime_token

BUSYBOX = "sha256:7562242eb586238074602c0314a2d5e4080cbcd50a94d5b32f8dd1ba2c956004"
STRAY = "sha256:" + "5" * 64

Corpus = Callable[[str], dict[str, bytes]]
Serve = Callable[[Callable[[socket.socket], None]], str]


def spec(**attrs: str) -> Spec:
    return Spec(type="gha", attrs=attrs, text="type=gha,...")


def inside(github: GitHub, *refs: str, **attrs: str) -> Spec:
    return spec(url_v2=github.url + "/", token=runtime_token(*refs), **attrs)


def test_inside_a_workflow(filled: GitHub) -> None:
    (export,) = gha.load(inside(filled, PULL, MAIN, scope="web"), Options())
    assert export.kind == "gha"
    assert export.source == "type=gha,scope=web,ref=refs/heads/main"
    assert (len(export.config.layers), len(export.config.records)) == (18, 35)
    assert export.config_bytes == 11_890
    assert export.blobs is not None
    assert len(export.blobs) == 14
    assert {blob.present for blob in export.blobs} == {None}


def test_every_branch_that_may_be_read(filled: GitHub, corpus: Corpus) -> None:
    filled.add(PULL, index("web", PULL, 0), corpus("azblob")["manifests/web"])
    filled.add(FEATURE, index("web", FEATURE, 0), b"never read")
    loaded = gha.load(inside(filled, PULL, MAIN, scope="web", repository="acme/app"), Options())
    assert [export.source for export in loaded] == [
        "type=gha,repository=acme/app,scope=web,ref=refs/pull/7/merge",
        "type=gha,repository=acme/app,scope=web,ref=refs/heads/main",
    ]


def test_workflow_variables(filled: GitHub, corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.add(MAIN, index("buildkit", MAIN, 0), corpus("s3")["manifests/web"])
    monkeypatch.setenv("ACTIONS_RESULTS_URL", filled.url)
    monkeypatch.setenv("ACTIONS_RUNTIME_TOKEN", runtime_token(MAIN))
    (export,) = gha.load(spec(), Options())
    assert export.source == "type=gha,scope=buildkit,ref=refs/heads/main"


def test_the_first_version_of_the_service(filled: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub Enterprise Server speaks it still: an address without `url_v2`, or `version=1`."""
    (second,) = gha.load(inside(filled, PULL, MAIN, scope="web"), Options())
    token = runtime_token(PULL, MAIN)
    (first,) = gha.load(spec(url=filled.url + "/", token=token, scope="web"), Options(probe=True))
    assert first.config == second.config
    assert {blob.present for blob in first.blobs or ()} == {True}
    given = spec(url=filled.url, url_v2="http://127.0.0.1:1", version="1", token=token, scope="web")
    assert gha.load(given, Options())[0].config == second.config
    monkeypatch.setenv("ACTIONS_CACHE_URL", filled.url)
    monkeypatch.setenv("ACTIONS_RUNTIME_TOKEN", token)
    assert gha.load(spec(scope="web"), Options())[0].config == second.config
    assert sum("_apis/artifactcache/cache?keys=index-web-1-" in call for call in filled.calls) > 3
    with pytest.raises(NotFoundError, match="no index entry of scope 'gone'"):
        gha.load(spec(scope="gone"), Options())


def test_signed_entries_are_exports_of_their_own(filled: GitHub) -> None:
    config = b'{"layers":[],"records":[{"digest":"signed"}]}'
    filled.add(MAIN, index("web", MAIN, 0).replace("#", "-sig#"), config)
    signed, plain = gha.load(inside(filled, MAIN, scope="web"), Options())  # the newest first, as BuildKit finds it
    assert (signed.source, plain.source) == (
        "type=gha,scope=web,ref=refs/heads/main,signed=true",
        "type=gha,scope=web,ref=refs/heads/main",
    )
    assert signed.config.records[0].digest == "signed"
    (problem,) = signed.problems
    assert (problem.severity, "its signature is gone" in problem.message) == ("warning", True)
    filled.add(MAIN, f"buildkit-blob-1-sha256:{hashlib.sha256(config).hexdigest()}-sig", b"bundle")
    (problem,) = gha.load(inside(filled, MAIN, scope="web"), Options())[0].problems
    assert (problem.severity, problem.message) == (
        "note",
        "This entry is signed: a daemon that is set up to verify reads only such entries.",
    )


def test_probe(filled: GitHub) -> None:
    filled.entries = [entry for entry in filled.entries if BUSYBOX not in entry[1]]
    (export,) = gha.load(inside(filled, MAIN, scope="web"), Options(probe=True))
    assert export.blobs is not None
    assert [blob.digest for blob in export.blobs if blob.present is False] == [BUSYBOX]
    assert sum(blob.present is True for blob in export.blobs) == 13
    assert export.strays is None


def test_probe_with_the_rest_api_finds_strays(filled: GitHub) -> None:
    filled.add(MAIN, "buildkit-blob-1-" + STRAY, b"nobody's")
    filled.add(MAIN, "buildkit-blob-1-sha256:" + "6" * 64, b"of another scope")
    other = json.dumps({"layers": [{"blob": "sha256:" + "6" * 64, "parent": -1}], "records": []}).encode()
    filled.add(MAIN, index("api", MAIN, 4), other)
    given = inside(filled, MAIN, scope="web", repository="acme/app", ghtoken=REST_TOKEN)
    (export,) = gha.load(given, Options(probe=True))
    assert export.strays == (StrayBlob(digest=STRAY, size=8, modified_at="2026-11-19T00:00:17Z"),)
    assert [problem.message for problem in export.problems] == ["1 superseded index entries take up 26 bytes."]


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        (FEATURE, "this run may not read the cache of refs/heads/feature."),
        (MAIN, "an index entry cannot be read (not JSON: "),
    ],
)
def test_strays_are_unknown_while_an_index_cannot_be_read(filled: GitHub, ref: str, reason: str) -> None:
    filled.add(ref, index("api", ref, 4), b"?")
    given = inside(filled, MAIN, scope="web", repository="acme/app", ghtoken=REST_TOKEN)
    (export,) = gha.load(given, Options(probe=True))
    assert export.strays is None
    assert export.problems[-1].message.startswith("Stray blobs are unknown: " + reason)


def test_outside_a_workflow(filled: GitHub) -> None:
    filled.add(MAIN, index("api", MAIN, 0), b"of another scope")
    with pytest.raises(AccessError) as caught:
        gha.load(spec(scope="web", repository="acme/app", ghtoken=REST_TOKEN), Options())
    assert caught.value.message == (
        "acme/app: 1 current and 1 superseded index entries of scope 'web', 14 blobs of all scopes, 1.1 MB"
    )
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("what they hold can be read only inside a workflow")


def test_outside_a_workflow_without_a_token(filled: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/app")
    with pytest.raises(NotFoundError, match=r"^acme/app: no index entries of scope 'gone', 14 blobs \(check scope="):
        gha.load(spec(scope="gone"), Options())


def test_listing_over_several_pages(github: GitHub) -> None:
    for n in range(205):
        github.add(MAIN, index("web", MAIN, n), b"12345")
    listing = rest.list_entries(spec(repository="acme/app"), Options())
    assert [entry.key for entry in listing.indexes] == [index("web", MAIN, 204)]
    assert len(listing.superseded) == 204
    assert listing.blobs == ()
    assert sum("page=" in call for call in github.calls) == 4


def test_entries_are_told_apart_by_their_keys() -> None:
    def entry(key: str, created: int, ref: str = MAIN) -> CacheEntry:
        return CacheEntry(key=key, ref=ref, created_at=f"2026-11-0{created}T00:00:00Z")

    first, second, tenth = (entry(index("a-1-b", MAIN, n), day) for n, day in ((1, 1), (2, 3), (10, 3)))
    signed = entry(index("a-1-b", MAIN, 1).replace("#", "-sig#"), 2)
    elsewhere = entry(index("a-1-b", PULL, 0), 1, PULL)
    blob = entry("buildkit-blob-1-" + STRAY, 1)
    strangers = [entry(key, 1) for key in ("index-web", f"buildkit-blob-1-{STRAY}-sig", "buildkit-blob-2-" + STRAY)]
    listing = sort_entries([second, tenth, first, signed, elsewhere, blob, *strangers])
    assert (listing.indexes, listing.superseded, listing.blobs) == (
        (tenth, signed, elsewhere),
        (second, first),
        (blob,),
    )
    assert (tenth.scope, tenth.digest, blob.scope, blob.digest) == ("a-1-b", None, None, STRAY)


def test_no_index_entry(filled: GitHub) -> None:
    with pytest.raises(NotFoundError, match=r"no index entry of scope 'gone' on refs/pull/7/merge, refs/heads/main \("):
        gha.load(inside(filled, PULL, MAIN, scope="gone"), Options())


def test_not_a_config(github: GitHub) -> None:
    github.add(MAIN, index("web", MAIN, 0), b"<html>")
    with pytest.raises(DecodeError, match=r"^type=gha,scope=web,ref=refs/heads/main: "):
        gha.load(inside(github, MAIN, scope="web"), Options())


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a.e30.c", f"a.{base64.b64encode(b'[1]').decode()}.c"])
def test_tokens_that_are_none(github: GitHub, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTIONS_RUNTIME_TOKEN", "x")
    with pytest.raises(AccessError, match=r"the cache service's token cannot be read \(it must be ACTIONS_RUNTIME_T"):
        gha.load(spec(url_v2=github.url, token=token), Options())


def test_expired_token(github: GitHub) -> None:
    with pytest.raises(AccessError, match="the cache service's token has expired"):
        gha.load(spec(url_v2=github.url, token=runtime_token(MAIN, expires=-5)), Options())


@pytest.mark.parametrize(
    ("attrs", "message"),
    [
        ({}, "neither a workflow's cache service nor a repository is given"),
        ({"version": "one", "url": "https://github.example"}, "version is 'one' (write 1 or 2, or leave it out)"),
        ({"url_v2": "https://[", "token": runtime_token(MAIN)}, "the address of GitHub's service is not a URL"),
        ({"url_v2": "nowhere", "token": runtime_token(MAIN)}, "the address of GitHub's service is not a URL"),
    ],
)
def test_bad_specs(github: GitHub, attrs: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        gha.load(spec(**attrs), Options())


def test_refused_token(filled: GitHub) -> None:
    with pytest.raises(AccessError, match=r"answered 401 \(the token needs the right to read Actions"):
        gha.load(spec(repository="acme/app", ghtoken="ghs_another"), Options())


def test_unknown_repository(filled: GitHub) -> None:
    with pytest.raises(NotFoundError, match=r"answered 404 \(check the repository's name"):
        gha.load(spec(repository="acme/ghost"), Options())


def test_rate_limit(filled: GitHub) -> None:
    filled.failures = [(403, {"x-ratelimit-remaining": "0"})]
    with pytest.raises(AccessError, match=r"answered 403: the rate limit is used up \(set GITHUB_TOKEN"):
        gha.load(spec(repository="acme/app"), Options())


def test_failures_that_pass(filled: GitHub) -> None:
    filled.failures = [(429, {"Retry-After": "0"}), (503, {})]
    assert len(gha.load(inside(filled, MAIN, scope="web"), Options())) == 1
    assert filled.failures == []


def test_answers_that_are_nonsense(serve_raw: Serve) -> None:
    url = serve_raw(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"))
    with pytest.raises(DecodeError, match="answered no such JSON as its manual says: Expected `object`, got `array`"):
        gha.load(spec(url_v2=url, token=runtime_token(MAIN)), Options())


def test_refused_connection(refused: str) -> None:
    with pytest.raises(SourceError, match="refused the connection"):
        gha.load(spec(url_v2=refused, token=runtime_token(MAIN)), Options())


def test_slow_server(serve_raw: Serve) -> None:
    with pytest.raises(SourceError, match=r"took longer than 0.2 s"):
        gha.load(spec(url_v2=serve_raw(lambda _: time.sleep(1)), token=runtime_token(MAIN)), Options(timeout=0.2))


def test_cut_connection(serve_raw: Serve) -> None:
    url = serve_raw(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
    with pytest.raises(SourceError, match="cut the connection"):
        gha.load(spec(url_v2=url, token=runtime_token(MAIN)), Options(timeout=1))


def test_an_entry_over_the_limit_is_not_read(filled: GitHub, serve_raw: Serve) -> None:
    filled.url = serve_raw(
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n")
    )
    url = f"http://127.0.0.1:{filled.server_port}"
    with pytest.raises(SourceError, match="2147483648 bytes, allowed are 134217728"):
        gha.load(spec(url_v2=url, token=runtime_token(MAIN), scope="web"), Options())


def test_no_secret_is_shown(
    filled: GitHub, refused: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    token = runtime_token(MAIN)
    given = {"url_v2": filled.url, "token": token, "repository": "acme/app", "ghtoken": REST_TOKEN}
    seen = [repr(gha.load(spec(**given, scope="web"), Options(probe=True)))]
    for attrs in (
        {**given, "scope": "gone"},
        {**given, "url_v2": refused},
        {"repository": "acme/app", "ghtoken": REST_TOKEN},
        {"repository": "acme/ghost", "ghtoken": REST_TOKEN},
    ):
        with pytest.raises(SourceError) as caught:
            gha.load(spec(**attrs), Options())
        seen += [str(caught.value), repr(caught.value)]
    filled.failures = [(200, {}), (403, {})]  # a service that names no entry; then one that refuses
    with pytest.raises(SourceError) as refusal:
        gha.load(spec(**given), Options())
    seen += [str(refusal.value), caplog.text, *capfd.readouterr()]
    for secret in (token, token.split(".")[2], REST_TOKEN, SIGNATURE):
        assert not [text for text in seen if secret in text]
