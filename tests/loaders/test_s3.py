"""The S3 loader against moto's server."""

from __future__ import annotations

import json
import logging
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cachegraph.core.model import Blob, CacheExport
from cachegraph.errors import AccessError, DecodeError, NotFoundError, SourceError, SpecError
from cachegraph.loaders import s3
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.objects.store import read_limited
from tests.servers.objects import S3_KEY as KEY
from tests.servers.objects import S3_SECRET as SECRET
from tests.servers.objects import S3_TOKEN as TOKEN
from tests.servers.objects import fill_bucket

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

BUSYBOX = "sha256:7562242eb586238074602c0314a2d5e4080cbcd50a94d5b32f8dd1ba2c956004"
STRAY = "sha256:" + "5" * 64

Serve = Callable[[Callable[[socket.socket], None]], str]


pytestmark = pytest.mark.usefixtures("aws_settings")


@pytest.fixture
def own_bucket(s3_client: S3Client, corpus: Callable[[str], dict[str, bytes]], request: pytest.FixtureRequest) -> str:
    """Return a bucket of the test's own that holds what BuildKit wrote."""
    return fill_bucket(s3_client, request.node.name.replace("_", "-")[:60], corpus("s3"))


def spec(s3_endpoint: str, **attrs: str) -> Spec:
    keys = {"access_key_id": KEY, "secret_access_key": SECRET, "session_token": TOKEN}
    return bare_spec(s3_endpoint, **keys, **attrs)


def bare_spec(s3_endpoint: str, **attrs: str) -> Spec:
    place = {"region": "us-east-1", "endpoint_url": s3_endpoint, "use_path_style": "true", "retry_max_attempts": "1"}
    return Spec(type="s3", attrs={**place, **attrs}, text="type=s3,...")


@contextmanager
def enforced_rights(s3_endpoint: str) -> Iterator[None]:
    """Let moto check the rights of every call."""

    def allow(calls: str) -> None:
        request = urllib.request.Request(
            f"{s3_endpoint}/moto-api/reset-auth", data=calls.encode(), headers={"Content-Type": "text/plain"}
        )
        urllib.request.urlopen(request).close()

    allow("0")
    yield
    allow("inf")


def only(exports: Sequence[CacheExport]) -> CacheExport:
    (export,) = exports
    return export


def test_reads_what_buildkit_wrote(s3_endpoint: str, s3_bucket: str) -> None:
    export = only(s3.load(spec(s3_endpoint, bucket=s3_bucket, name="web"), Options()))
    assert export.kind == "s3"
    assert export.source == f"type=s3,bucket={s3_bucket},region=us-east-1,endpoint_url={s3_endpoint},name=web"
    assert export.store == f"type=s3,bucket={s3_bucket},region=us-east-1,endpoint_url={s3_endpoint}"
    assert export.config_bytes == 11_890
    assert export.config_digest.startswith("sha256:")
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


def test_probe_finds_missing_and_stray_blobs(s3_endpoint: str, own_bucket: str, s3_client: S3Client) -> None:
    before = time.time()
    other = json.dumps({"layers": [{"blob": "sha256:" + "6" * 64, "parent": -1}], "records": []}).encode()
    s3_client.put_object(Bucket=own_bucket, Key="manifests/team/other", Body=other)
    s3_client.put_object(Bucket=own_bucket, Key="blobs/sha256:" + "6" * 64, Body=b"used by another name")
    s3_client.put_object(Bucket=own_bucket, Key="blobs/" + STRAY, Body=b"nobody's")
    s3_client.put_object(Bucket=own_bucket, Key="blobs/README", Body=b"no blob")
    s3_client.delete_object(Bucket=own_bucket, Key="blobs/" + BUSYBOX)
    done: list[tuple[str, int, int | None]] = []
    options = Options(probe=True, report=lambda what, count, total: done.append((what, count, total)))
    export = only(s3.load(spec(s3_endpoint, bucket=own_bucket, name="web"), options))
    assert export.blobs is not None
    assert [blob.digest for blob in export.blobs if blob.present is False] == [BUSYBOX]
    assert sum(blob.present is True for blob in export.blobs) == 13
    assert export.strays is not None
    (stray,) = export.strays
    assert (stray.digest, stray.size) == (STRAY, 8)
    assert stray.modified_at is not None
    assert stray.modified_at >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before - 1))
    assert stray.modified_at.endswith("Z")
    assert ("listing blobs", 15, None) in done
    assert done[-1] == ("reading manifests", 1, 1)


def test_probe_reports_a_blob_of_another_size(s3_endpoint: str, own_bucket: str, s3_client: S3Client) -> None:
    s3_client.put_object(Bucket=own_bucket, Key="blobs/" + BUSYBOX, Body=b"cut")
    export = only(s3.load(spec(s3_endpoint, bucket=own_bucket, name="web"), Options(probe=True)))
    (problem,) = export.problems
    assert (problem.code, problem.digest) == ("size-mismatch", BUSYBOX)
    assert problem.message == f"{BUSYBOX} has 3 bytes; the cache config says 1,079,936."


def test_strays_are_unknown_while_a_manifest_cannot_be_read(
    s3_endpoint: str, own_bucket: str, s3_client: S3Client
) -> None:
    s3_client.put_object(Bucket=own_bucket, Key="manifests/broken", Body=b"not JSON")
    s3_client.put_object(Bucket=own_bucket, Key="blobs/" + STRAY, Body=b"perhaps of broken")
    export = only(s3.load(spec(s3_endpoint, bucket=own_bucket, name="web"), Options(probe=True)))
    assert export.strays is None
    (problem,) = export.problems
    assert (problem.code, problem.severity) == ("source-note", "note")
    assert problem.message.startswith("Stray blobs are unknown: manifest 'manifests/broken' cannot be read (")


def test_several_names(
    s3_endpoint: str, own_bucket: str, s3_client: S3Client, corpus: Callable[[str], dict[str, bytes]]
) -> None:
    s3_client.put_object(Bucket=own_bucket, Key="manifests/main", Body=corpus("s3")["manifests/web"])
    web, main = s3.load(spec(s3_endpoint, bucket=own_bucket, name="web;gone;main"), Options())
    assert [export.source.rpartition(",")[2] for export in (web, main)] == ["name=web", "name=main"]
    assert [problem.code for problem in web.problems] == ["manifest-missing"]
    assert web.problems[0].message == (
        "Name 'gone' has no manifest 'manifests/gone': BuildKit takes it for an empty cache."
    )
    assert [problem.code for problem in main.problems] == ["manifest-missing", "source-note"]
    assert main.problems[1].message == (
        "BuildKit imports only the first name of an S3 spec ('web'); give this one its own cache-from."
    )


# object_store and fsspec would tidy such keys; BuildKit joins them as they stand.
@pytest.mark.parametrize(
    ("prefix", "manifests", "blobs"),
    [
        ("/lead/", "manifests/", "blobs/"),
        ("a//b", "/m/", "/b/"),
        ("flat-", "m-", "b-"),
        ("", "", ""),
        ("ü #%/", "m~/", "b?/"),
    ],
    ids=["slash", "double", "flat", "empty", "odd"],
)
def test_keys_are_joined_as_they_stand(
    s3_endpoint: str,
    s3_client: S3Client,
    corpus: Callable[[str], dict[str, bytes]],
    request: pytest.FixtureRequest,
    prefix: str,
    manifests: str,
    blobs: str,
) -> None:
    folders = {"manifests": prefix + manifests, "blobs": prefix + blobs}
    moved = {folders[key.partition("/")[0]] + key.partition("/")[2]: body for key, body in corpus("s3").items()}
    bucket = fill_bucket(s3_client, f"keys-{request.node.callspec.id}", moved)
    attrs = {"prefix": prefix, "manifests_prefix": manifests, "blobs_prefix": blobs}
    export = only(s3.load(spec(s3_endpoint, bucket=bucket, name="web", **attrs), Options(probe=True)))
    assert export.blobs is not None
    assert {blob.present for blob in export.blobs} == {True}
    assert export.strays == ()


def test_defaults_from_the_environment(
    s3_endpoint: str, s3_client: S3Client, corpus: Callable[[str], dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_client.create_bucket(Bucket="from-env")
    s3_client.put_object(Bucket="from-env", Key="manifests/buildkit", Body=corpus("s3")["manifests/web"])
    monkeypatch.setenv("AWS_BUCKET", "from-env")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    export = only(s3.load(Spec(type="s3", attrs={}, text="type=s3"), Options()))
    assert export.source == "type=s3,bucket=from-env,region=us-east-1,name=buildkit"


def test_credentials_of_a_profile(
    s3_endpoint: str, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credentials").write_text(f"[ci]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "ci")
    assert only(s3.load(bare_spec(s3_endpoint, bucket=s3_bucket, name="web"), Options())).config.records


def test_credentials_of_a_web_identity(
    s3_endpoint: str, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("web-identity-token")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/cache-reader")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", s3_endpoint)
    assert only(s3.load(bare_spec(s3_endpoint, bucket=s3_bucket, name="web"), Options())).config.records


def test_credentials_of_an_instance(s3_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", s3_endpoint)
    assert only(s3.load(bare_spec(s3_endpoint, bucket=s3_bucket, name="web"), Options())).config.records


def test_no_credentials(s3_endpoint: str, s3_bucket: str) -> None:
    with pytest.raises(AccessError, match="no usable AWS credentials: Unable to locate credentials"):
        s3.load(bare_spec(s3_endpoint, bucket=s3_bucket, name="web"), Options())


def test_unknown_profile(s3_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AccessError, match=r"no usable AWS credentials: .*nobody"):
        s3.load(bare_spec(s3_endpoint, bucket=s3_bucket, name="web"), Options())


def test_without_rights(s3_endpoint: str, s3_bucket: str) -> None:
    with enforced_rights(s3_endpoint), pytest.raises(AccessError, match="S3 answered 403") as caught:
        s3.load(spec(s3_endpoint, bucket=s3_bucket, name="web"), Options())
    assert "s3:GetObject and s3:ListBucket" in str(caught.value)
    assert KEY not in str(caught.value)


def test_no_such_bucket(s3_endpoint: str) -> None:
    with pytest.raises(NotFoundError, match="S3 answered 404 NoSuchBucket"):
        s3.load(spec(s3_endpoint, bucket="nowhere", name="web"), Options())


def test_no_manifest_names_those_there(s3_endpoint: str, s3_bucket: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        s3.load(spec(s3_endpoint, bucket=s3_bucket, name="wbe;wob"), Options())
    assert caught.value.message == "bucket 'cache': no manifest 'manifests/wbe', 'manifests/wob'"
    assert caught.value.hint == "BuildKit takes this for an empty cache and says nothing; names there: web"


def test_not_a_config(s3_endpoint: str, own_bucket: str, s3_client: S3Client) -> None:
    s3_client.put_object(Bucket=own_bucket, Key="manifests/web", Body=b"<html>")
    with pytest.raises(DecodeError, match=f"^bucket '{own_bucket}': manifest 'manifests/web': "):
        s3.load(spec(s3_endpoint, bucket=own_bucket, name="web"), Options())


@pytest.mark.parametrize(
    ("attrs", "message"),
    [
        ({"bucket": ""}, "type=s3 needs bucket="),
        ({"bucket": "b", "region": ""}, "type=s3 needs region="),
        ({"bucket": "b", "retry_mode": "never"}, "retry_mode=never is not known"),
        ({"bucket": "b", "retry_max_attempts": "0"}, "retry_max_attempts=0 is not a number from 1 up"),
        ({"bucket": "not a bucket"}, "Invalid bucket name"),
        ({"bucket": "b", "endpoint_url": "http://["}, "endpoint_url is not a URL"),
        ({"bucket": "b", "endpoint_url": "::"}, "Invalid endpoint: ::"),
    ],
)
def test_bad_specs(attrs: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        s3.load(spec("http://127.0.0.1:1", **attrs), Options())


def test_refused_connection(refused: str) -> None:
    with pytest.raises(SourceError, match=rf"Could not connect to the endpoint URL: \"{refused}/b/manifests/web\""):
        s3.load(spec(refused, bucket="b", name="web"), Options())


def test_unknown_host() -> None:
    with pytest.raises(SourceError, match="Could not connect to the endpoint URL"):
        s3.load(spec("http://s3.invalid", bucket="b", name="web"), Options(timeout=5))


def test_slow_server(serve_raw: Serve) -> None:
    url = serve_raw(lambda _: time.sleep(1))
    with pytest.raises(SourceError, match="no answer in time"):
        s3.load(spec(url, bucket="b", name="web"), Options(timeout=0.2))


def test_slow_body(serve_raw: Serve) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(1)

    with pytest.raises(SourceError, match="no answer in time"):
        s3.load(spec(serve_raw(answer), bucket="b", name="web"), Options(timeout=0.2))


def test_cut_connection(serve_raw: Serve) -> None:
    url = serve_raw(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
    with pytest.raises(SourceError, match="1 read, but total bytes expected is 100"):
        s3.load(spec(url, bucket="b", name="web"), Options())


def test_object_over_the_limit_is_not_read(serve_raw: Serve) -> None:
    url = serve_raw(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n"))
    with pytest.raises(DecodeError, match="object 'manifests/web' has 2,147,483,648 bytes or more"):
        s3.load(spec(url, bucket="b", name="web"), Options())


def test_object_that_grows_over_the_limit() -> None:
    with pytest.raises(DecodeError, match="object 'web' has 12 bytes or more; a cache config may have 10"):
        read_limited("web", iter([b"123456"] * 1000), 0, 10)
    assert read_limited("web", iter([b"12345", b"67890"]), 10, 10) == b"1234567890"


def test_server_error(serve_raw: Serve) -> None:
    url = serve_raw(lambda connection: connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"))
    with pytest.raises(SourceError, match="S3 answered 500 500: Internal Server Error"):
        s3.load(spec(url, bucket="b", name="web"), Options())


def test_no_secret_is_shown(
    s3_endpoint: str, s3_bucket: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, logger="cachegraph")
    seen = [repr(s3.load(spec(s3_endpoint, bucket=s3_bucket, name="web"), Options(probe=True)))]
    user = s3_endpoint.replace("http://", f"http://user:{SECRET}@")
    for attrs in (
        {"bucket": "nowhere"},
        {"bucket": s3_bucket, "name": "gone"},
        {"bucket": "b", "endpoint_url": f"http://user:{SECRET}@127.0.0.1:1"},
    ):
        with pytest.raises(SourceError) as caught:
            s3.load(spec(s3_endpoint, **attrs), Options())
        seen += [str(caught.value), repr(caught.value)]
    with enforced_rights(s3_endpoint), pytest.raises(AccessError) as denied:
        s3.load(spec(s3_endpoint, bucket=s3_bucket), Options())
    seen += [str(denied.value), repr(denied.value), repr(s3.load(spec(user, bucket=s3_bucket, name="web"), Options()))]
    seen += [caplog.text, *capfd.readouterr()]
    for secret in (KEY, SECRET, TOKEN):
        assert not [text for text in seen if secret in text]
