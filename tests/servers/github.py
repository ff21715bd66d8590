"""GitHub's Actions cache, as far as its manual says how it answers: entries for the cache service and the REST API."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

MAIN, PULL, FEATURE = "refs/heads/main", "refs/pull/7/merge", "refs/heads/feature"
REST_TOKEN, SIGNATURE = "ghs_restTokenExample81", "sig=signed-url-secret-55"
VERSION = hashlib.sha256(b"|go-actionscache-1.0").hexdigest()

Corpus = Callable[[str], dict[str, bytes]]


def runtime_token(*refs: str, expires: float = 3600) -> str:
    scopes = json.dumps([{"Scope": ref, "Permission": 3 if n == 0 else 1} for n, ref in enumerate(refs)])
    now = int(time.time())
    parts = [{"alg": "RS256", "typ": "JWT"}, {"ac": scopes, "nbf": now - 60, "exp": now + expires}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "cnVudGltZS1zaWduYXR1cmU"])


def index(scope: str, ref: str, number: int) -> str:
    return f"index-{scope}-1-{hashlib.sha256(ref.encode()).hexdigest()[:8]}#{number}"


class GitHub(ThreadingHTTPServer):
    """Entries by key, served by the cache service (a token's branches only) and by the REST API."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.entries: list[tuple[str, str, bytes]] = []  # ref, key, content; the newest last
        self.calls: list[str] = []
        self.failures: list[tuple[int, dict[str, str]]] = []

    def add(self, ref: str, key: str, content: bytes) -> None:
        self.entries.append((ref, key, content))


class Handler(BaseHTTPRequestHandler):
    server: GitHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        self.server.calls.append(format % args)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def failed(self) -> bool:
        if not self.server.failures:
            return False
        status, headers = self.server.failures.pop(0)
        self.answer(status, b"{}", headers)
        return True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.failed():
            return
        if self.path != "/twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL":
            self.answer(404, b'{"code":"bad_route","msg":"no handler"}')
            return
        kind, _, token = self.headers["Authorization"].partition(" ")
        if kind != "Bearer" or token.count(".") != 2 or self.headers["Content-Type"] != "application/json":
            self.answer(401, b'{"code":"unauthenticated","msg":"no token"}')
            return
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        refs = [scope["Scope"] for scope in json.loads(claims["ac"])]
        assert asked["version"] == VERSION
        readable = [(n, key) for n, (ref, key, _) in enumerate(self.server.entries) if ref in refs]
        exact = [n for n, key in readable if key == asked["key"]]
        begun = [n for n, key in readable if key.startswith(tuple(asked["restore_keys"]))]
        if not exact + begun:
            self.answer(200, b'{"ok":false,"signed_download_url":"","matched_key":""}')
            return
        found = exact[-1] if exact else begun[-1]
        url = f"{self.server.url}/storage/{found}?{SIGNATURE}"
        body = {"ok": True, "signed_download_url": url, "matched_key": self.server.entries[found][1]}
        self.answer(200, json.dumps(body).encode())

    def do_GET(self) -> None:
        if self.failed():
            return
        url = urlsplit(self.path)
        if url.path == "/_apis/artifactcache/cache":
            self.first_version({key: values[0] for key, values in parse_qs(url.query).items()})
        elif url.path == "/repos/acme/app/actions/cache/usage":
            size = sum(len(content) for _, _, content in self.server.entries)
            usage = {"active_caches_size_in_bytes": size, "active_caches_count": len(self.server.entries)}
            self.answer(200, json.dumps({"full_name": "acme/app", **usage}).encode())
        elif url.path.startswith("/storage/"):
            assert self.headers["Authorization"] is None, "the storage must not get the service's token"
            allowed = url.query == SIGNATURE
            self.answer(200 if allowed else 403, self.server.entries[int(url.path[9:])][2] if allowed else b"")
        elif url.path == "/repos/acme/app/actions/caches":
            if self.headers["Authorization"] not in {None, f"Bearer {REST_TOKEN}"}:
                self.answer(401, b'{"message":"Bad credentials"}')
                return
            self.answer(200, json.dumps(self.page({k: v[0] for k, v in parse_qs(url.query).items()})).encode())
        else:
            self.answer(404, b'{"message":"Not Found"}')

    def first_version(self, query: dict[str, str]) -> None:
        """Answer as the first version of the cache service does."""
        assert self.headers["Accept"] == "application/json;api-version=6.0-preview.1"
        assert query["version"] == VERSION
        payload = self.headers["Authorization"].removeprefix("Bearer ").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        refs = [scope["Scope"] for scope in json.loads(claims["ac"])]
        entries = enumerate(self.server.entries)
        begun = [n for n, (ref, key, _) in entries if ref in refs and key.startswith(query["keys"])]
        if not begun:
            self.answer(204, b"")
            return
        location = f"{self.server.url}/storage/{begun[-1]}?{SIGNATURE}"
        body = {"cacheKey": self.server.entries[begun[-1]][1], "archiveLocation": location, "scope": refs[0]}
        self.answer(200, json.dumps(body).encode())

    def page(self, query: dict[str, str]) -> dict[str, object]:
        entries = [
            {
                "id": 500 + n,
                "ref": ref,
                "key": key,
                "version": VERSION,
                "last_accessed_at": f"2026-11-20T10:00:{n % 60:02}Z",
                "created_at": f"2026-11-19T{n // 60:02}:00:{n % 60:02}Z",
                "size_in_bytes": len(content),
            }
            for n, (ref, key, content) in enumerate(self.server.entries)
            if key.startswith(query["key"])
        ]
        size, page = int(query["per_page"]), int(query["page"])
        return {"total_count": len(entries), "actions_caches": entries[(page - 1) * size : page * size]}


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    for name in (
        "ACTIONS_CACHE_URL",
        "ACTIONS_CACHE_SERVICE_V2",
        "ACTIONS_RESULTS_URL",
        "ACTIONS_RUNTIME_TOKEN",
        "GITHUB_REPOSITORY",
        "GITHUB_TOKEN",
        "GH_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)
    server = GitHub()
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def filled(github: GitHub, corpus: Corpus) -> GitHub:
    """Return GitHub with what a build of ``web`` on main leaves, twice exported, and an unrelated cache."""
    objects = corpus("s3")
    github.add(MAIN, "node-cache-Linux-x64", b"not BuildKit's")
    github.add(MAIN, index("web", MAIN, 0), b'{"layers":[],"records":[]}')
    for key, content in objects.items():
        if key.startswith("blobs/"):
            github.add(MAIN, key.replace("blobs/", "buildkit-blob-1-"), content)
    github.add(MAIN, index("web", MAIN, 1), objects["manifests/web"])
    return github
