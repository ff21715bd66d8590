"""Texts, paths and answers from outside: one error that says what to do, no secret in it, and the others answered."""

from __future__ import annotations

import json
import logging
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from cachegraph import errors
from cachegraph.core.digests import sha256
from cachegraph.errors import CacheGraphError, SourceError, masked
from cachegraph.loaders import catalogue
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.catalogue import load
from cachegraph.loaders.limits import Limits, limit_table, parse_limits
from cachegraph.loaders.names.read import read_names
from cachegraph.loaders.oci.manifests import CACHE_CONFIG
from cachegraph.loaders.specs.parse import parse
from tests.servers.github import runtime_token

Serve = Callable[..., str]
Reply = Callable[..., None]

SECRET = "ghs_" + "x1Y2z3" * 50
OPTIONS = Options(timeout=2.0)
NESTED = b"[" * 100_000
JSON_FAULTS = {
    "empty": b"",
    "not UTF-8": b'{"tags": ["\xff\xfe"], "token": "\xff", "actions_caches": ["\xff"], "ok": "\xff"}',
    "nested": b'{"tags": ' + NESTED + b', "token": ' + NESTED,
    "nested and closed": b'{"a": ' + NESTED + b"]" * 100_000 + b"}",
    "a long integer": b'{"expires_in": ' + b"9" * 100_000 + b', "total_count": ' + b"9" * 100_000 + b"}",
    "a surrogate": b'{"token": "\\ud800", "tags": ["\\ud800"]}',
    "another type": b"[1, 2]",
}
PATHS = [
    "\0",
    "x\0y",
    "\udcff\udcfe",
    "a" * 300,
    "a/" * 3000,
    "~nosuchuser/x",
    "~nosuchuser",
    "/dev/null",
    "/proc/self/mem",
]


def chain(error: BaseException | None) -> list[BaseException]:
    """An error and all that hangs on it."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found


def only_failure(spec: str, options: Options = OPTIONS) -> CacheGraphError:
    (failed,) = load([spec], options).failures
    assert "this is a bug" not in str(failed.error), failed.error
    return failed.error


# --- Secrets ---------------------------------------------------------------------------------------------------------

LEAKY = [
    f"type=gha,token={SECRET}",
    f"type=gha,token={SECRET},nonsense",
    f"type=gha,token={SECRET},token={SECRET}",
    f'type=gha,"token={SECRET},more"',
    f'type=gha,"token={SECRET}',
    f"token={SECRET}",
    f"type=nonsense,token={SECRET}",
    f"type=local,src=/nowhere,token={SECRET}",
    f"type=s3,bucket=b,region=r,secret_access_key={SECRET},access_key_id={SECRET},endpoint_url=http://127.0.0.1:1",
    f"type=azblob,account_url=http://127.0.0.1:1/x?sig={SECRET}",
    f"type=daemon,debug=http://me:{SECRET}@127.0.0.1:1",
    f"type=daemon,debug=http://127.0.0.1:1/x?token={SECRET}",
    f"type=registry,ref=https://me:{SECRET}@registry.test/app",
    f"https://me:{SECRET}@registry.test/app?token={SECRET}",
    f"me:{SECRET}@registry.test/app",
]


@pytest.mark.parametrize("spec", LEAKY)
def test_no_secret_of_a_spec_is_shown(
    spec: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(errors, "_hidden", {})  # no other test has told of it
    with caplog.at_level(logging.DEBUG, "cachegraph"):
        (failed,) = load([spec], OPTIONS).failures
    shown = failed.spec + "".join(f"{error!s}{error!r}{vars(error)}" for error in chain(failed.error)) + caplog.text
    assert SECRET not in shown


# One by one as well: a spec whose key says that its value is secret has it hidden in all others, too.
@pytest.mark.parametrize("specs", [LEAKY, [LEAKY[13]], [LEAKY[14]]])
def test_no_secret_of_a_spec_is_shown_by_the_command(specs: list[str]) -> None:
    command = [sys.executable, "-m", "cachegraph", "check", "--timeout", "1", *specs]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode in (2, 3)
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "OSError: File name too long: 'type=gha,token=abc,scope=x'",
            "OSError: File name too long: 'type=gha,token=***,scope=x'",
        ),
        ('{"password": "hunter2", "user": "me"}', '{"password": "***", "user": "me"}'),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("sent Basic dXNlcjpwYXNz there", "sent Basic *** there"),
        ("https://me:p@ss@host/a?sig=1&se=2 failed", "https://***@host/a?*** failed"),
        ("AccountKey: account_key='a+b/c=='", "AccountKey: account_key='***'"),
        (
            "Basic and Bearer are; add secret_access_key, or log in",
            "Basic and Bearer are; add secret_access_key, or log in",
        ),
        ("the token server answered without a token (is it a token server?)",) * 2,
    ],
)
def test_what_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert SourceError(text).message == shown


def test_tokens_of_the_environment_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_CI_TOKEN", "z9-environment")
    assert str(SourceError("it said z9-environment", hint="not z9-environment")) == "it said *** (not ***)"


# --- Paths and texts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "type=local,src={}",
        "type=config,src={}",
        "type=daemon,db={}",
        "type=daemon,debug={}",
        "./{}.json",
        "{}.tar",
    ],
)
def test_paths_that_no_file_can_have(path: str, form: str) -> None:
    error = only_failure(form.format(path))
    str(error).encode()  # it can be written


@pytest.mark.parametrize("path", PATHS)
def test_names_of_paths_that_no_file_can_have(path: str) -> None:
    for form in ("{}", "type=local,src={}", "type=daemon,db={}"):
        with pytest.raises(CacheGraphError):
            read_names(form.format(path), OPTIONS)


@pytest.mark.parametrize(
    "text",
    ["=", "type=", ",", '"', '"type=local', "type=local,,src=x", "a=b\nc=d", "type=local\r,src=x", "\n=", "x=\0"],
)
def test_specs_that_are_none(text: str) -> None:
    only_failure(text)


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", JSON_FAULTS)
@pytest.mark.parametrize("kind", ["tags", "token", "service", "entries", "manifest", "debug"])
def test_answers_that_are_no_json(
    serve: Serve, reply: Reply, monkeypatch: pytest.MonkeyPatch, kind: str, what: str
) -> None:
    body = JSON_FAULTS[what]

    def answer(request: BaseHTTPRequestHandler) -> None:
        if kind == "token" and "/token" not in request.path:
            reply(request, 401, WWW_Authenticate=f'Bearer realm="http://{host}/token",service="s"')
        else:
            reply(request, 200, body)

    host = serve(answer)
    monkeypatch.setenv("GITHUB_API_URL", f"http://{host}")
    spec = {
        "tags": f"type=registry,ref={host}/app,all-tags=true",
        "token": f"type=registry,ref={host}/app:x",
        "manifest": f"type=registry,ref={host}/app:x",
        "service": f"type=gha,url_v2=http://{host},token={runtime_token('refs/heads/main')}",
        "entries": "type=gha,repository=acme/app",
        "debug": f"type=daemon,debug=http://{host}",
    }[kind]
    error = only_failure(spec)
    assert isinstance(error, SourceError)


@pytest.mark.parametrize("what", JSON_FAULTS)
def test_files_that_are_no_json(tmp_path: Path, what: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(JSON_FAULTS[what])
    assert all("this is a bug" not in str(failed.error) for failed in load([f"type=config,src={path}"]).failures)
    only_failure(f"type=daemon,debug={path}")
    with pytest.raises(CacheGraphError):
        read_names(str(path), OPTIONS)


@pytest.mark.parametrize("what", JSON_FAULTS)
def test_dockers_config_that_is_no_json(
    basic_registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    (tmp_path / "config.json").write_bytes(JSON_FAULTS[what])
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert "log" in str(only_failure(f"{basic_registry}/app:x")) or "Docker config" in str(
        only_failure(f"{basic_registry}/app:x")
    )


@pytest.mark.parametrize("auth", ["\u00e9", "!!", "dXNlcg==", "/w=="])
def test_a_login_that_is_no_base64(
    basic_registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auths": {basic_registry: {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert f"docker login {basic_registry}" in str(only_failure(f"{basic_registry}/app:x"))


def test_nothing_else_decodes() -> None:
    """Untrusted JSON, archives and home directories go through their helpers; nothing beside them does it again."""
    root = Path(__file__).parents[2]
    helpers = {"untrusted.py", "gojson.py", "archives.py", "paths.py"}
    # A build record has a budget of its own; a Dockerfile's JSON is any, and what is none is no directive.
    helpers.add("directives.py")
    direct = re.compile(
        r"msgspec\.json\.decode\(|json\.loads\(|\.expanduser\(|\btarfile\.open\(|Decoder\([^\n]*\)\.decode\b"
    )
    rooms = [
        root / "loaders",
        root / "cachegraph" / "core",
        root / "cachegraph" / "builds",
        root / "cachegraph" / "lint",
    ]
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for room in rooms
        for path in sorted(room.rglob("*.py"))
        if path.name not in helpers and "dockerbuild" not in path.parts
        for match in direct.finditer(path.read_text("utf-8"))
    ]
    assert found == []


# --- One bad source --------------------------------------------------------------------------------------------------


def test_whatever_a_loader_raises_is_that_sources_failure(
    monkeypatch: pytest.MonkeyPatch, layouts: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken_loader.py").write_text(
        "def load(spec, options):\n    raise {'boom': KeyError('token=hunter2-x'), 'deep': RecursionError(),"
        " 'memory': MemoryError()}[spec.attrs['how']]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(catalogue.LOADERS, "broken", "broken_loader")
    good = str(layouts / "scratch-file-inline")
    loaded = load([good, "type=broken,how=boom", good, "type=broken,how=deep", "type=broken,how=memory", good])
    assert len(loaded.exports) == 3
    assert [failed.spec for failed in loaded.failures] == [
        f"type=broken,how={how}" for how in ("boom", "deep", "memory")
    ]
    assert str(loaded.failures[0].error).startswith("type=broken,how=boom: unexpected KeyError: 'token=***'")


# --- A registry's words ----------------------------------------------------------------------------------------------


def manifest() -> tuple[bytes, bytes]:
    config = b'{"layers": [], "records": []}'
    described = {"mediaType": CACHE_CONFIG, "digest": sha256(config), "size": len(config)}
    return json.dumps({"config": described, "layers": []}).encode(), config


@pytest.mark.parametrize(
    "tag", ["../../x/manifests/y", "a?b", "a/b", "", "-x", "a b", "a#b", "\u00e9", "x" * 129, "sha256:" + "0" * 64]
)
def test_a_listed_tag_that_is_none_is_not_asked_for(serve: Serve, reply: Reply, tag: str) -> None:
    content, config = manifest()
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        name = request.path.rpartition("/")[2]
        answers = {"list?n=1000": json.dumps({"tags": [tag, "good"]}).encode(), "good": content, sha256(config): config}
        reply(request, 200 if name in answers else 404, answers.get(name, b""))

    loaded = load([f"type=registry,ref={serve(answer)}/app,all-tags=true"], OPTIONS)
    assert [export.source.rpartition(":")[2] for export in loaded.exports] == ["good"]
    (failed,) = loaded.failures
    assert "which is not a tag (this is the registry's fault)" in str(failed.error)
    assert len(asked) == 3


def test_failing_tags_are_failures_of_their_own(serve: Serve, reply: Reply) -> None:
    content, config = manifest()

    def answer(request: BaseHTTPRequestHandler) -> None:
        name = request.path.rpartition("/")[2]
        if name.startswith("list"):
            reply(request, 200, json.dumps({"tags": [f"t{number:03}" for number in range(200)]}).encode())
        elif name == sha256(config):
            reply(request, 200, config)
        else:
            reply(request, 500 if name.endswith("7") else 200, content)

    parts = list(catalogue.load_each([f"type=registry,ref={serve(answer)}/app,all-tags=true"], Options(timeout=0.3)))
    exports = [export for part in parts for export in part.exports]
    assert len(parts) == 200  # one after the other, as they come
    assert len(exports) == 180
    assert all(export.problems == () for export in exports)
    assert {failed.spec.rpartition(":t")[2] for part in parts for failed in part.failures} == {
        f"{n:03}" for n in range(7, 200, 10)
    }


def test_a_far_registry_does_not_lead_to_this_machine(
    serve: Serve, reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def admin(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        reply(request, 200, b"{}")

    inside = serve(admin)
    host = serve(lambda request: reply(request, 307, Location=f"http://{inside}/admin"))
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **named: real("127.0.0.1", *rest, **named))
    far = host.replace("127.0.0.1", "registry.test")
    options = Options(timeout=2.0, insecure_registries=frozenset({far}))
    assert f"{inside} would be asked over http, unencrypted" in str(only_failure(f"{far}/app:x", options))
    assert asked == []
    only_failure(f"{host}/app:x")  # who asks for this machine is led to it
    assert asked == ["/admin"]


def test_logs_of_libraries_stay_out_of_standard_error(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "cachegraph",
        "check",
        "--timeout",
        "1",
        "type=azblob,account_url=https://acme.invalid",
    ]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AZURE_CLIENT_ID": "x", "AZURE_TENANT_ID": "y"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False, env=env)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1, done.stderr


# --- Limits ----------------------------------------------------------------------------------------------------------


def test_every_limit_has_an_option_and_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text("utf-8")
    for name, default, of in limit_table():
        assert getattr(parse_limits([f"{name}=3K"]), name.replace("-", "_")) == 3072
        assert f"| `{name}` | {default:,} | {of} |" in page


@pytest.mark.parametrize("setting", ["", "pages", "pages=", "pages=x", "pages=-1", "nonsense=3", "pages=1T"])
def test_limits_that_are_none(setting: str) -> None:
    with pytest.raises(CacheGraphError) as caught:
        parse_limits([setting])
    assert caught.value.exit_code == 2


def test_a_limit_names_its_option(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b" " * 2000)
    options = Options(limits=Limits(file_bytes=1000))
    assert str(only_failure(str(path), options)) == (
        f"{path}: more than 1,000 bytes (if you trust it, allow more with --limit file-bytes=NUMBER)"
    )


def test_a_spec_is_parsed_before_the_file_system_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b").mkdir()
    assert parse("a=b") == Spec(type="local", attrs={"src": "a=b"}, text="a=b", bare=True)
    assert parse("type=local,src=a=b").attrs == {"src": "a=b"}
