"""The Azure Blob loader against Azurite."""

from __future__ import annotations

import base64
import datetime
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import trustme
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import AccountSasPermissions, ContainerClient, ResourceTypes, generate_account_sas

from cachegraph.core.model import Blob, CacheExport
from cachegraph.errors import AccessError, DecodeError, NotFoundError, SourceError, SpecError
from cachegraph.loaders import azblob
from cachegraph.loaders.base import Options, Spec
from tests.servers.objects import AZURE_ACCOUNT as ACCOUNT
from tests.servers.objects import AZURE_KEY as KEY
from tests.servers.objects import filled_container

WRONG_KEY = base64.b64encode(b"not the key of this account, but one of the right form").decode()
BUSYBOX = "sha256:7562242eb586238074602c0314a2d5e4080cbcd50a94d5b32f8dd1ba2c956004"
STRAY = "sha256:" + "5" * 64

Serve = Callable[[Callable[[socket.socket], None]], str]
Corpus = Callable[[str], dict[str, bytes]]


@pytest.fixture
def container(azure_account: str, request: pytest.FixtureRequest) -> Iterator[ContainerClient]:
    """Return a container of the test's own that holds what BuildKit wrote."""
    with filled_container(azure_account, request.node.name.replace("_", "-").split("[")[0][:60]) as client:
        yield client


def bare_spec(account_url: str, **attrs: str) -> Spec:
    return Spec(type="azblob", attrs={"account_url": account_url, **attrs}, text="type=azblob,...")


def spec(account_url: str, **attrs: str) -> Spec:
    return bare_spec(account_url, **{"account_name": ACCOUNT, "secret_access_key": KEY, **attrs})


def only(exports: Sequence[CacheExport]) -> CacheExport:
    (export,) = exports
    return export


def shared_access(permission: AccountSasPermissions) -> str:
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    types = ResourceTypes(container=True, object=True)
    return generate_account_sas(ACCOUNT, KEY, resource_types=types, permission=permission, expiry=until)


def test_reads_what_buildkit_wrote(azure_account: str, container: ContainerClient) -> None:
    name = container.container_name
    export = only(azblob.load(spec(azure_account, container=name, name="web"), Options()))
    assert export.kind == "azblob"
    assert export.source == f"type=azblob,account_url={azure_account},container={name},name=web"
    assert export.store == f"type=azblob,account_url={azure_account},container={name}"
    assert (len(export.config.layers), len(export.config.records)) == (18, 35)
    assert export.blobs is not None
    assert len(export.blobs) == 14
    assert export.blobs[0] == Blob(
        digest="sha256:0c42d728bf8b58ae6d4d147aaf73e87429b23b840cb226578ac16dc85a9ca232",
        size=151,
        media_type="application/vnd.oci.image.layer.v1.tar+gzip",
        diff_id="sha256:6d22a74cd471da19aa2f55af6997c154b18d3db71e5b84ef0df3f3753b8d43d2",
    )
    assert export.problems == ()
    assert export.strays is None


def test_probe_finds_missing_and_stray_blobs(azure_account: str, container: ContainerClient) -> None:
    other = json.dumps({"layers": [{"blob": "sha256:" + "6" * 64, "parent": -1}], "records": []}).encode()
    container.upload_blob("manifests/team/other", other)
    container.upload_blob("blobs/sha256:" + "6" * 64, b"used by another name")
    container.upload_blob("blobs/" + STRAY, b"nobody's")
    container.delete_blob("blobs/" + BUSYBOX)
    loaded = azblob.load(spec(azure_account, container=container.container_name, name="web"), Options(probe=True))
    export = only(loaded)
    assert export.blobs is not None
    assert [blob.digest for blob in export.blobs if blob.present is False] == [BUSYBOX]
    assert sum(blob.present is True for blob in export.blobs) == 13
    assert export.strays is not None
    (stray,) = export.strays
    assert (stray.digest, stray.size) == (STRAY, 8)
    assert stray.modified_at is not None
    assert stray.modified_at.startswith(str(datetime.datetime.now(datetime.UTC).year))


def test_several_names(azure_account: str, container: ContainerClient, corpus: Corpus) -> None:
    container.upload_blob("manifests/main", corpus("azblob")["manifests/web"])
    loaded = azblob.load(spec(azure_account, container=container.container_name, name="gone;web;main"), Options())
    assert [export.source.rpartition(",")[2] for export in loaded] == ["name=web", "name=main"]
    assert [[problem.code for problem in export.problems] for export in loaded] == [["manifest-missing"]] * 2


@pytest.mark.parametrize(
    ("prefix", "manifests", "blobs", "folder"),
    [
        ("team", "m", "b", "team/{}/"),
        ("team/", "/m/", "./b", "team/{}/"),
        ("/lead//x/../y", "m", "b", "/lead/y/{}/"),
        ("", "", "", ""),
    ],
)
def test_keys_are_joined_as_go_joins_paths(prefix: str, manifests: str, blobs: str, folder: str) -> None:
    attrs = {"prefix": prefix, "manifests_prefix": manifests, "blobs_prefix": blobs}
    place = azblob._place(attrs, "https://acme.blob.core.windows.net")
    assert (place.manifests, place.blobs) == (folder.format("m"), folder.format("b"))


def test_prefixes(azure_account: str, container: ContainerClient, corpus: Corpus) -> None:
    for key, body in corpus("azblob").items():
        container.upload_blob(f"team x/{key.replace('manifests/', 'm#/')}", body)
    attrs = {"container": container.container_name, "prefix": "team x/", "manifests_prefix": "m#", "name": "web"}
    export = only(azblob.load(spec(azure_account, **attrs), Options(probe=True)))
    assert export.source.endswith(",prefix=team x/,manifests_prefix=m#,name=web")
    assert export.blobs is not None
    assert {blob.present for blob in export.blobs} == {True}
    assert export.strays == ()


def test_defaults_from_the_environment(
    azure_account: str, container: ContainerClient, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    container.upload_blob("env/manifests/buildkit", corpus("azblob")["manifests/web"])
    monkeypatch.setenv("BUILDKIT_AZURE_STORAGE_ACCOUNT_URL", azure_account)
    monkeypatch.setenv("BUILDKIT_AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("BUILDKIT_AZURE_STORAGE_CONTAINER", container.container_name)
    monkeypatch.setenv("BUILDKIT_AZURE_STORAGE_PREFIX", "env")
    given = Spec(type="azblob", attrs={"secret_access_key": KEY}, text="type=azblob,...")
    export = only(azblob.load(given, Options()))
    assert export.source.endswith(f",container={container.container_name},prefix=env,name=buildkit")


def test_shared_access_signature(azure_account: str, container: ContainerClient) -> None:
    signature = shared_access(AccountSasPermissions(read=True, list=True))
    given = bare_spec(f"{azure_account}?{signature}", container=container.container_name, name="web")
    export = only(azblob.load(given, Options(probe=True)))
    assert export.strays == ()
    assert export.source.startswith(f"type=azblob,account_url={azure_account},container=")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 and its authority's."""
    authority = trustme.CA()
    folder = tmp_path_factory.mktemp("certificate")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    return folder / "server.pem", folder / "authority.pem"


@pytest.fixture(scope="module")
def oauth_account_url(start_azurite: Callable[..., str], certificate: tuple[Path, Path]) -> str:
    """Return an account behind TLS that takes bearer tokens."""
    pem = str(certificate[0])
    return f"{start_azurite('--oauth', 'basic', '--cert', pem, '--key', pem)}/{ACCOUNT}"


def bearer_token() -> str:
    """Make a token as Azure's identity service would; Azurite looks at its claims, not at its signature."""
    now = int(time.time())
    claims = {"aud": "https://storage.azure.com", "iss": "https://sts.windows.net/tenant/", "nbf": now - 60}
    parts = [{"alg": "RS256", "typ": "JWT"}, {**claims, "iat": now - 60, "exp": now + 3600}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def test_default_credential(
    oauth_account_url: str,
    certificate: tuple[Path, Path],
    corpus: Corpus,
    serve_raw: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[1]))
    with ContainerClient(oauth_account_url, "cache", credential=AzureNamedKeyCredential(ACCOUNT, KEY)) as client:
        client.create_container()
        client.upload_blob("manifests/web", corpus("azblob")["manifests/web"])
    answer = {"access_token": bearer_token(), "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}
    body = json.dumps({**answer, "resource": "https://storage.azure.com"}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    monkeypatch.setenv("IDENTITY_ENDPOINT", serve_raw(lambda connection: connection.sendall(head % len(body) + body)))
    monkeypatch.setenv("IDENTITY_HEADER", "identity-header")
    export = only(azblob.load(bare_spec(oauth_account_url, container="cache", name="web"), Options()))
    assert len(export.config.records) == 35


def test_no_default_credential(oauth_account_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    with pytest.raises(AccessError, match=r"no usable Azure credential .*secret_access_key"):
        azblob.load(bare_spec(oauth_account_url, container="cache", name="web"), Options())


def test_the_libraries_list_of_what_it_tried_is_no_reason() -> None:
    error = ClientAuthenticationError("DefaultAzureCredential failed.\nAttempted credentials:\n\tEnv: not set")
    assert azblob._why(error) == ""
    error = ClientAuthenticationError("DefaultAzureCredential failed.\nAttempted credentials:\n\tCli: token expired")
    assert azblob._why(error) == " (Cli: token expired)"


def test_no_default_credential_over_plain_http(azure_account: str) -> None:
    with pytest.raises(AccessError, match="Azure's default credential is never sent over plain http"):
        azblob.load(bare_spec(azure_account, container="cache", name="web"), Options())


def test_wrong_key(azure_account: str, container: ContainerClient) -> None:
    given = spec(azure_account, container=container.container_name, name="web", secret_access_key=WRONG_KEY)
    with pytest.raises(AccessError, match="Azure answered 403 AuthorizationFailure"):
        azblob.load(given, Options())


def test_signature_without_rights(azure_account: str, container: ContainerClient) -> None:
    signature = shared_access(AccountSasPermissions(write=True))
    with pytest.raises(AccessError, match=r"Azure answered 403 Authorization\w+ \(the credential needs to read"):
        azblob.load(bare_spec(f"{azure_account}?{signature}", container=container.container_name), Options())


def test_no_such_container(azure_account: str) -> None:
    with pytest.raises(NotFoundError, match="Azure answered 404 ContainerNotFound"):
        azblob.load(spec(azure_account, container="nowhere", name="web"), Options())


def test_no_manifest_names_those_there(azure_account: str, container: ContainerClient) -> None:
    with pytest.raises(NotFoundError) as caught:
        azblob.load(spec(azure_account, container=container.container_name, name="wbe"), Options())
    assert caught.value.message.endswith("no manifest 'manifests/wbe'")
    assert caught.value.hint == "BuildKit takes this for an empty cache and says nothing; names there: web"


def test_not_a_config(azure_account: str, container: ContainerClient) -> None:
    container.upload_blob("manifests/web", b"<html>", overwrite=True)
    with pytest.raises(DecodeError, match=r"^container 'test-not-a-config': manifest 'manifests/web': "):
        azblob.load(spec(azure_account, container=container.container_name, name="web"), Options())


def test_an_object_of_several_reads(azure_account: str, container: ContainerClient) -> None:
    padded = b'{"layers": [], "records": []' + b" " * 9_000_000 + b"}"
    container.upload_blob("manifests/web", padded, overwrite=True)
    export = only(azblob.load(spec(azure_account, container=container.container_name, name="web"), Options()))
    assert export.config_bytes == len(padded)


@pytest.mark.parametrize(
    ("attrs", "message"),
    [
        ({"account_url": ""}, "type=azblob needs account_url="),
        ({"account_url": "https://["}, "account_url is not a URL"),
        ({"account_url": "::"}, "account_url=:: is no http or https URL"),
        ({"account_url": "https://acme.example", "secret_access_key": "no base64!"}, "secret_access_key is not base64"),
    ],
)
def test_bad_specs(attrs: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        azblob.load(Spec(type="azblob", attrs={"secret_access_key": KEY, **attrs}, text=""), Options())


def test_refused_connection(refused: str) -> None:
    with pytest.raises(SourceError, match=r"\[Errno 111\] Connection refused \(check account_url\)"):
        azblob.load(spec(f"{refused}/{ACCOUNT}", name="web"), Options())


def test_unknown_host() -> None:
    with pytest.raises(SourceError, match=r"\[Errno -\d\] [\w ]+ \(check account_url\)"):
        azblob.load(spec("http://acme.invalid", name="web"), Options(timeout=5))


def test_slow_server(serve_raw: Serve) -> None:
    url = serve_raw(lambda _: time.sleep(1))
    with pytest.raises(SourceError, match="no answer in time"):
        azblob.load(spec(f"{url}/{ACCOUNT}", name="web"), Options(timeout=0.2))


def test_cut_connection(serve_raw: Serve) -> None:
    head = b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-99/100\r\nContent-Length: 100\r\n\r\n"
    url = serve_raw(lambda connection: connection.sendall(head + b"{"))
    with pytest.raises(SourceError, match="the answer was cut, or is none of a blob service"):
        azblob.load(spec(f"{url}/{ACCOUNT}", name="web"), Options())


def test_another_kind_of_server(serve_raw: Serve) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>"
    url = serve_raw(lambda connection: connection.sendall(head))
    with pytest.raises(SourceError, match="the answer was cut, or is none of a blob service"):
        azblob.load(spec(f"{url}/{ACCOUNT}", name="web"), Options())


def test_object_over_the_limit_is_not_read(serve_raw: Serve) -> None:
    head = b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/2147483648\r\nContent-Length: 2\r\n"
    url = serve_raw(lambda connection: connection.sendall(head + b"Connection: close\r\n\r\n{}"))
    with pytest.raises(DecodeError, match="object 'manifests/web' has 2,147,483,648 bytes or more"):
        azblob.load(spec(f"{url}/{ACCOUNT}", name="web"), Options())


def test_server_error(serve_raw: Serve) -> None:
    url = serve_raw(lambda connection: connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"))
    with pytest.raises(SourceError, match="Azure answered 500 Oops"):
        azblob.load(spec(f"{url}/{ACCOUNT}", name="web"), Options())


def test_no_secret_is_shown(
    azure_account: str,
    container: ContainerClient,
    refused: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO)
    signature = shared_access(AccountSasPermissions(read=True, list=True))
    name = container.container_name
    signed = f"{azure_account}?{signature}"
    seen = [
        repr(azblob.load(spec(azure_account, container=name, name="web"), Options(probe=True))),
        repr(azblob.load(bare_spec(signed, container=name, name="web"), Options(probe=True))),
    ]
    for given in (
        spec(azure_account, container="nowhere"),
        spec(azure_account, container=name, name="gone"),
        spec(azure_account, container=name, secret_access_key=WRONG_KEY),
        bare_spec(signed, container="nowhere"),
        bare_spec(signed + "A", container=name),
        bare_spec(f"{refused}/{ACCOUNT}?{signature}"),
        bare_spec(f"http://acme.invalid/?{signature}"),
    ):
        with pytest.raises(SourceError) as caught:
            azblob.load(given, Options(timeout=5))
        seen += [str(caught.value), repr(caught.value)]
    seen += [caplog.text, *capfd.readouterr()]
    secret_of_signature = signature.partition("sig=")[2].partition("&")[0]
    for secret in (KEY, WRONG_KEY, secret_of_signature):
        assert not [text for text in seen if secret in text]
