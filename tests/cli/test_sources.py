"""Sources through the command line: good and bad ones of every type at once, and files that name them."""

from __future__ import annotations

import base64
import json
import logging
import lzma
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas
from click.testing import CliRunner, Result

from cachegraph.cli.app import app
from cachegraph.loaders.specs.parse import parse
from tests.servers.github import MAIN, REST_TOKEN, SIGNATURE, GitHub, runtime_token
from tests.servers.objects import AZURE_ACCOUNT, AZURE_KEY, S3_KEY, S3_SECRET, S3_TOKEN

pytestmark = pytest.mark.usefixtures("fresh_clients", "aws_settings")

USERINFO = "us3rinfo-5ecret"
WRONG_KEY = base64.b64encode(b"another account's key of the right form").decode()


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


@pytest.fixture
def secrets(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """Search output and logs for the secrets that a test used."""
    used: list[str] = []
    caplog.set_level(logging.INFO)
    for name in ("cachegraph", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield used
    assert used != []
    output = caplog.text + "".join(capfd.readouterr())
    assert [secret for secret in used if secret in output] == []


def shown(result: Result, secrets: list[str]) -> tuple[dict[str, object], list[str]]:
    """The JSON and the lines of complaint of a command, none of which holds a secret."""
    assert [secret for secret in secrets if secret in result.output + repr(result.exception)] == []
    return json.loads(result.stdout), result.stderr.splitlines()


def sources(result: Result) -> list[str]:
    return [export["source"] for export in json.loads(result.stdout)["exports"]]


@pytest.fixture
def signature() -> str:
    """A shared access signature for Azurite that may do nothing."""
    types = ResourceTypes(container=True, object=True)
    return generate_account_sas(
        AZURE_ACCOUNT, AZURE_KEY, resource_types=types, permission=AccountSasPermissions(), expiry="2030-01-01"
    )


@pytest.fixture
def good(
    registry: str,
    push: Callable[[str, str], str],
    token_registry: str,
    basic_registry: str,
    s3_endpoint: str,
    s3_bucket: str,
    azure_account: str,
    azure_container: str,
    filled: GitHub,
    layouts: Path,
    tmp_path: Path,
    data: Path,
    corpus: Callable[[str], dict[str, bytes]],
) -> list[str]:
    """One spec of every type that can be read, with the logins that it takes."""
    push("web-max", "cli/web:main")
    (tmp_path / "docker-config").mkdir()
    auth = {"auth": base64.b64encode(b"builder:hunter2-basic-5ecret").decode()}
    auths = dict.fromkeys((token_registry, basic_registry), auth)
    (tmp_path / "docker-config" / "config.json").write_text(json.dumps({"auths": auths}))
    config = tmp_path / "config.json"
    config.write_bytes(corpus("s3")["manifests/web"])
    database = tmp_path / "cache.db"
    database.write_bytes(lzma.decompress((data / "daemon" / "cache.db.xz").read_bytes()))
    return [
        f"type=local,src={layouts / 'web-max'}",
        f"type=config,src={config}",
        f"type=daemon,db={database}",
        f"{registry}/cli/web:main",
        f"type=registry,ref={token_registry}/cli/web:main",
        f"type=registry,ref={basic_registry}/cli/web:main,mode=max",
        f"type=s3,region=us-east-1,bucket={s3_bucket},name=web,endpoint_url={s3_endpoint},use_path_style=true,"
        f"access_key_id={S3_KEY},secret_access_key={S3_SECRET},session_token={S3_TOKEN}",
        f"type=azblob,account_url={azure_account},container={azure_container},name=web,"
        f"account_name={AZURE_ACCOUNT},secret_access_key={AZURE_KEY}",
        f"type=gha,scope=web,url_v2={filled.url},token={runtime_token(MAIN)}",
    ]


KINDS = ["local", "config", "daemon", "registry", "registry", "registry", "s3", "azblob", "gha"]


def test_one_spec_of_every_type(good: list[str], secrets: list[str], token_secrets: list[str]) -> None:
    secrets += [AZURE_KEY, S3_KEY, S3_SECRET, S3_TOKEN, good[-1].rpartition("=")[2], "hunter2-basic-5ecret", SIGNATURE]
    result = run("check", "--format", "json", "--fail-on", "never", "--timeout", "20", "--probe", *good)
    secrets += token_secrets
    answer, complaints = shown(result, secrets)
    assert complaints == []
    assert result.exit_code == 0
    exports = answer["exports"]
    assert isinstance(exports, list)
    assert [export["kind"] for export in exports] == KINDS


def test_bad_specs_of_every_type_among_good_ones(
    good: list[str], signature: str, filled: GitHub, refused: str, secrets: list[str], tmp_path: Path, layouts: Path
) -> None:
    """Each is one line with the spec and a remedy; the others are answered; no secret is seen."""
    host = good[3].partition("/")[0]
    torn = tmp_path / "torn.db"
    torn.write_bytes((tmp_path / "cache.db").read_bytes()[:400_000])
    unsummed = tmp_path / "unsummed.db"
    meta = bytearray((tmp_path / "cache.db").read_bytes())
    meta[16 + 50] ^= 1
    meta[4096 + 16 + 50] ^= 1
    unsummed.write_bytes(meta)
    damaged = tmp_path / "damaged"
    shutil.copytree(layouts / "scratch-file-inline", damaged)
    manifest = json.loads((damaged / "index.json").read_bytes())["manifests"][0]["digest"]
    (damaged / "blobs" / manifest.replace(":", "/")).write_bytes(b"{}")
    cut = tmp_path / "cut.tar"
    cut.write_bytes(
        Path(shutil.make_archive(str(tmp_path / "whole"), "tar", layouts / "web-max")).read_bytes()[:500_000]
    )
    (tmp_path / "html.json").write_text("<html>")
    address = refused.removeprefix("http://")
    s3, azure, gha = good[6:]
    elsewhere = azure.replace("account_url=http://", f"account_url=http://{USERINFO}:{USERINFO}@")
    token = gha.rpartition("=")[2]
    secrets += [AZURE_KEY, WRONG_KEY, S3_KEY, S3_SECRET, S3_TOKEN, REST_TOKEN, token, USERINFO, "hunter2-basic-5ecret"]
    secrets += [signature.partition("sig=")[2].partition("&")[0], "ghs_stranger", SIGNATURE]
    bad = {
        f"type=local,src={tmp_path / 'nowhere'}": "there is no such directory or archive",
        f"type=local,src={layouts / 'web-max'},tag=nope": "there is no tag nope",
        str(damaged): "damaged",
        f"type=local,src={cut}": "cut off or damaged",
        f"type=config,src={tmp_path / 'gone.json'}": "there is no such file",
        f"type=config,src={tmp_path / 'html.json'}": "not JSON",
        f"type=daemon,db={tmp_path / 'gone.db'}": "no such file",
        f"type=daemon,db={torn}": "truncated",
        f"type=daemon,db={unsummed}": "wrong checksum",
        f"type=daemon,debug=http://{USERINFO}:{USERINFO}@{address}": "refused the connection",
        f"type=registry,ref={host}/cli/web:gone": "answered 404",
        f"type=registry,ref={address}/app": "refused the connection",
        "type=registry,ref=registry.invalid/app": "is an unknown host",
        s3.replace("bucket=cache", "bucket=gone"): "404 NoSuchBucket",
        s3.replace("name=web", "name=gone"): "no manifest 'manifests/gone'",
        s3.replace("endpoint_url=http://", f"endpoint_url=http://{USERINFO}:{USERINFO}@").replace(
            s3.partition("endpoint_url=http://")[2].partition(",")[0], address
        ): "Could not connect",
        azure.replace("container=shared", "container=gone"): "ContainerNotFound",
        azure.replace(AZURE_KEY, WRONG_KEY): "403 AuthorizationFailure",
        f"type=azblob,account_url={refused}/a?{signature},container=shared": "Connection refused",
        f"{azure.partition(',container')[0]}?{signature},container=shared": "403",
        elsewhere.replace(elsewhere.partition("@")[2].partition("/")[0], address): "Connection refused",
        gha.replace("scope=web", "scope=gone"): "no index entry of scope 'gone'",
        gha.replace(filled.url, refused): "refused the connection",
        "type=gha,scope=web,repository=acme/app,ghtoken=ghs_stranger": "answered 401",
        f"type=gha,scope=web,repository=acme/app,ghtoken={REST_TOKEN}": "1 current and 1 superseded index entries",
        "type=nope": "there is no type=nope",
    }
    mixed = [spec for pair in zip(good, bad, strict=False) for spec in pair] + list(bad)[len(good) :]
    result = run("check", "--format", "json", "--fail-on", "never", "--timeout", "5", *mixed)
    answer, complaints = shown(result, secrets)
    assert result.exit_code == 3
    exports = answer["exports"]
    assert isinstance(exports, list)
    assert [export["kind"] for export in exports] == KINDS
    assert len(complaints) == len(bad)
    for (spec, message), complaint in zip(bad.items(), complaints, strict=True):
        assert complaint.startswith("cachegraph: ")
        assert message in complaint
        assert parse(spec).text in complaint  # the spec as it was given, without its secrets
        assert complaint.endswith(")"), complaint


def test_a_secret_under_a_key_that_is_not_known_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    result = run("check", f"type=s3,bucket=b,secret_acces_key={S3_SECRET}")
    assert "type=s3 needs region=" in result.stdout
    assert "BuildKit ignores `secret_acces_key=***`: it looks for other credentials; did you mean" in result.stderr
    assert S3_SECRET not in result.stderr + result.stdout


def test_a_source_of_names_that_fails_keeps_nothing_from_being_read(good: list[str], registry: str) -> None:
    result = run("check", "--format", "json", "--fail-on", "never", "--names", f"{registry}/cli/ghost", good[0])
    assert result.exit_code == 3
    assert len(sources(result)) == 1
    assert result.stderr.startswith(f"cachegraph: --names: {registry}/cli/ghost:latest: manifest latest: ")


def test_names_of_an_image_in_a_registry(registry: str, push: Callable[[str, str], str], layouts: Path) -> None:
    push("web-prov", "cli/web:prov")
    spec = str(layouts / "web-max")
    result = run("records", "--format", "json", "--names", f"{registry}/cli/web:prov", spec)
    assert result.exit_code == 0
    names = {record["name"] for record in json.loads(result.stdout)}
    assert {
        "RUN echo final > /final (Dockerfile:15)",
        "COPY --link --from=build /src/dist /srv (Dockerfile:12)",
    } <= names


def test_all_tags(registry: str, push: Callable[[str, str], str]) -> None:
    for tag in ("main", "main-2", "other"):
        push("web-max", f"cli/tags:{tag}")
    asked = ["check", "--format", "json", "--fail-on", "never", f"{registry}/cli/tags"]
    assert len(sources(run(*asked, "--all-tags"))) == 3
    assert [source.rpartition(":")[2] for source in sources(run(*asked, "--tags", "main*"))] == ["main", "main-2"]


# --- Files that name sources -----------------------------------------------------------------------------------------

FILES = {
    "docker-bake.hcl": """
variable "UNSET" {}
target "web" {
  cache-from = ["type=local,src=CACHE", "type=registry,ref=${UNSET}"]
  cache-to   = ["type=local,dest=CACHE,mode=max", "type=inline"]
}
""",
    "docker-bake.json": json.dumps(
        {
            "variable": {"UNSET": {}},
            "target": {
                "web": {
                    "cache-from": ["type=local,src=CACHE", {"type": "registry", "ref": "${UNSET}"}],
                    "cache-to": ["type=local,dest=CACHE,mode=max", "type=inline"],
                }
            },
        }
    ),
    "compose.yaml": """
services:
  web:
    build:
      cache_from: ["type=local,src=CACHE", "type=registry,ref=${UNSET:?}"]
      cache_to: ["type=local,dest=CACHE,mode=max", "type=inline"]
""",
    "workflow.yml": """
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/build-push-action@v6
        with:
          cache-from: |
            type=local,src=CACHE
            type=registry,ref=${{ github.ref_name }}
          cache-to: |
            type=local,dest=CACHE,mode=max
            type=inline
""",
}


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_every_kind(tmp_path: Path, layouts: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read and written under one place is read once; what cannot be resolved is named, and is not a failure."""
    monkeypatch.delenv("UNSET", raising=False)
    file = write(tmp_path, name, FILES[name].replace("CACHE", str(layouts / "web-max")))
    result = run("check", "--format", "json", "--fail-on", "never", "--from-file", file)
    assert sources(result) == [f"type=local,src={layouts / 'web-max'},tag=latest"]
    unresolved, inline = result.stderr.splitlines()
    assert unresolved.startswith(f"cachegraph: {file}:")
    assert ": not read: " in unresolved
    assert "UNSET" in unresolved or "github.ref_name" in unresolved
    assert ": not read: type=inline: the cache goes into the image itself (give the image's reference" in inline
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("docker-bake.hcl", 'target "web" {}'),
        ("docker-bake.json", "{}"),
        ("compose.yaml", "services: {web: {image: a}}"),
        ("ci.yml", "on: push\njobs: {}\n"),
    ],
)
def test_a_file_without_entries_says_so(tmp_path: Path, layouts: Path, name: str, text: str) -> None:
    file = write(tmp_path, name, text)
    said = f"cachegraph: {file}: no cache entry in it"
    alone = run("check", "--from-file", file)
    assert alone.stderr.splitlines() == [
        said,
        "cachegraph: no cache entry that can be read (give what cannot be resolved as a SPEC)",
    ]
    assert (alone.exit_code, alone.stdout) == (3, "")
    with_spec = run("check", "--fail-on", "never", "--from-file", file, str(layouts / "web-max"))
    assert with_spec.stderr.splitlines() == [said]
    assert with_spec.exit_code == 0


def test_an_entry_that_fails_is_a_failure(tmp_path: Path) -> None:
    file = write(tmp_path, "compose.yml", "services: {a: {build: {cache_from: ['type=local,src=gone, tag=x']}}}")
    result = run("check", "--format", "json", "--from-file", file)
    assert result.exit_code == 3
    place = f"{file}:1: services.a.build.cache_from[0]"
    trap = "the blank before `tag` makes BuildKit use tag `latest`; write `tag=x`"
    assert result.stderr.splitlines() == [
        f"cachegraph: {place}: type=local,src=gone, tag=x: gone: there is no such directory or archive"
        " (check the path)",
        f"cachegraph: type=local,src=gone, tag=x: {trap}.",
    ]
    (failed,) = json.loads(result.stdout)["sources_failed"]
    assert failed["place"] == {"file": file, "line": 1}
    assert (failed["buildkit"], failed["warnings"]) == ("skip", [trap])


def test_what_a_file_gets_wrong_is_not_the_commands_fault(tmp_path: Path) -> None:
    file = write(tmp_path, "compose.yml", "services: {a: {build: {cache_from: ['type=lokal,src=gone']}}}")
    result = run("check", "--from-file", file)
    assert "There is no type=lokal" in result.stdout
    assert f"Named in {file}:1\n" in result.stdout
    assert result.stderr == "cachegraph: 1 source could not be read: type=lokal,src=gone\n"
    assert result.exit_code == 3
    assert run("check", "type=lokal,src=gone").exit_code == 2


def test_a_bare_entry_is_a_reference_whatever_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: str, push: Callable[[str, str], str]
) -> None:
    push("web-max", "cli/bare:latest")
    monkeypatch.chdir(tmp_path)
    (tmp_path / registry / "cli" / "bare").mkdir(parents=True)
    text = f"services: {{a: {{build: {{cache_from: ['{registry}/cli/bare']}}}}}}"
    result = run("check", "--format", "json", "--fail-on", "never", "--from-file", write(tmp_path, "compose.yml", text))
    assert sources(result) == [f"type=registry,ref={registry}/cli/bare:latest"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("docker-bake.hcl", "target {", "not HCL"),
        ("docker-bake.json", "[", "not JSON"),
        ("compose.yaml", "a: [", "not YAML"),
        ("Dockerfile.txt", "", ".txt is not a kind of file that holds cache entries"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, text: str, message: str) -> None:
    file = write(tmp_path, name, text)
    result = run("check", "--from-file", file)
    assert result.exit_code == (2 if name.endswith("txt") else 3)
    assert result.stderr.startswith(f"cachegraph: {file}: {message}")
    assert len(result.stderr.splitlines()) == 1
