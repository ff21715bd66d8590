"""Exports in Azure Blob storage.

A sample, with every key and its default::

    type=azblob,account_url=https://acme.blob.core.windows.net,container=cache,name=main;web
        defaults: container buildkit-cache, name buildkit
        ,prefix=team,manifests_prefix=manifests,blobs_prefix=blobs       joined with slashes
        ,account_name=acme,secret_access_key=..                          the account key

Without a key, a shared access signature in the query of ``account_url`` is used, or else Azure's default credential:
environment, workload identity, managed identity, developer tools.
Facts from BuildKit's ``cache/remotecache/azblob/utils.go`` (``getConfig``, ``manifestKey``, ``blobKey``).
"""

from __future__ import annotations

import base64
import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakSet

from cachegraph.core.model import CacheExport
from cachegraph.errors import (
    AccessError,
    CacheGraphError,
    MissingExtraError,
    NotFoundError,
    SourceError,
    SpecError,
    hide,
)
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.limits import Limits
from cachegraph.loaders.objects.libraries import bounded_pages, one_line, quiet_library
from cachegraph.loaders.objects.store import Place, StoredObject, given, read_exports, read_limited
from cachegraph.loaders.specs.parse import bare_url

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError
    from azure.core.pipeline.transport import RequestsTransport
    from azure.storage.blob import ContainerClient
    from requests import Response

__all__ = ["load"]

_CREDENTIALS_HINT = "add secret_access_key, a shared access signature in account_url, or log in with az"
_FIRST_READ = 4 * 1024 * 1024  # bytes asked for before the size of an object is known


def load(spec: Spec, options: Options) -> Sequence[CacheExport]:
    """Read the exports that a ``type=azblob`` spec names, one for each name.

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
        No account, or a value out of range.
    cachegraph.errors.NotFoundError
        No such container, or no manifest of any name.
    cachegraph.errors.AccessError
        No credentials, or not the rights.
    cachegraph.errors.SourceError
        The store cannot be reached, or what it holds is not a cache config.
    """
    account_url = spec.attrs.get("account_url") or os.environ.get("BUILDKIT_AZURE_STORAGE_ACCOUNT_URL")
    if not account_url:
        hint = "add it to the spec, or set BUILDKIT_AZURE_STORAGE_ACCOUNT_URL, as BuildKit does"
        raise SpecError("type=azblob needs account_url=", hint=hint)
    place = _place(spec.attrs, account_url)
    with (
        _transport(options.timeout) as transport,
        _client(spec.attrs, account_url, place, transport) as client,
    ):
        return read_exports(_AzureStore(place.label, client, options.limits), place, options)


def _place(attrs: Mapping[str, str], account_url: str) -> Place:
    """Read where the exports are, with BuildKit's defaults (``getConfig``)."""
    prefix = attrs.get("prefix", os.environ.get("BUILDKIT_AZURE_STORAGE_PREFIX", ""))
    manifests = attrs.get("manifests_prefix", "manifests")
    blobs = attrs.get("blobs_prefix", "blobs")
    where = given(
        account_url=bare_url(account_url, "account_url"),
        container=attrs.get("container", os.environ.get("BUILDKIT_AZURE_STORAGE_CONTAINER", "buildkit-cache")),
        prefix=prefix,
        manifests_prefix=manifests if manifests != "manifests" else "",
        blobs_prefix=blobs if blobs != "blobs" else "",
    )
    names = tuple(dict.fromkeys(attrs.get("name", "buildkit").split(";")))
    return Place(
        kind="azblob", where=where, names=names, manifests=_folder(prefix, manifests), blobs=_folder(prefix, blobs)
    )


def _folder(*parts: str) -> str:
    """Join parts as Go's ``filepath.Join`` does, with a slash at the end unless nothing is left."""
    joined = posixpath.normpath("/".join(part for part in parts if part))
    return "" if joined == "." else re.sub("^//", "/", joined).rstrip("/") + "/"


def _client(attrs: Mapping[str, str], account_url: str, place: Place, transport: RequestsTransport) -> ContainerClient:
    try:
        from azure.core.credentials import AzureNamedKeyCredential
        from azure.identity import DefaultAzureCredential
        from azure.storage.blob import ContainerClient, LinearRetry
    except ImportError as error:
        raise _missing() from error

    for library in ("azure", "msal"):
        quiet_library(library)
    url = urlsplit(account_url)
    hide(url.query)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise SpecError(f"account_url={place.where['account_url']} is no http or https URL")
    credential: AzureNamedKeyCredential | DefaultAzureCredential | None = None
    if key := attrs.get("secret_access_key"):
        _check_key(key)
        name = attrs.get("account_name") or os.environ.get("BUILDKIT_AZURE_STORAGE_ACCOUNT_NAME")
        credential = AzureNamedKeyCredential(name or (url.hostname or "").partition(".")[0], key)
    elif "sig=" not in url.query:
        if url.scheme == "http":
            hint = "add secret_access_key, or a shared access signature to account_url, or use https"
            raise AccessError(f"{place.label}: Azure's default credential is never sent over plain http", hint=hint)
        credential = DefaultAzureCredential()
    return ContainerClient(
        account_url,
        place.where["container"],
        credential=credential,
        transport=transport,
        retry_policy=LinearRetry(backoff=1, retry_total=2, random_jitter_range=0),  # the default takes a minute
        max_single_get_size=_FIRST_READ,
    )


@contextmanager
def _transport(timeout: float) -> Iterator[RequestsTransport]:
    """Give the library's own transport, but let go of each connection in the end.

    By itself it leaves an answer that nobody read to the collector.
    """
    try:
        from azure.core.pipeline.transport import RequestsTransport
    except ImportError as error:
        raise _missing() from error

    answers: WeakSet[Response] = WeakSet()
    with RequestsTransport(connection_timeout=timeout, read_timeout=timeout) as transport:
        transport.session.hooks["response"].append(lambda answer, **_: answers.add(answer))
        try:
            yield transport
        finally:
            for answer in list(answers):
                answer.close()


def _missing() -> MissingExtraError:
    return MissingExtraError("Reading a cache from Azure Blob storage", "azure")


def _check_key(key: str) -> None:
    try:
        base64.b64decode(key, validate=True)
    except ValueError:
        raise SpecError("secret_access_key is not base64, as the key of a storage account is") from None


class _AzureStore:
    """One container, read through azure-storage-blob."""

    def __init__(self, place: str, client: ContainerClient, limits: Limits) -> None:
        self._limits = limits
        self._place = place
        self._client = client

    def get(self, key: str, *, limit: int) -> bytes | None:
        from azure.core.exceptions import ResourceNotFoundError

        with _translated(self._place):
            try:
                stream = self._client.download_blob(key)
            except ResourceNotFoundError as error:
                if _code(error) == "BlobNotFound":
                    return None
                raise
            return read_limited(key, stream.chunks(), stream.size, limit)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        with _translated(self._place):
            pages = (list(page) for page in self._client.list_blobs(name_starts_with=prefix or None).by_page())
            for page in bounded_pages(pages, self._place, self._limits, len):
                for found in page:
                    modified = found.last_modified.astimezone(UTC).isoformat().replace("+00:00", "Z")
                    yield StoredObject(key=found.name, size=found.size, modified_at=modified)


@contextmanager
def _translated(place: str) -> Iterator[None]:
    """Turn Azure's errors into ours, in our own words: theirs can hold a whole URL with its signature."""
    from azure.core import exceptions

    try:
        yield
    except CacheGraphError:
        raise
    except exceptions.HttpResponseError as error:
        raise _answered(place, error) from None
    except (exceptions.ServiceRequestTimeoutError, exceptions.ServiceResponseTimeoutError):
        raise SourceError(f"{place}: no answer in time", hint="is account_url right? Raise --timeout") from None
    except Exception as error:  # noqa: BLE001 - headers that no blob service sends, a listing without times, ..
        raise SourceError(f"{place}: {_reason(error)}", hint="check account_url") from None


def _answered(place: str, error: HttpResponseError) -> SourceError:
    from azure.core.exceptions import ClientAuthenticationError

    code = _code(error)
    refused = isinstance(error, ClientAuthenticationError)
    if error.status_code is None:
        if refused:
            return AccessError(f"{place}: no usable Azure credential{_why(error)}", hint=_CREDENTIALS_HINT)
        return SourceError(f"{place}: {_reason(error)}", hint="check account_url")
    said = f"{place}: Azure answered {error.status_code} {one_line(code or error.reason or '')}"
    if code == "ContainerNotFound":
        return NotFoundError(said, hint="BuildKit would create it and take it for an empty cache")
    if refused or error.status_code in {401, 403}:
        return AccessError(said, hint="the credential needs to read and list blobs (Storage Blob Data Reader)")
    return SourceError(said, hint="try again later" if error.status_code >= 500 else "check account_url")


def _why(error: Exception) -> str:
    """Give the first reason that says more than that something is not set up, in a few words."""
    lines = [line.strip() for line in str(error).splitlines()[1:] if ": " in line]
    told = [line for line in lines if not re.search(r"unavailable|not (set|installed|found|configured|fully)", line)]
    return f" ({one_line(told[0])[:160]})" if told else ""


def _code(error: HttpResponseError) -> str | None:
    """Return the storage service's own word for an error, which the library adds to the exception."""
    code: Enum | str | None = getattr(error, "error_code", None)
    return str(code.value) if isinstance(code, Enum) else code


def _reason(error: Exception) -> str:
    found = re.search(r"\[Errno -?\d+\] [\w ]+", str(error))
    return found.group() if found else "the answer was cut, or is none of a blob service"
