"""A registry over the distribution API: manifests, configs and tags; layers are only asked whether they are there.

::

    GET  /v2/<repository>/manifests/<tag or digest>     a manifest, its digest in Docker-Content-Digest
    GET  /v2/<repository>/blobs/<digest>                a config; may redirect to a blob store
    HEAD /v2/<repository>/blobs/<digest>                200 or 404
    GET  /v2/<repository>/tags/list?n=..                {"tags": [..]}, the next page in Link

Source: the OCI distribution specification; BuildKit uses it in ``util/resolver`` and ``cache/remotecache/registry``.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from cachegraph.core.digests import sha256
from cachegraph.core.untrusted import decode_json, known_json
from cachegraph.errors import AccessError, DecodeError, NotFoundError, SourceError
from cachegraph.loaders.base import Options
from cachegraph.loaders.distribution.auth import Authenticator
from cachegraph.loaders.http.client import Answer, Http
from cachegraph.loaders.http.failures import at, check_status
from cachegraph.loaders.limits import Limits, over_limit
from cachegraph.loaders.oci.manifests import MANIFEST_TYPES, check_digest
from cachegraph.loaders.specs.reference import is_loopback
from cachegraph.text.clean import one_line

__all__ = ["RawManifest", "RegistryClient", "shared_client"]

_HUB_HOST = "registry-1.docker.io"  # where docker.io's API is
_PAGE = 1000  # tags a page
_EXPORT_AGAIN = "export the cache again"
_ERROR_CODE = re.compile(rb'"code"\s*:\s*"([A-Z_]{1,40})"')
_CODE = re.compile(r"[A-Z_]{1,40}")
_MOST_WORDS = 200  # characters of a registry's own message


@dataclass(frozen=True, slots=True, kw_only=True)
class RawManifest:
    """A manifest as the registry has it, its digest checked."""

    content: bytes
    digest: str


class _Tags(msgspec.Struct, frozen=True):
    tags: list[str] | None = None


class _Error(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Errors(msgspec.Struct, frozen=True):
    """The body of an error (distribution specification, "Error Codes")."""

    errors: tuple[_Error, ...] = ()


_TAGS = msgspec.json.Decoder(_Tags)
_ERRORS = msgspec.json.Decoder(_Errors)


class RegistryClient:
    """One registry. Safe to use from many threads, which share its connections and tokens.

    Errors name what was asked for within the repository; the caller adds the reference or spec.

    Parameters
    ----------
    host : str
        As in a reference: ``docker.io``, ``localhost:5000``.
    options : Options
        Its timeout, concurrency and insecure registries count.
    """

    def __init__(self, host: str, options: Options) -> None:
        self._host = host
        self._http = Http(
            timeout=options.timeout,
            connections=options.concurrency,
            plain=options.insecure_registries,
            proxies=not is_loopback(host),
            near=is_loopback(host),
            limits=options.limits,
        )
        self._limits = options.limits
        self._login = Authenticator(host, self._http, options.limits)
        scheme = "http" if self._http.allows_plain(host) else "https"
        self._base = f"{scheme}://{_HUB_HOST if host == 'docker.io' else host}/v2"

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def manifest(self, repository: str, target: str, *, limit: int) -> RawManifest:
        """Download a manifest.

        Parameters
        ----------
        repository : str
            ``library/alpine``
        target : str
            A tag or a digest.
        limit : int
            Bytes that it may have.

        Raises
        ------
        cachegraph.errors.SourceError
            It cannot be had, or its bytes do not hash to its digest.
        """
        with at(f"manifest {target}"):
            answer = self._get(repository, f"manifests/{target}", limit, accept=", ".join(MANIFEST_TYPES))
            named = target if ":" in target else None
            for digest in filter(None, (named, answer.headers.get("Docker-Content-Digest"))):
                _compare(answer.body, digest)
        return RawManifest(content=answer.body, digest=named or sha256(answer.body))

    def fetch(self, repository: str, digest: str, *, media_type: str, size: int, limit: int) -> bytes:
        """Download what a descriptor points at: a manifest or a config, never a layer.

        Parameters
        ----------
        media_type, size : str, int
            As the descriptor says; a size of 0 is none that it says.
        limit : int
            Bytes that it may have.

        Raises
        ------
        cachegraph.errors.SourceError
            It cannot be had, or does not agree with its digest or size.
        """
        is_manifest = media_type in MANIFEST_TYPES  # these live under manifests/, everything else is a blob
        with at(f"{'manifest' if is_manifest else 'blob'} {digest[:19]}"):
            check_digest(digest)
            if size > limit:
                raise DecodeError(f"{size} bytes, allowed are {limit}", hint="this is not a cache")
            path = f"{'manifests' if is_manifest else 'blobs'}/{digest}"
            content = self._get(repository, path, min(limit, size or limit), accept=media_type or "*/*").body
            if size and len(content) != size:
                raise DecodeError(f"{len(content)} bytes, its descriptor says {size}", hint=_EXPORT_AGAIN)
            _compare(content, digest)
        return content

    def blob_size(self, repository: str, digest: str, *, expected: int) -> int | None:
        """Ask for the size of a blob, without downloading it.

        Parameters
        ----------
        expected : int
            Bytes; given back if the registry has the blob and does not say how large it is.

        Returns
        -------
        int or None
            Bytes; None if the registry has no such blob.
        """
        with at(f"blob {digest[:19]}"):
            check_digest(digest)
            try:
                answer = self._ask(
                    "HEAD", repository, f"{self._base}/{repository}/blobs/{digest}", limit=0, accept="*/*"
                )
            except NotFoundError:
                return None
        said = answer.headers.get("Content-Length", "")
        return int(said) if said.isdecimal() and len(said) < 19 else expected

    def tags(self, repository: str) -> Iterator[str]:
        """List the tags of a repository, page by page; what is listed may be no tag at all."""
        url: str | None = f"{self._base}/{repository}/tags/list?n={_PAGE}"
        limits = self._limits
        seen: set[str] = set()
        listed = 0
        with at("tags"):
            while url is not None:
                if url in seen or not url.startswith(f"{self._base}/"):
                    raise SourceError("a next page at another address", hint="this is the registry's fault")
                seen.add(url)
                if len(seen) > limits.pages:
                    raise over_limit(repository, limits.pages, f"pages ({listed:,} tags read)", "pages")
                answer = self._ask("GET", repository, url, limit=limits.page_bytes, accept="application/json")
                page = decode_json(
                    answer.body, _TAGS, "the answer is not JSON with tags in it", hint="is it a registry?"
                ).tags
                listed += len(page or ())
                if listed > limits.items:
                    raise over_limit(repository, limits.items, f"tags ({len(seen):,} pages read)", "items")
                yield from page or ()
                url = answer.next_url

    def _get(self, repository: str, path: str, limit: int, *, accept: str) -> Answer:
        return self._ask("GET", repository, f"{self._base}/{repository}/{path}", limit=limit, accept=accept)

    def _ask(self, method: str, repository: str, url: str, *, limit: int, accept: str) -> Answer:
        def attempt() -> Answer:
            """Ask with the login that is known; after a 401 of the registry itself, log in and ask once more."""
            scope = f"repository:{repository}:pull"
            login = self._login.header(scope)
            answer = self._http.send(method, url, headers=_headers(accept, login), limit=limit)
            if answer.status == 401 and not answer.redirected:
                login = self._login.answer(answer.headers.getlist("WWW-Authenticate"), scope, login)
                answer = self._http.send(method, url, headers=_headers(accept, login), limit=limit)
            check_status(answer.status, answer.headers, self._host)
            return answer

        answer = self._http.retry(attempt)
        _check(answer, self._host)
        return answer


def _headers(accept: str, login: str | None) -> dict[str, str]:
    return {"Accept": accept, "Authorization": login} if login else {"Accept": accept}


def _check(answer: Answer, host: str) -> None:
    if answer.status == 200:
        return
    said = f"{host} answered {answer.status}{_own_words(answer.body)}"
    if answer.status in (401, 403):
        raise AccessError(said, hint=f"run docker login {host}, and check the name and that you may pull")
    if answer.status == 404:
        raise NotFoundError(said, hint="check the name and the tag; has the cache expired?")
    raise SourceError(said, hint="is it a registry?")


def _own_words(body: bytes) -> str:
    """Give the code and the message of a registry's error, cleaned: `` MANIFEST_UNKNOWN: manifest unknown``."""
    answer = known_json(body, _ERRORS)
    first = answer.errors[0] if answer is not None and answer.errors else None
    if first is None:
        code = _ERROR_CODE.search(body)
        return f" {code[1].decode()}" if code else ""
    code_said = first.code if _CODE.fullmatch(first.code) else ""
    words = one_line(first.message)[:_MOST_WORDS].strip().rstrip(".")
    return (f" {code_said}" if code_said else "") + (f": {words}" if words else "")


def _compare(content: bytes, digest: str) -> None:
    """Compare bytes with a digest."""
    algorithm, expected = check_digest(digest)
    found = hashlib.new(algorithm, content).hexdigest()
    if found != expected:
        raise DecodeError(
            f"its bytes hash to {algorithm}:{found[:12]}, not to {algorithm}:{expected[:12]}",
            hint=f"the registry or a proxy on the way is broken; {_EXPORT_AGAIN}",
        )


_clients: dict[tuple[str, float, int, frozenset[str], Limits], RegistryClient] = {}
_clients_lock = threading.Lock()


def shared_client(host: str, options: Options) -> RegistryClient:
    """Give the client of a registry: the same for all threads, with its connections and tokens."""
    key = (host, options.timeout, options.concurrency, options.insecure_registries, options.limits)
    with _clients_lock:
        if key not in _clients:
            _clients[key] = RegistryClient(host, options)
        return _clients[key]
