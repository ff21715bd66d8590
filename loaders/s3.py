"""Exports in S3 or a store that speaks its protocol.

A sample, with every key that names a place and its default::

    type=s3,bucket=cache,region=eu-west-1,name=main;web     default name: buildkit
        ,prefix=team/,manifests_prefix=manifests/,blobs_prefix=blobs/    joined as they stand: no slash is added
        ,endpoint_url=http://127.0.0.1:9000,use_path_style=true
        ,access_key_id=..,secret_access_key=..,session_token=..
        ,retry_mode=standard,retry_max_attempts=3

Without keys, credentials come from AWS's default chain: environment, profile, SSO, web identity, container, instance.
Facts from BuildKit's ``cache/remotecache/s3/s3.go`` (``getConfig``, ``newS3Client``, ``manifestKey``, ``blobKey``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC
from functools import cache
from typing import TYPE_CHECKING, Literal, cast

from cachegraph.core.model import CacheExport, Problem
from cachegraph.errors import (
    AccessError,
    CacheGraphError,
    MissingExtraError,
    NotFoundError,
    SourceError,
    SpecError,
)
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.limits import Limits
from cachegraph.loaders.objects.libraries import bounded_pages, one_line, quiet_library
from cachegraph.loaders.objects.store import Place, StoredObject, given, read_exports, read_limited
from cachegraph.loaders.specs.parse import TRUE, bare_url

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from botocore.loaders import Loader
    from types_boto3_s3.client import S3Client

__all__ = ["load"]

_DENIED = frozenset(
    {"403", "AccessDenied", "AllAccessDisabled", "ExpiredToken", "Forbidden", "InvalidAccessKeyId", "InvalidToken"}
    | {"SignatureDoesNotMatch", "UnauthorizedAccess"}
)
_NONSENSE = "the store answered something that is no S3"
_NONSENSE_HINT = "check region and endpoint_url"
_CREDENTIALS_HINT = "set access_key_id and secret_access_key, the AWS_* variables or AWS_PROFILE"


def load(spec: Spec, options: Options) -> Sequence[CacheExport]:
    """Read the exports that a ``type=s3`` spec names, one for each name.

    Parameters
    ----------
    spec : Spec
    options : Options
        ``timeout`` bounds the connecting and each read; ``probe`` lists the blobs prefix once.

    Returns
    -------
    sequence of CacheExport

    Raises
    ------
    cachegraph.errors.SpecError
        No bucket, no region, or a value out of range.
    cachegraph.errors.NotFoundError
        No such bucket, or no manifest of any name.
    cachegraph.errors.AccessError
        No credentials, or not the rights.
    cachegraph.errors.SourceError
        The store cannot be reached, or what it holds is not a cache config.
    """
    attrs = spec.attrs
    place = _place(attrs)
    store = _S3Store(place.where["bucket"], place.label, _client(attrs, place, options), options.limits)
    exports = read_exports(store, place, options)
    if len(place.names) == 1:
        return exports
    first = place.source(place.names[0])
    return [export if export.source == first else _with_note(export, place.names[0]) for export in exports]


def _place(attrs: Mapping[str, str]) -> Place:
    """Read where the exports are, with BuildKit's defaults (``getConfig``)."""
    prefix = attrs.get("prefix", "")
    manifests = attrs.get("manifests_prefix", "manifests/")
    blobs = attrs.get("blobs_prefix", "blobs/")
    where = given(
        bucket=_required(attrs, "bucket", "AWS_BUCKET"),
        region=_required(attrs, "region", "AWS_REGION"),
        endpoint_url=bare_url(attrs.get("endpoint_url", ""), "endpoint_url"),
        prefix=prefix,
        manifests_prefix=manifests if manifests != "manifests/" else "",
        blobs_prefix=blobs if blobs != "blobs/" else "",
    )
    names = tuple(dict.fromkeys(attrs.get("name", "buildkit").split(";")))
    return Place(kind="s3", where=where, names=names, manifests=prefix + manifests, blobs=prefix + blobs)


def _required(attrs: Mapping[str, str], key: str, variable: str) -> str:
    value = attrs.get(key) or os.environ.get(variable)
    if not value:
        raise SpecError(f"type=s3 needs {key}=", hint=f"add it to the spec, or set {variable}, as BuildKit does")
    return value


def _client(attrs: Mapping[str, str], place: Place, options: Options) -> S3Client:
    try:
        import botocore.config
        import botocore.session
    except ImportError as error:
        raise MissingExtraError("Reading a cache from S3", "s3") from error

    endpoint = place.where.get("endpoint_url")
    keys = bool(attrs.get("access_key_id") and attrs.get("secret_access_key"))
    path_style = endpoint is not None and attrs.get("use_path_style", "") in TRUE
    config = botocore.config.Config(
        connect_timeout=options.timeout,
        read_timeout=options.timeout,
        max_pool_connections=options.concurrency,
        retries={"mode": _retry_mode(attrs), "total_max_attempts": _attempts(attrs)},
        s3={"addressing_style": "path"} if path_style else {"addressing_style": "virtual"},
    )
    quiet_library("botocore")
    with _translated(place.label):
        session = botocore.session.Session()
        session.register_component("data_loader", _models())
        client = session.create_client(
            "s3",
            region_name=place.where["region"],
            endpoint_url=endpoint,
            aws_access_key_id=attrs["access_key_id"] if keys else None,
            aws_secret_access_key=attrs["secret_access_key"] if keys else None,
            aws_session_token=(attrs.get("session_token") or None) if keys else None,
            config=config,
        )
    return cast("S3Client", client)


@cache
def _models() -> Loader:
    """Keep AWS's description of S3, which takes longer to read than most exports; credentials are looked up anew."""
    from botocore.loaders import create_loader

    return create_loader()


def _retry_mode(attrs: Mapping[str, str]) -> Literal["standard", "adaptive"]:
    match attrs.get("retry_mode", "standard"):
        case ("standard" | "adaptive") as mode:
            return mode
        case other:
            raise SpecError(f"retry_mode={other} is not known", hint="write standard or adaptive")


def _attempts(attrs: Mapping[str, str]) -> int:
    """Return how often a request is tried; AWS's SDK for Go, which BuildKit uses, tries 3 times."""
    attempts = attrs.get("retry_max_attempts", "3")
    if not attempts.isdecimal() or int(attempts) < 1:
        raise SpecError(f"retry_max_attempts={attempts} is not a number from 1 up")
    return int(attempts)


def _with_note(export: CacheExport, first: str) -> CacheExport:
    """Say what BuildKit makes of further names (``importer.load`` reads ``Names[0]`` alone)."""
    note = Problem(
        code="source-note",
        message=f"BuildKit imports only the first name of an S3 spec ({first!r}); give this one its own cache-from.",
    )
    return replace(export, problems=(*export.problems, note))


class _S3Store:
    """One bucket, read through botocore."""

    def __init__(self, bucket: str, place: str, client: S3Client, limits: Limits) -> None:
        self._limits = limits
        self._bucket = bucket
        self._place = place
        self._client = client

    def get(self, key: str, *, limit: int) -> bytes | None:
        from botocore.exceptions import ClientError

        with _translated(self._place):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                    return None
                raise
            with closing(answer["Body"]) as body:
                return read_limited(key, body.iter_chunks(), answer.get("ContentLength", 0), limit)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        with _translated(self._place):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in bounded_pages(pages, self._place, self._limits, lambda page: len(page.get("Contents", ()))):
                for found in page.get("Contents", ()):
                    modified = found["LastModified"].astimezone(UTC).isoformat().replace("+00:00", "Z")
                    yield StoredObject(key=found["Key"], size=found["Size"], modified_at=modified)


@contextmanager
def _translated(place: str) -> Iterator[None]:
    """Turn botocore's errors into ours; whatever else it raises is an answer that it cannot make sense of."""
    from botocore import exceptions

    try:
        yield
    except CacheGraphError:
        raise
    except exceptions.ClientError as error:
        raise _answered(place, error) from None
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
    ) as error:
        raise AccessError(f"{place}: no usable AWS credentials: {error}", hint=_CREDENTIALS_HINT) from None
    except (exceptions.ParamValidationError, exceptions.InvalidRegionError, ValueError) as error:
        raise SpecError(f"{place}: {_one_line(error)}") from None
    except (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError):
        raise SourceError(f"{place}: no answer in time", hint="is the endpoint right? Raise --timeout") from None
    except (exceptions.BotoCoreError, exceptions.HTTPClientError) as error:
        raise SourceError(f"{place}: {_one_line(error)}", hint="check region and endpoint_url") from None
    except Exception as error:  # noqa: BLE001 - a redirect without a region, a listing without times, ..
        raise SourceError(f"{place}: {_NONSENSE} ({type(error).__name__})", hint=_NONSENSE_HINT) from None


def _answered(place: str, error: ClientError) -> SourceError:
    about = error.response.get("Error", {})
    code = about.get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = f"{place}: S3 answered {status} {code}: {one_line(about.get('Message', ''))}".rstrip(": ")
    if code == "NoSuchBucket":
        return NotFoundError(said, hint="check bucket, region and endpoint_url")
    if code in _DENIED or status in {401, 403}:
        hint = "the credentials need s3:GetObject and s3:ListBucket; without the latter a missing name is refused, too"
        return AccessError(said, hint=hint)
    return SourceError(said, hint="try again later" if status >= 500 else "check region and endpoint_url")


def _one_line(error: Exception) -> str:
    return one_line(str(error))
