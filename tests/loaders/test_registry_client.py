"""The client against real registries: plain, behind a password, behind a token server, behind TLS."""

from __future__ import annotations

import hashlib
import json
import logging
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import trustme
import urllib3

from cachegraph.errors import AccessError, DecodeError, NotFoundError, SourceError
from cachegraph.loaders.base import Options
from cachegraph.loaders.distribution.client import RegistryClient, shared_client
from cachegraph.loaders.oci.manifests import MANIFEST_TYPES

LIMIT = 1 << 20
Push = Callable[[str, str], str]


def client_of(host: str, insecure: frozenset[str] = frozenset()) -> RegistryClient:
    return shared_client(host, Options(timeout=5.0, insecure_registries=insecure))


def config_of(manifest: bytes) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(manifest)["config"]
    return config


def test_downloads_a_manifest_and_its_config_by_tag_and_by_digest(registry: str, push: Push) -> None:
    digest = push("web-max", "client/web:latest")
    client = client_of(registry)
    by_tag = client.manifest("client/web", "latest", limit=LIMIT)
    assert by_tag == client.manifest("client/web", digest, limit=LIMIT)
    assert (by_tag.digest, len(by_tag.content)) == (digest, 5154)
    config = config_of(by_tag.content)
    content = client.fetch("client/web", config["digest"], media_type=config["mediaType"], size=4878, limit=LIMIT)
    assert hashlib.sha256(content).hexdigest() == config["digest"].removeprefix("sha256:")


def test_fetches_the_manifests_of_an_index_as_manifests(registry: str, push: Push) -> None:
    push("web-multi-inline", "client/multi:latest")
    client = client_of(registry)
    index = json.loads(client.manifest("client/multi", "latest", limit=LIMIT).content)
    for child in index["manifests"]:
        assert child["mediaType"] in MANIFEST_TYPES
        content = client.fetch(
            "client/multi", child["digest"], media_type=child["mediaType"], size=child["size"], limit=LIMIT
        )
        assert len(content) == 1422


def test_asks_whether_a_blob_is_there(registry: str, push: Push) -> None:
    push("scratch-file-inline", "client/probe:latest")
    client = client_of(registry)
    manifest = json.loads(client.manifest("client/probe", "latest", limit=LIMIT).content)
    layers = [layer["digest"] for layer in manifest["layers"]]
    assert urllib3.request("DELETE", f"http://{registry}/v2/client/probe/blobs/{layers[2]}").status == 202
    sizes = [client.blob_size("client/probe", layer, expected=0) for layer in layers]
    assert sizes == [layer["size"] if n != 2 else None for n, layer in enumerate(manifest["layers"])]
    with pytest.raises(DecodeError, match="is not a digest"):
        client.blob_size("client/probe", "sha256:../../x", expected=0)


def test_lists_tags_page_by_page(registry: str, push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    tags = [f"t{n}" for n in range(5)]
    for tag in tags:
        push("scratch-file-inline", f"client/tags:{tag}")
    monkeypatch.setattr("cachegraph.loaders.distribution.client._PAGE", 2)
    assert sorted(client_of(registry).tags("client/tags")) == tags


@pytest.mark.parametrize("target", ["nope", "sha256:" + "0" * 64])
def test_says_what_is_not_there(registry: str, push: Push, target: str) -> None:
    push("scratch-file-inline", "client/absent:latest")
    with pytest.raises(
        NotFoundError, match=rf"manifest {target}: {registry} answered 404 MANIFEST_UNKNOWN: manifest unknown \(check"
    ):
        client_of(registry).manifest("client/absent", target, limit=LIMIT)


class TestPassword:
    def test_is_used(self, basic_registry: str, push: Push, login: Callable[[str], None]) -> None:
        digest = push("web-max", "client/basic:latest")
        login(basic_registry)
        assert client_of(basic_registry).manifest("client/basic", "latest", limit=LIMIT).digest == digest

    def test_is_missing(self, basic_registry: str) -> None:
        with pytest.raises(AccessError) as caught:
            client_of(basic_registry).manifest("client/basic", "latest", limit=LIMIT)
        assert str(caught.value) == (
            f"manifest latest: {basic_registry} wants a login (run docker login {basic_registry})"
        )

    def test_is_wrong(self, basic_registry: str, login: Callable[[str], None], tmp_path: Path) -> None:
        login(basic_registry)
        config = tmp_path / "docker-config" / "config.json"
        config.write_text(json.dumps({"auths": {basic_registry: {"username": "builder", "password": "wr0ng"}}}))
        with pytest.raises(AccessError) as caught:
            client_of(basic_registry).manifest("client/basic", "latest", limit=LIMIT)
        assert "wr0ng" not in str(caught.value)
        assert f"docker login {basic_registry}" in str(caught.value)

    def test_is_found_after_a_login_in_the_same_process(
        self, basic_registry: str, push: Push, login: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        digest = push("web-max", "client/basic:latest")
        monkeypatch.setattr("cachegraph.loaders.distribution.auth._KEEP_CREDENTIALS", 0.0)
        with pytest.raises(AccessError, match="wants a login"):
            client_of(basic_registry).manifest("client/basic", "latest", limit=LIMIT)
        login(basic_registry)
        assert client_of(basic_registry).manifest("client/basic", "latest", limit=LIMIT).digest == digest

    def test_comes_from_a_helper_on_path(
        self, basic_registry: str, push: Push, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, password: str
    ) -> None:
        digest = push("web-max", "client/basic:latest")
        program = tmp_path / "docker-credential-script"
        program.write_text(f'#!/bin/sh\necho \'{{"Username":"builder","Secret":"{password}"}}\'\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        folder = tmp_path / "docker-config"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"credHelpers": {basic_registry: "script"}}))
        assert client_of(basic_registry).manifest("client/basic", "latest", limit=LIMIT).digest == digest


class TestToken:
    def test_is_fetched_once_for_a_repository_and_all_threads(
        self, token_registry: str, token_queries: list[dict[str, list[str]]], push: Push, login: Callable[[str], None]
    ) -> None:
        digests = {push("web-max", "client/one:latest"), push("web-max", "client/two:latest")}
        login(token_registry)
        client = client_of(token_registry)
        with ThreadPoolExecutor(8) as pool:
            repositories = ["client/one", "client/two"] * 20
            found = pool.map(lambda name: client.manifest(name, "latest", limit=LIMIT).digest, repositories)
            assert set(found) == digests
        scopes = sorted((query["service"][0], query["scope"][0]) for query in token_queries)
        assert scopes == [
            ("test-registry", "repository:client/one:pull"),
            ("test-registry", "repository:client/two:pull"),
        ]

    def test_is_refused_without_a_login(self, token_registry: str) -> None:
        with pytest.raises(AccessError, match=rf"wants a login \(run docker login {token_registry}\)"):
            client_of(token_registry).manifest("client/one", "latest", limit=LIMIT)

    def test_no_secret_is_logged(
        self,
        token_registry: str,
        token_secrets: list[str],
        password: str,
        push: Push,
        login: Callable[[str], None],
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        push("web-max", "client/one:latest")
        login(token_registry)
        with caplog.at_level(logging.DEBUG):
            client_of(token_registry).manifest("client/one", "latest", limit=LIMIT)
        output = caplog.text + "".join(capfd.readouterr())
        assert "/v2/client/one/manifests/latest" in output
        assert [secret for secret in (password, *token_secrets) if secret in output] == []


class TestRedirect:
    """A registry that sends to a blob store elsewhere, with a signature in the address."""

    SIGNATURE = "s1gnature-5ecret"

    def fetch(
        self, serve: Callable[..., str], reply: Callable[..., None], login: Callable[[str], None], location: str
    ) -> bytes:
        def registry(request: BaseHTTPRequestHandler) -> None:
            if request.headers.get("Authorization") is None:
                reply(request, 401, WWW_Authenticate='Basic realm="test"')
            else:
                reply(request, 307, Location=location)

        host = serve(registry)
        login(host)
        digest = "sha256:" + hashlib.sha256(b"content").hexdigest()
        return client_of(host).fetch("app", digest, media_type="", size=7, limit=LIMIT)

    def test_does_not_take_the_login_along(
        self,
        serve: Callable[..., str],
        reply: Callable[..., None],
        login: Callable[[str], None],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        seen: list[BaseHTTPRequestHandler] = []

        def store(request: BaseHTTPRequestHandler) -> None:
            seen.append(request)
            reply(request, 200, b"content")

        with caplog.at_level(logging.DEBUG):
            location = f"http://{serve(store)}/bucket/blob?sig={self.SIGNATURE}"
            assert self.fetch(serve, reply, login, location) == b"content"
        assert [(request.path, request.headers.get("Authorization")) for request in seen] == [
            (f"/bucket/blob?sig={self.SIGNATURE}", None)
        ]
        assert "/bucket/blob" in caplog.text
        assert self.SIGNATURE not in caplog.text

    def test_does_not_answer_the_challenge_of_another_host(
        self, serve: Callable[..., str], reply: Callable[..., None], login: Callable[[str], None]
    ) -> None:
        logins: list[str | None] = []

        def store(request: BaseHTTPRequestHandler) -> None:
            logins.append(request.headers.get("Authorization"))
            reply(request, 401, WWW_Authenticate='Basic realm="give me your password"')

        with pytest.raises(AccessError, match="answered 401"):
            self.fetch(serve, reply, login, f"http://{serve(store)}/blob?sig={self.SIGNATURE}")
        assert set(logins) == {None}

    @pytest.mark.parametrize(
        ("location", "message"),
        [
            ("http://store.example/blob", r"store\.example would be asked over http, unencrypted \(allow it with"),
            ("ftp://store.example/blob", r"store\.example would be asked over ftp, unencrypted"),
            ("http://127.0.0.1:1/blob", "127.0.0.1:1 refused the connection"),
            ("/v2/round/and/round", "redirects in circles"),
        ],
    )
    def test_does_not_go_everywhere(
        self,
        serve: Callable[..., str],
        reply: Callable[..., None],
        login: Callable[[str], None],
        location: str,
        message: str,
    ) -> None:
        with pytest.raises(SourceError, match=message):
            self.fetch(serve, reply, login, location)


class TestEncryption:
    """Registries under a name that is not this machine's, which only these tests resolve."""

    @pytest.fixture(autouse=True)
    def resolve(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *rest, **named: real("127.0.0.1" if host == "registry.test" else host, *rest, **named),
        )

    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def tls_host(self, serve: Callable[..., str], reply: Callable[..., None], authority: trustme.CA) -> str:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("registry.test").configure_cert(context)
        return serve(lambda request: reply(request, 200, b"{}"), context).replace("127.0.0.1", "registry.test")

    @pytest.fixture
    def plain_host(self, serve: Callable[..., str], reply: Callable[..., None]) -> str:
        return serve(lambda request: reply(request, 200, b"{}")).replace("127.0.0.1", "registry.test")

    def test_own_authority(
        self, tls_host: str, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert client_of(tls_host).manifest("app", "latest", limit=LIMIT).content == b"{}"

    def test_unknown_authority(self, tls_host: str) -> None:
        with pytest.raises(
            SourceError, match=r"certificate that is not trusted: .*\(name your CA's file in SSL_CERT_FILE"
        ):
            client_of(tls_host).manifest("app", "latest", limit=LIMIT)

    def test_certificates_that_are_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent.pem")
        with pytest.raises(SourceError, match="check SSL_CERT_FILE"):
            client_of("registry.test")

    def test_plain_http_only_where_it_is_allowed(self, plain_host: str) -> None:
        with pytest.raises(SourceError, match=rf"does not speak TLS \(if .* --insecure-registry {plain_host}\)"):
            client_of(plain_host).manifest("app", "latest", limit=LIMIT)
        allowed = client_of(plain_host, insecure=frozenset({plain_host}))
        assert allowed.manifest("app", "latest", limit=LIMIT).content == b"{}"

    def test_proxy_from_the_environment(
        self, serve: Callable[..., str], reply: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        paths: list[str] = []

        def proxy(request: BaseHTTPRequestHandler) -> None:
            paths.append(request.path)
            reply(request, 200, b"{}")

        monkeypatch.setenv("HTTP_PROXY", f"http://{serve(proxy)}")
        client = client_of("proxied.test", insecure=frozenset({"proxied.test"}))
        assert client.manifest("app", "latest", limit=LIMIT).content == b"{}"
        assert paths == ["http://proxied.test/v2/app/manifests/latest"]

    def test_proxy_that_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "gopher://me:hunter2@proxy.test")
        with pytest.raises(SourceError) as caught:
            client_of("registry.test")
        assert str(caught.value).startswith("the proxy cannot be used (HTTP_PROXY")
        assert "hunter2" not in str(caught.value)


class TestRetry:
    def test_goes_on_after_failures_that_pass(self, serve: Callable[..., str], reply: Callable[..., None]) -> None:
        answers: list[int] = [503, 429, 200]

        def shaky(request: BaseHTTPRequestHandler) -> None:
            reply(request, answers.pop(0), b"{}", Retry_After="0")

        assert client_of(serve(shaky)).manifest("app", "latest", limit=LIMIT).content == b"{}"
        assert answers == []

    def test_waits_as_long_as_it_is_asked_to(self, serve: Callable[..., str], reply: Callable[..., None]) -> None:
        times: list[float] = []

        def busy(request: BaseHTTPRequestHandler) -> None:
            times.append(time.monotonic())
            reply(request, 429 if len(times) == 1 else 200, b"{}", Retry_After="1")

        client_of(serve(busy)).manifest("app", "latest", limit=LIMIT)
        assert 1.0 <= times[1] - times[0] < 3.0

    def test_does_not_wait_longer_than_the_timeout(self, serve: Callable[..., str], reply: Callable[..., None]) -> None:
        host = serve(lambda request: reply(request, 429, Retry_After="Fri, 31 Dec 9999 23:59:59 GMT"))
        began = time.monotonic()
        with pytest.raises(SourceError, match="429: too many requests, and asks to wait"):
            client_of(host).manifest("app", "latest", limit=LIMIT)
        assert time.monotonic() - began < 2


class TestOtherTokens:
    """What cloud registries use instead of passwords, and tokens that end early."""

    @pytest.fixture
    def asked(self) -> list[tuple[str, str, str | None]]:
        return []

    @pytest.fixture
    def host(
        self, serve: Callable[..., str], reply: Callable[..., None], asked: list[tuple[str, str, str | None]]
    ) -> str:
        """A registry whose tokens are good for one request."""
        spent: set[str | None] = {None}

        def tokens(request: BaseHTTPRequestHandler) -> None:
            form = request.rfile.read(int(request.headers.get("Content-Length", "0"))).decode()
            asked.append((request.command, form or request.path, request.headers.get("Authorization")))
            reply(request, 200, json.dumps({"access_token": f"t{len(asked)}", "expires_in": 300}).encode())

        realm = f"http://{serve(tokens)}/token?account=x"

        def registry(request: BaseHTTPRequestHandler) -> None:
            token = request.headers.get("Authorization")
            if token in spent:
                reply(request, 401, WWW_Authenticate=f'Bearer realm="{realm}",service="s",scope="repository:app:pull"')
            else:
                spent.add(token)
                reply(request, 200, b"{}")

        return serve(registry)

    def configure(self, tmp_path: Path, host: str, **entry: str) -> None:
        folder = tmp_path / "docker-config"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"auths": {host: entry}}))

    def test_without_a_login(self, host: str, asked: list[tuple[str, str, str | None]]) -> None:
        client_of(host).manifest("app", "latest", limit=LIMIT)
        assert asked == [("GET", "/token?account=x&service=s&scope=repository%3Aapp%3Apull", None)]

    def test_spent_ones_are_replaced(self, host: str, asked: list[tuple[str, str, str | None]]) -> None:
        for _ in range(3):
            client_of(host).manifest("app", "latest", limit=LIMIT)
        assert len(asked) == 3

    def test_identity_token_is_exchanged(
        self, host: str, asked: list[tuple[str, str, str | None]], tmp_path: Path
    ) -> None:
        self.configure(tmp_path, host, identitytoken="1dentity")
        client_of(host).manifest("app", "latest", limit=LIMIT)
        form = "grant_type=refresh_token&client_id=cachegraph&refresh_token=1dentity"
        assert asked == [("POST", f"{form}&service=s&scope=repository%3Aapp%3Apull", None)]

    def test_registry_token_is_used_as_it_is(
        self, host: str, asked: list[tuple[str, str, str | None]], tmp_path: Path
    ) -> None:
        self.configure(tmp_path, host, registrytoken="r3gistry")
        client_of(host).manifest("app", "latest", limit=LIMIT)
        assert asked == []
        with pytest.raises(AccessError, match=f"answered 401 .*docker login {host}"):
            client_of(host).manifest("app", "latest", limit=LIMIT)
