"""What goes wrong with registries: one line that names the spec and the remedy, in time, without a secret."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import time
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import CliRunner

from cachegraph.cli.app import app
from cachegraph.core.digests import sha256
from cachegraph.errors import AccessError, DecodeError, NotFoundError, SourceError
from cachegraph.loaders.base import Options
from cachegraph.loaders.catalogue import load
from cachegraph.loaders.distribution import docker_config
from cachegraph.loaders.limits import Limits
from cachegraph.loaders.oci.manifests import CACHE_CONFIG

Serve = Callable[..., str]
Reply = Callable[..., None]
Handler = Callable[[BaseHTTPRequestHandler], None]

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = b'{"layers": [], "records": []}'
OPTIONS = Options(timeout=2.0)


@pytest.fixture(autouse=True)
def secrets(password: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """Search all output and logs for the secrets that a test used."""
    used = [password, base64.b64encode(f"builder:{password}".encode()).decode()]
    with caplog.at_level(logging.DEBUG):
        yield used
    output = caplog.text + "".join(capfd.readouterr())
    assert [secret for secret in used if secret in output] == []


def failure(ref: str, secrets: list[str], options: Options = OPTIONS) -> SourceError:
    """Load a reference that fails, and check what every failure owes."""
    loaded = load([f"type=registry,ref={ref}"], options)
    assert loaded.exports == ()
    (failed,) = loaded.failures
    text = str(failed.error)
    assert isinstance(failed.error, SourceError), text
    assert failed.error.exit_code == 3
    assert ref.partition("@")[0] in text
    assert failed.error.hint, text
    assert "\n" not in text
    assert [secret for secret in secrets if secret in text] == []
    return failed.error


def manifest_of(config: bytes, *, digest: str | None = None, size: int | None = None) -> bytes:
    descriptor = {
        "mediaType": CACHE_CONFIG,
        "digest": digest or sha256(config),
        "size": len(config) if size is None else size,
    }
    return json.dumps({"mediaType": OCI_MANIFEST, "config": descriptor, "layers": []}).encode()


@pytest.fixture
def store(serve: Serve, reply: Reply) -> Callable[[dict[str, bytes]], str]:
    """A registry of ``app`` that has these bytes under these names, whatever they are."""

    def start(content: dict[str, bytes]) -> str:
        def answer(request: BaseHTTPRequestHandler) -> None:
            found = content.get(request.path.rpartition("/")[2])
            reply(request, 404 if found is None else 200, found or b"")

        return serve(answer)

    return start


# --- Nobody there --------------------------------------------------------------------------------------------------


def test_unknown_host(secrets: list[str]) -> None:
    error = failure("registry.invalid/app:x", secrets)
    assert error.message == "registry.invalid/app:x: manifest x: registry.invalid is an unknown host"


def test_refused_connection(secrets: list[str]) -> None:
    error = failure("127.0.0.1:1/app:x", secrets)
    assert str(error) == (
        "127.0.0.1:1/app:x: manifest x: 127.0.0.1:1 refused the connection (check host and port, and that it runs)"
    )


# --- No ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (401, SourceError, "asks for a login of a kind that is not known"),
        (403, AccessError, "answered 403 DENIED: <b>no</b> (run docker login "),
        (404, NotFoundError, "answered 404 DENIED: <b>no</b> (check the name and the tag"),
        (418, SourceError, "answered 418 DENIED: <b>no</b> (is it a registry?"),
        (429, SourceError, "answered 429: too many requests (log in, or ask less at once"),
        (500, SourceError, "answered 500: the server is in trouble (try again later)"),
        (503, SourceError, "answered 503: the server is in trouble (try again later)"),
    ],
)
def test_status(
    serve: Serve, reply: Reply, secrets: list[str], status: int, kind: type[SourceError], message: str
) -> None:
    tries = 0

    def refuse(request: BaseHTTPRequestHandler) -> None:
        nonlocal tries
        tries += 1
        reply(request, status, b'{"errors": [{"code": "DENIED", "message": "<b>no</b>"}]}')

    host = serve(refuse)
    error = failure(f"{host}/app:x", secrets)
    assert type(error) is kind
    assert f"{host}/app:x: manifest x: {host} {message}" in str(error)
    # Of a tag that is not there, the ones that are get asked for.
    assert tries == (4 if status in (429, 500, 503) else 2 if status == 404 else 1)


def test_the_other_specs_are_still_answered(store: Callable[[dict[str, bytes]], str]) -> None:
    host = store({"x": manifest_of(CONFIG), sha256(CONFIG): CONFIG})
    loaded = load([f"{host}/app:y", f"{host}/app:x", "127.0.0.1:1/app"], OPTIONS)
    assert [export.source for export in loaded.exports] == [f"type=registry,ref={host}/app:x"]
    assert [failed.spec for failed in loaded.failures] == [f"{host}/app:y", "127.0.0.1:1/app"]


def test_the_command_exits_with_3_and_shows_no_secret(
    store: Callable[[dict[str, bytes]], str], basic_registry: str, login: Callable[[str], None], secrets: list[str]
) -> None:
    login(basic_registry)
    host = store({"x": manifest_of(CONFIG), sha256(CONFIG): CONFIG})
    result = CliRunner().invoke(app, ["check", "--format", "json", f"{basic_registry}/absent:x", f"{host}/app:x"])
    assert result.exit_code == 3
    assert [export["source"] for export in json.loads(result.stdout)["exports"]] == [f"type=registry,ref={host}/app:x"]
    assert result.stderr.startswith(f"cachegraph: {basic_registry}/absent:x: manifest x: {basic_registry} answered 404")
    assert result.stderr.count("\n") == 1
    assert [secret for secret in secrets if secret in result.output] == []


# --- Slow and cut --------------------------------------------------------------------------------------------------


def sleeping(request: BaseHTTPRequestHandler) -> None:
    time.sleep(1.5)


def dripping(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    for _ in range(15):
        time.sleep(0.1)
        request.wfile.write(b"x")


@pytest.mark.parametrize("handler", [sleeping, dripping])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_slow_server(serve: Serve, secrets: list[str], handler: Handler) -> None:
    host = serve(handler)
    began = time.monotonic()
    error = failure(f"{host}/app:x", secrets, Options(timeout=0.5))
    assert time.monotonic() - began < 1.4
    assert str(error) == f"{host}/app:x: manifest x: {host} took longer than 0.5 s (allow more with --timeout)"


def test_connection_cut_in_the_middle_of_a_manifest(serve: Serve, secrets: list[str]) -> None:
    tries = 0

    def cut(request: BaseHTTPRequestHandler) -> None:
        nonlocal tries
        tries += 1
        request.send_response(200)
        request.send_header("Content-Length", "5154")
        request.end_headers()
        request.wfile.write(b'{"schemaVersion": 2, "config"')
        request.close_connection = True

    host = serve(cut)
    error = failure(f"{host}/app:x", secrets)
    assert str(error) == f"{host}/app:x: manifest x: {host} cut the connection (try again later)"
    assert tries == 4


def test_connection_cut_once_is_no_failure(serve: Serve, reply: Reply) -> None:
    content = {"x": manifest_of(CONFIG), sha256(CONFIG): CONFIG}
    cut: set[str] = set()

    def shaky(request: BaseHTTPRequestHandler) -> None:
        name = request.path.rpartition("/")[2]
        if name in cut:
            reply(request, 200, content[name])
            return
        cut.add(name)
        request.send_response(200)
        request.send_header("Content-Length", str(len(content[name])))
        request.end_headers()
        request.wfile.write(content[name][:10])
        request.close_connection = True

    assert len(load([f"{serve(shaky)}/app:x"], OPTIONS).exports) == 1


# --- Other bytes than promised -------------------------------------------------------------------------------------


def test_manifest_that_is_not_its_digest(store: Callable[[dict[str, bytes]], str], secrets: list[str]) -> None:
    wanted = sha256(b"something else")
    host = store({wanted: manifest_of(CONFIG)})
    error = failure(f"{host}/app@{wanted}", secrets)
    assert isinstance(error, DecodeError)
    assert f"its bytes hash to {sha256(manifest_of(CONFIG))[:19]}, not to {wanted[:19]}" in error.message


def test_manifest_that_is_not_what_its_header_says(serve: Serve, reply: Reply, secrets: list[str]) -> None:
    wanted = sha256(b"something else")
    host = serve(lambda request: reply(request, 200, manifest_of(CONFIG), Docker_Content_Digest=wanted))
    assert f", not to {wanted[:19]}" in failure(f"{host}/app:x", secrets).message


def test_config_that_is_not_its_digest(store: Callable[[dict[str, bytes]], str], secrets: list[str]) -> None:
    wanted = sha256(b"something else")
    host = store({"x": manifest_of(CONFIG, digest=wanted), wanted: CONFIG})
    error = failure(f"{host}/app:x", secrets)
    assert error.message == (
        f"{host}/app:x: blob {wanted[:19]}: its bytes hash to {sha256(CONFIG)[:19]}, not to {wanted[:19]}"
    )


@pytest.mark.parametrize(
    ("difference", "message"), [(1, "29 bytes, its descriptor says 30"), (-1, "29 bytes, allowed are 28")]
)
def test_config_that_is_not_its_size(
    store: Callable[[dict[str, bytes]], str], secrets: list[str], difference: int, message: str
) -> None:
    host = store({"x": manifest_of(CONFIG, size=len(CONFIG) + difference), sha256(CONFIG): CONFIG})
    assert failure(f"{host}/app:x", secrets).message == f"{host}/app:x: blob {sha256(CONFIG)[:19]}: {message}"


def test_config_whose_digest_leads_elsewhere(store: Callable[[dict[str, bytes]], str], secrets: list[str]) -> None:
    host = store({"x": manifest_of(CONFIG, digest="sha256:../../../other/blobs/x")})
    assert "'sha256:../../../other/blobs/x' is not a digest" in failure(f"{host}/app:x", secrets).message


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"", b"[]", b'{"config": 3}', b'{"schemaVersion": 1}'])
def test_answer_that_is_no_manifest(store: Callable[[dict[str, bytes]], str], secrets: list[str], body: bytes) -> None:
    failure(f"{store({'x': body})}/app:x", secrets)


def nested(depth: int, innermost: bytes, media_type: str) -> dict[str, bytes]:
    content = {sha256(innermost): innermost}
    inner = innermost
    for _ in range(depth):
        child = {"mediaType": media_type, "digest": sha256(inner), "size": len(inner)}
        inner, media_type = json.dumps({"mediaType": OCI_INDEX, "manifests": [child]}).encode(), OCI_INDEX
        content[sha256(inner)] = inner
    return {**content, "x": inner}


def test_index_within_an_index_within_an_index(store: Callable[[dict[str, bytes]], str], secrets: list[str]) -> None:
    image = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": []}}).encode()
    manifest = manifest_of(image).replace(CACHE_CONFIG.encode(), b"application/vnd.oci.image.config.v1+json")
    host = store({**nested(3, manifest, OCI_MANIFEST), sha256(image): image})
    assert "has no inline cache" in failure(f"{host}/app:x", secrets).message


def test_indexes_without_end(store: Callable[[dict[str, bytes]], str], secrets: list[str]) -> None:
    host = store(nested(50, b"{}", OCI_INDEX))
    assert "nested" in failure(f"{host}/app:x", secrets).message


@pytest.mark.parametrize(
    "media_type", ["application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.in-toto+json", "text/plain"]
)
def test_what_an_index_lists_beside_manifests_is_not_downloaded(
    serve: Serve, reply: Reply, secrets: list[str], media_type: str
) -> None:
    child = {"mediaType": media_type, "digest": sha256(b"layer"), "size": 5}
    index = json.dumps({"mediaType": OCI_INDEX, "manifests": [child, child]}).encode()
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        reply(request, 200, index)

    assert "has no inline cache" in failure(f"{serve(answer)}/app:x", secrets).message
    assert asked == ["/v2/app/manifests/x"]


# --- Too much ------------------------------------------------------------------------------------------------------

TWO_GB = 2_000_000_000


def flood(request: BaseHTTPRequestHandler, announced: bool) -> None:
    """Send until the other side hangs up."""
    request.send_response(200)
    request.send_header(*(("Content-Length", str(TWO_GB)) if announced else ("Connection", "close")))
    request.end_headers()
    request.close_connection = True
    chunk = b" " * (1 << 20)
    try:
        for _ in range(TWO_GB // len(chunk)):
            request.wfile.write(chunk)
    except OSError:
        pass


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("size", [TWO_GB, 29, 0])
def test_config_of_two_gigabytes(
    serve: Serve, reply: Reply, secrets: list[str], monkeypatch: pytest.MonkeyPatch, announced: bool, size: int
) -> None:
    options = Options(timeout=20, limits=Limits(config_bytes=8 << 20))

    def answer(request: BaseHTTPRequestHandler) -> None:
        if "/manifests/" in request.path:
            reply(request, 200, manifest_of(CONFIG, size=size))
        else:
            flood(request, announced)

    host = serve(answer)
    tracemalloc.start()
    try:
        error = failure(f"{host}/app:x", secrets, options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.hint == "this is not a cache"
    assert peak < 40 << 20


@pytest.mark.parametrize("announced", [True, False])
def test_manifest_of_two_gigabytes(
    serve: Serve, secrets: list[str], monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    options = Options(timeout=20, limits=Limits(manifest_bytes=1 << 20))
    host = serve(lambda request: flood(request, announced))
    assert failure(f"{host}/app:x", secrets, options).hint == "this is not a cache"


# --- Logins --------------------------------------------------------------------------------------------------------


@pytest.fixture
def bearer(serve: Serve, reply: Reply, login: Callable[[str], None]) -> Callable[[Handler | str], str]:
    """A registry whose tokens come from this handler, or from a realm of this text; the user is logged in."""

    def start(server: Handler | str) -> str:
        realm = server if isinstance(server, str) else f"http://{serve(server)}/token"
        host = serve(
            lambda request: reply(
                request, 401, WWW_Authenticate=f'Bearer realm="{realm}",service="s",scope="repository:app:pull"'
            )
        )
        login(host)
        return host

    return start


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"<html>hello</html>", "answered without a token (is it a token server?)"),
        (200, b"", "answered without a token (is it a token server?)"),
        (200, b"[1]", "answered without a token (is it a token server?)"),
        (200, b"{}", "answered without a token (is it a token server?)"),
        (200, b'{"token": 7}', "answered without a token (is it a token server?)"),
        (200, b'{"token": "a\\r\\nX-Evil: 1"}', "answered without a token (is it a token server?)"),
        (200, b'{"token": "w0rthless"}', "answered 401 (run docker login "),
        (302, b"", "answered 302 (is it a token server?)"),
        (401, b"", "refused the credentials (run docker login "),
        (403, b"", "refused the credentials (run docker login "),
        (404, b"", "answered 404 (is it a token server?)"),
        (429, b"", "answered 429: too many requests"),
        (500, b"", "answered 500: the server is in trouble"),
    ],
)
def test_token_server_that_answers_nonsense(
    bearer: Callable[[Handler | str], str], reply: Reply, secrets: list[str], status: int, body: bytes, message: str
) -> None:
    secrets.append("w0rthless")
    host = bearer(lambda request: reply(request, status, body, Location="http://127.0.0.1:1/"))
    assert message in str(failure(f"{host}/app:x", secrets))


@pytest.mark.parametrize(
    ("realm", "message"),
    [
        ("http://127.0.0.1:1/token", "127.0.0.1:1 refused the connection"),
        ("http://auth.example/token", "auth.example would be asked over http, unencrypted"),
        ("file:///etc/passwd", "names a token server that is no address"),
        ("https://[", "names a token server that is no address"),
        ("nonsense", "names a token server that is no address"),
        ("https://auth.invalid/token", "auth.invalid is an unknown host"),
        ("https://auth.invalid:abc/token", "an answer that is no HTTP"),
    ],
)
def test_token_server_that_is_none(
    bearer: Callable[[Handler | str], str], secrets: list[str], realm: str, message: str
) -> None:
    assert message in str(failure(f"{bearer(realm)}/app:x", secrets))


@pytest.mark.parametrize("challenge", ["", "Bearer", 'Bearer realm="', "Negotiate", 'Digest realm="x"', "Bearer a=,,"])
def test_challenge_that_cannot_be_met(serve: Serve, reply: Reply, secrets: list[str], challenge: str) -> None:
    message = "is no address" if "Bearer realm" in challenge else "asks for a login of a kind that is not known"
    host = serve(lambda request: reply(request, 401, WWW_Authenticate=challenge))
    assert message in str(failure(f"{host}/app:x", secrets))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exec sleep 30", "docker-credential-odd gave no answer within 0.3 s"),
        ("echo {password}", "docker-credential-odd answered something that is not its JSON"),
        ("echo {password} >&2; exit 1", "docker-credential-odd failed with exit code 1"),
    ],
)
def test_helper_that_hangs_or_answers_nonsense(
    basic_registry: str,
    password: str,
    secrets: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    message: str,
) -> None:
    monkeypatch.setattr(docker_config, "HELPER_TIMEOUT", 0.3 if "sleep" in script else 20)
    program = tmp_path / "docker-credential-odd"
    program.write_text(f"#!/bin/sh\n{script.format(password=password)}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "docker-config"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"credsStore": "odd"}))
    began = time.monotonic()
    refs = [f"{basic_registry}/app:{n}" for n in range(20)]
    loaded = load(refs, OPTIONS)
    assert time.monotonic() - began < 5  # asked once, not once for each reference
    assert [str(failed.error) for failed in loaded.failures] == [
        f"{ref}: manifest {n}: {message} (run: echo {basic_registry} | docker-credential-odd get)"
        for n, ref in enumerate(refs)
    ]


def test_wrong_password(basic_registry: str, secrets: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "docker-config"
    folder.mkdir()
    wrong = {"username": "builder", "password": "wr0ng-5ecret"}
    (folder / "config.json").write_text(json.dumps({"auths": {basic_registry: wrong}}))
    secrets += ["wr0ng-5ecret", base64.b64encode(b"builder:wr0ng-5ecret").decode()]
    assert f"docker login {basic_registry}" in str(failure(f"{basic_registry}/app:x", secrets))


# --- Tags ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "link", "message"),
    [
        (b"nonsense", "", "tags: the answer is not JSON with tags in it: "),
        (b'{"tags": ["a"]}', '</v2/app/tags/list?n=1000>; rel="next"', "tags: a next page at another address"),
        (
            b'{"tags": ["a"]}',
            '<http://127.0.0.1:1/v2/app/tags/list>; rel="next"',
            "tags: a next page at another address",
        ),
        (b'{"tags": null}', "", "no tag matches '*'"),
    ],
)
def test_tags_that_are_none(
    serve: Serve, reply: Reply, secrets: list[str], body: bytes, link: str, message: str
) -> None:
    host = serve(lambda request: reply(request, 200, body, Link=link))
    error = failure(f"{host}/app", secrets, Options(timeout=2.0, tag_glob="*"))
    assert error.message.startswith(f"{host}/app: {message}")


def test_one_bad_tag_among_good_ones(serve: Serve, reply: Reply) -> None:
    good = manifest_of(CONFIG)
    digest = "sha256:" + hashlib.sha256(CONFIG).hexdigest()
    content = {"list?n=1000": b'{"tags": ["bad", "good"]}', "good": good, "bad": b"nonsense", digest: CONFIG}
    host = serve(lambda request: reply(request, 200, content[request.path.rpartition("/")[2]]))
    loaded = load([f"type=registry,ref={host}/app,all-tags=true"], OPTIONS)
    (export,), (failed,) = loaded.exports, loaded.failures
    assert (export.source, export.problems) == (f"type=registry,ref={host}/app:good", ())
    assert failed.spec == f"{host}/app:bad"
    assert failed.error.message.startswith(f"{host}/app:bad: not JSON")
