"""Real registries on loopback: Debian's ``docker-registry``, plain, behind basic auth, and behind a token server.

All three serve one storage folder, so what is pushed to the plain one is in the others too.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import trustme
import urllib3
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from cachegraph.loaders.distribution import client as registry_client
from cachegraph.loaders.distribution.client import RegistryClient
from cachegraph.loaders.http import client as http

Handler = Callable[[BaseHTTPRequestHandler], None]

USER = "builder"
PASSWORD = "hunter2-basic-5ecret"
PASSWORD_HASH = "$2b$05$abcdefghijklmnopqrstuumzDt2ttFWQNbUkI4TFhqUAkFTJyHyzi"  # bcrypt of PASSWORD
MANIFEST_KINDS = ("image.manifest.v1", "image.index.v1", "distribution.manifest")


@pytest.fixture
def fresh_clients(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Give each test an empty Docker config, short waits, and clients without a past."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker-config"))
    monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
    clients: dict[object, RegistryClient] = {}
    monkeypatch.setattr(registry_client, "_clients", clients)
    yield
    for client in clients.values():
        client.close()


@pytest.fixture
def login(tmp_path: Path) -> Callable[[str], None]:
    """Write what ``docker login HOST`` writes."""

    def write(host: str) -> None:
        folder = tmp_path / "docker-config"
        folder.mkdir(exist_ok=True)
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))

    return write


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Start small HTTP servers, ``serve(handler, context=None)``, for what no sound one does; give ``host:port``."""
    servers: list[ThreadingHTTPServer] = []

    def start(handler: Handler, context: ssl.SSLContext | None = None) -> str:
        server = _http_server(handler, context)
        servers.append(server)
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def reply() -> Callable[..., None]:
    """``reply(request, status, body, **headers)``: how a handler answers."""
    return _reply


@pytest.fixture
def password() -> str:
    return PASSWORD


@pytest.fixture(scope="session")
def registry_program() -> str:
    """Debian's registry, which ``make servers`` installs."""
    found = shutil.which("docker-registry")
    if found is None:
        pytest.fail("docker-registry is not there yet: make servers")
    return found


@pytest.fixture(scope="session")
def registry_storage(registry_program: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry-storage")


@pytest.fixture(scope="session")
def registry_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plain registry's access log."""
    return tmp_path_factory.mktemp("registry-log") / "log"


@pytest.fixture(scope="session")
def registry(registry_storage: Path, registry_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of a registry that lets everyone in."""
    with running_registry(registry_storage, registry_log, tmp_path_factory.mktemp("plain"), "") as host:
        yield host


@pytest.fixture(scope="session")
def basic_registry(registry_storage: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``host:port`` of a registry that wants a password."""
    folder = tmp_path_factory.mktemp("basic")
    (folder / "htpasswd").write_text(f"{USER}:{PASSWORD_HASH}\n")
    auth = f"auth:\n  htpasswd:\n    realm: test\n    path: {folder / 'htpasswd'}\n"
    with running_registry(registry_storage, folder / "log", folder, auth) as host:
        yield host


@dataclass(frozen=True)
class TokenServer:
    """What a token server was asked, and what it gave."""

    realm: str
    bundle: Path
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def token_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenServer]:
    """A token server that signs for our one user, and the certificate that the registry trusts."""
    authority = trustme.CA()
    folder = tmp_path_factory.mktemp("token")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    leaf = authority.issue_cert("token.test")
    key = leaf.private_key_pem.bytes()
    chain = [base64.b64encode(load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).public_bytes(Encoding.DER))]

    def answer(request: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(request.path).query)
        state.queries.append(query)
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != expected:
            _reply(request, 401, b"{}")
            return
        kind, name, actions = query["scope"][0].split(":")
        now = int(time.time())
        claims = {
            "iss": "test", "sub": USER, "aud": query["service"][0], "jti": str(len(state.queries)),
            "iat": now, "nbf": now - 10, "exp": now + 300,
            "access": [{"type": kind, "name": name, "actions": actions.split(",")}],
        }  # fmt: skip
        token = jwt.encode(claims, key, algorithm="ES256", headers={"x5c": [link.decode() for link in chain]})
        state.secrets.append(token)
        _reply(request, 200, json.dumps({"token": token, "expires_in": 300}).encode())

    server = _http_server(answer)
    state = TokenServer(realm=f"http://127.0.0.1:{server.server_port}/token", bundle=folder / "ca.pem")
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def token_registry(
    registry_storage: Path, token_server: TokenServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """``host:port`` of a registry that wants a token."""
    folder = tmp_path_factory.mktemp("bearer")
    auth = (
        f"auth:\n  token:\n    realm: {token_server.realm}\n    service: test-registry\n    issuer: test\n"
        f"    rootcertbundle: {token_server.bundle}\n"
    )
    with running_registry(registry_storage, folder / "log", folder, auth) as host:
        yield host


@pytest.fixture
def token_queries(token_server: TokenServer) -> list[dict[str, list[str]]]:
    """What the token server was asked since the test began."""
    token_server.queries.clear()
    return token_server.queries


@pytest.fixture
def token_secrets(token_server: TokenServer) -> list[str]:
    """Every token that was given."""
    return token_server.secrets


@pytest.fixture(scope="session")
def push(registry: str, layouts: Path) -> Callable[[str, str], str]:
    """Push a layout of the test data to ``repository:tag``; gives the manifest's digest."""

    def run(layout: str, target: str) -> str:
        return push_layout(layouts / layout, registry, target)

    return run


def push_layout(folder: Path, registry: str, target: str) -> str:
    """Push an image layout to ``repository:tag``; give the manifest's digest."""
    repository, tag = target.split(":")
    root = json.loads((folder / "index.json").read_bytes())["manifests"][0]
    with urllib3.PoolManager() as client:
        _push_manifest(client, f"http://{registry}/v2/{repository}", folder, root, tag)
    return str(root["digest"])


def _push_manifest(
    client: urllib3.PoolManager, base: str, folder: Path, descriptor: dict[str, object], tag: str
) -> None:
    content = _blob_path(folder, str(descriptor["digest"])).read_bytes()
    manifest = json.loads(content)
    for child in [*manifest.get("manifests", []), manifest.get("config"), *manifest.get("layers", [])]:
        if child is None:
            continue
        if any(kind in child["mediaType"] for kind in MANIFEST_KINDS):
            _push_manifest(client, base, folder, child, child["digest"])
        else:
            _push_blob(client, base, folder, child)
    kind = {"Content-Type": str(descriptor["mediaType"])}
    done = client.request("PUT", f"{base}/manifests/{tag}", body=content, headers=kind)
    assert done.status == 201, done.data


def _push_blob(client: urllib3.PoolManager, base: str, folder: Path, descriptor: dict[str, object]) -> None:
    digest = str(descriptor["digest"])
    path = _blob_path(folder, digest)
    start = client.request("POST", f"{base}/blobs/uploads/")
    assert start.status == 202, start.data
    place = start.headers["Location"]
    done = client.request("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", body=path.read_bytes())
    assert done.status == 201, done.data


def _blob_path(folder: Path, digest: str) -> Path:
    return folder / "blobs" / digest.replace(":", "/")


@contextmanager
def running_registry(storage: Path, log: Path, folder: Path, auth: str) -> Iterator[str]:
    """Run a registry on a free port; ``auth`` is that part of its configuration."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\nlog:\n  level: warn\n"
        f"storage:\n  filesystem:\n    rootdirectory: {storage}\n  delete:\n    enabled: true\n"
        f"http:\n  addr: 127.0.0.1:{port}\n{auth}"
    )
    with log.open("wb") as out:
        process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait_until_up(process, port, log)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"docker-registry did not start: {log.read_text()}")


def _http_server(handler: Handler, context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            handler(self)

        do_GET = do_HEAD = do_POST = _answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


def _reply(request: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)
