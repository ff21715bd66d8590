"""No server holds a source, a command or Ctrl-C for longer than it was given."""

from __future__ import annotations

import base64
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from cachegraph.errors import SourceError
from cachegraph.loaders.base import Options
from cachegraph.loaders.catalogue import load
from cachegraph.loaders.limits import Limits, source_seconds
from cachegraph.loaders.names.read import read_names
from tests.servers.github import runtime_token
from tests.servers.hostile import CHUNKED, ENDLESS, OK, Start, drip, flood

CONFIG = b'{"layers": [], "records": []}'
TIMEOUT = 0.4
OPTIONS = Options(timeout=TIMEOUT, probe=True)
PATIENCE = source_seconds(Limits(), TIMEOUT) + 1.0


def specs(host: str) -> dict[str, str]:
    """Every kind of source that asks a server, each asking this one."""
    token = runtime_token("refs/heads/main")
    return {
        "registry": f"type=registry,ref={host}/app:x",
        "all tags": f"type=registry,ref={host}/app,all-tags=true",
        "github": f"type=gha,url_v2=http://{host},token={token}",
        "daemon": f"type=daemon,debug=http://{host}",
        "s3": f"type=s3,bucket=b,region=us-east-1,endpoint_url=http://{host},use_path_style=true,"
        "access_key_id=AKIDEXAMPLE,secret_access_key=s3cr3t-of-a-bucket",
        "azblob": f"type=azblob,account_url=http://{host}/acme,account_name=acme,container=cache,"
        f"secret_access_key={base64.b64encode(b'a key of an account').decode()}",
    }


# Azure's and AWS's libraries leave a connection that was given up to the garbage collector.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield
    gc.collect()


def failure(spec: str, options: Options = OPTIONS) -> tuple[SourceError, float]:
    """Load what fails; give the error and the seconds it took."""
    began = time.monotonic()
    loaded = load([spec], options)
    (failed,) = loaded.failures
    assert isinstance(failed.error, SourceError)
    assert "bug" not in str(failed.error)
    assert failed.error.hint
    return failed.error, time.monotonic() - began


@pytest.mark.parametrize("what", ENDLESS)
def test_a_request_ends_at_its_deadline_whatever_the_server_does(endless: Start, what: str) -> None:
    host = endless(ENDLESS[what])
    error, took = failure(f"type=registry,ref={host}/app:x")
    assert took < PATIENCE
    assert host in str(error)
    said = ("took longer than 0.4 s", "without end", "no HTTP", "answered 103")
    assert any(words in str(error) for words in said), error


@pytest.mark.parametrize("kind", ["all tags", "github", "daemon", "s3", "azblob"])
@pytest.mark.parametrize("what", ["silence", "a header, byte by byte", "100 Continue, again and again"])
def test_a_source_ends_at_its_deadline_whatever_asks(endless: Start, kind: str, what: str) -> None:
    _, took = failure(specs(endless(ENDLESS[what]))[kind])
    assert took < PATIENCE


@pytest.mark.parametrize("kind", ["s3", "azblob"])
def test_an_object_that_drips(endless: Start, kind: str) -> None:
    about = b'Content-Length: 100000\r\nContent-Range: bytes 0-99999/100000\r\nETag: "x"\r\n\r\n'
    head = b"HTTP/1.1 206 Partial Content\r\n" if kind == "azblob" else OK
    error, took = failure(specs(endless(drip(head + about)))[kind])
    assert took < PATIENCE
    assert "longer than 0.9 s altogether" in str(error) or "no answer in time" in str(error)


def test_a_handshake_that_drips(endless: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **named: real("127.0.0.1", *rest, **named))
    host = endless(drip(b"\x16\x03\x03\x40\x00\x02", b"\0")).replace("127.0.0.1", "registry.test")
    error, took = failure(f"type=registry,ref={host}/app:x")
    assert took < PATIENCE
    assert "took longer than 0.4 s" in str(error)


def test_a_name_that_is_looked_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_rest, **_named: time.sleep(30))
    error, took = failure("type=registry,ref=registry.test/app:x")
    assert took < PATIENCE
    assert "longer than 0.9 s altogether (allow more with --timeout, or with --limit source-seconds=NUMBER)" in str(
        error
    )


def test_memory_stays_small_while_a_server_floods(endless: Start) -> None:
    code = (
        "import re, sys\n"
        "from cachegraph.loaders.base import Options\n"
        "from cachegraph.loaders.catalogue import load\n"
        "print(load([sys.argv[1]], Options(timeout=2.0)).failures[0].error)\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    for script in (flood(CHUNKED + b"5;x=", b"y" * 60_000), flood(OK, b"X: " + b"x" * 60_000 + b"\r\n")):
        ref = f"type=registry,ref={endless(script)}/app:x"
        done = subprocess.run([sys.executable, "-c", code, ref], capture_output=True, text=True, check=True)
        assert int(done.stdout.split()[-1]) < 150_000, done.stdout


def test_names_end_as_well(endless: Start) -> None:
    for source in ("type=registry,ref={}/app:x", "http://{}"):
        began = time.monotonic()
        with pytest.raises(SourceError):
            read_names(source.format(endless(ENDLESS["a header, byte by byte"])), OPTIONS)
        assert time.monotonic() - began < PATIENCE


def test_a_hundred_references_do_not_wait_one_after_the_other(endless: Start) -> None:
    host = endless(ENDLESS["silence"])
    began = time.monotonic()
    failed = load([f"{host}/app:{number}" for number in range(100)], OPTIONS).failures
    assert time.monotonic() - began < 4 * PATIENCE
    assert len(failed) == 100
    assert "requests in a row unanswered, so it is not asked again for now" in str(failed[-1].error)


# --- Listings without end --------------------------------------------------------------------------------------------


def endless_pages(request: BaseHTTPRequestHandler) -> tuple[bytes, dict[str, str]]:
    """The next page of any listing: always fresh entries, and always one more."""
    parts = urlsplit(request.path)
    query = parse_qs(parts.query)
    if "tags/list" in parts.path:
        number = int(query.get("last", ["0"])[0])
        link = f'<{parts.path}?n=1000&last={number + 1}>; rel="next"'
        return json.dumps({"tags": [f"t{number}"]}).encode(), {"Link": link}
    if "actions/caches" in parts.path:
        entry = {"key": f"buildkit-blob-1-sha256:{'0' * 64}", "size_in_bytes": 1}
        return json.dumps({"total_count": 10**9, "actions_caches": [entry]}).encode(), {}
    number = int((query.get("continuation-token") or query.get("marker") or ["0"])[0] or 0)
    if "restype" in query:
        body = (
            "<?xml version='1.0'?><EnumerationResults ContainerName='cache'>"
            f"<Blobs><Blob><Name>manifests/{number}</Name>"
            "<Properties><Last-Modified>Mon, 02 Nov 2026 10:00:00 GMT</Last-Modified><Content-Length>1</Content-Length>"
            "<BlobType>BlockBlob</BlobType>"
            f"</Properties></Blob></Blobs><NextMarker>{number + 1}</NextMarker></EnumerationResults>"
        )
    else:
        body = (
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>true</IsTruncated>'
            f"<Contents><Key>manifests/{number}</Key><Size>1</Size>"
            "<LastModified>2026-11-02T10:00:00Z</LastModified></Contents>"
            f"<NextContinuationToken>{number + 1}</NextContinuationToken></ListBucketResult>"
        )
    return body.encode(), {"Content-Type": "application/xml"}


@pytest.fixture
def paged(serve: Callable[..., str], reply: Callable[..., None]) -> str:
    """A server that has every manifest, and whose listings have no end."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        listing = "list" in parts.path or "actions/caches" in parts.path or "list-type" in parts.query
        if listing or "comp=list" in parts.query:
            body, headers = endless_pages(request)
            reply(request, 200, body, **{name.replace("-", "_"): value for name, value in headers.items()})
        else:
            span = f"bytes 0-{len(CONFIG) - 1}/{len(CONFIG)}"
            when = "Mon, 02 Nov 2026 10:00:00 GMT"
            reply(request, 206, CONFIG, Content_Range=span, ETag='"x"', Last_Modified=when, x_ms_blob_type="BlockBlob")

    return serve(answer)


@pytest.mark.parametrize("kind", ["all tags", "s3", "azblob", "entries"])
def test_a_listing_without_end(paged: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", f"http://{paged}")
    spec = "type=gha,repository=acme/app,scope=web" if kind == "entries" else specs(paged)[kind]
    options = Options(timeout=20, probe=True, limits=Limits(pages=30))
    error, _ = failure(spec, options)
    assert "more than 30 pages (30 " in str(error)
    assert "--limit pages=NUMBER" in str(error)
    error, _ = failure(spec, Options(timeout=20, probe=True, limits=Limits(items=20)))
    assert "more than 20 " in str(error)
    assert "21 pages read)" in str(error) or "20 pages read)" in str(error)
    _, took = failure(spec, OPTIONS)  # and without either, the clock ends it
    assert took < PATIENCE


# --- The command -----------------------------------------------------------------------------------------------------


def start(spec: str, tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    probe = () if "daemon" in spec else ("--probe",)
    command = [sys.executable, "-m", "cachegraph", "check", *probe, *options, spec]
    env = {**os.environ, "DOCKER_CONFIG": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root, env=env
    )  # in a process of its own, as a user has it


@pytest.mark.parametrize("kind", ["registry", "all tags", "github", "daemon", "s3", "azblob"])
def test_the_command_ends_within_ten_seconds(endless: Start, tmp_path: Path, kind: str) -> None:
    host = endless(ENDLESS["headers, line by line"])
    began = time.monotonic()
    with start(specs(host)[kind], tmp_path, "--timeout", "1") as process:
        output, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 10  # with the usual 30 s it would be a minute
    assert process.returncode == 3
    assert "Traceback" not in output + errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("kind", ["registry", "all tags", "github", "daemon", "s3", "azblob"])
def test_ctrl_c_ends_the_command_within_a_second(endless: Start, tmp_path: Path, kind: str) -> None:
    asked = threading.Event()

    def script(connection: socket.socket, stop: threading.Event) -> None:
        asked.set()
        ENDLESS["headers, line by line"](connection, stop)

    with start(specs(endless(script))[kind], tmp_path, "--timeout", "60") as process:
        assert asked.wait(20)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        output, errors = process.communicate(timeout=10)
    assert time.monotonic() - began < 1
    assert process.returncode == 130
    assert "Traceback" not in output + errors


def test_a_helper_that_prints_for_ever(basic_registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "docker-credential-mad"
    program.write_text("#!/bin/sh\nexec yes 'a secret or two'\n")
    program.chmod(0o755)
    (tmp_path / "config.json").write_text('{"credsStore": "mad"}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    error, took = failure(f"{basic_registry}/app:x", Options(timeout=5))
    assert took < 3
    assert "docker-credential-mad printed more than 1,048,576 bytes" in str(error)
    assert "secret or two" not in str(error)


def test_a_helper_that_hangs_waits_no_longer_than_the_source(
    basic_registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "docker-credential-lazy"
    program.write_text("#!/bin/sh\nsleep 30\n")
    program.chmod(0o755)
    (tmp_path / "config.json").write_text('{"credsStore": "lazy"}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    _, took = failure(f"{basic_registry}/app:x", OPTIONS)
    assert took < PATIENCE
