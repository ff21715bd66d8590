"""GitHub's two ways to its Actions cache: the cache service of a running workflow, and the REST API.

The cache service (v2) takes JSON by POST at ``twirp/github.actions.results.api.v1.CacheService/<method>``::

    GetCacheEntryDownloadURL {"key": "index-web-1-f921bd05", "restore_keys": [..], "version": "<a constant>"}
                          -> {"ok": true, "signed_download_url": "https://..", "matched_key": "index-web-1-f921bd05#3"}

Its first version, which GitHub Enterprise Server and stand-ins still speak, takes a GET, and answers 204 for nothing::

    GET _apis/artifactcache/cache?keys=index-web-1-f921bd05&version=<the same constant>
     -> {"cacheKey": "index-web-1-f921bd05#3", "archiveLocation": "https://..", "scope": "refs/heads/main"}

Their token is a JWT whose claim ``ac`` lists the branches that the run may read::

    [{"Scope": "refs/pull/7/merge", "Permission": 3}, {"Scope": "refs/heads/main", "Permission": 1}]

The REST API lists entries a hundred at a time at ``GET /repos/<owner>/<name>/actions/caches?key=<prefix>``::

    {"total_count": 2, "actions_caches": [{"id": 5, "ref": "refs/heads/main", "key": "..", "version": "..",
     "last_accessed_at": "2026-11-02T19:00:00Z", "created_at": "2026-11-01T18:00:00Z", "size_in_bytes": 1024}, ..]}

Facts from go-actions-cache (``loadV1``, ``loadV2``, ``version``, ``New``, ``ListKeys``), which BuildKit uses.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from cachegraph.core.untrusted import NOT_JSON, decode_json
from cachegraph.errors import AccessError, NotFoundError, SourceError, SpecError
from cachegraph.loaders.github.entries import CacheEntry
from cachegraph.loaders.http.client import Answer, Http
from cachegraph.loaders.http.failures import check_status
from cachegraph.loaders.limits import Limits, over_limit

__all__ = ["CacheService", "Found", "cache_usage", "host_of", "list_cache", "readable_refs"]

_VERSION = hashlib.sha256(b"|go-actionscache-1.0").hexdigest()
_METHOD = "twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL"
_FIRST = "_apis/artifactcache/cache"
_PER_PAGE = 100
_T = TypeVar("_T")


class _Scope(msgspec.Struct, rename="pascal"):
    scope: str


class _Claims(msgspec.Struct):
    ac: str
    exp: float


class _Found(msgspec.Struct):
    ok: bool = False
    signed_download_url: str = ""
    matched_key: str = ""


class _FirstFound(msgspec.Struct, rename={"key": "cacheKey", "location": "archiveLocation"}):
    key: str = ""
    location: str = ""


class _Usage(msgspec.Struct):
    active_caches_size_in_bytes: int = 0
    active_caches_count: int = 0


class _Page(msgspec.Struct):
    total_count: int
    actions_caches: tuple[CacheEntry, ...]


_CLAIMS = msgspec.json.Decoder(_Claims)
_SCOPES = msgspec.json.Decoder(tuple[_Scope, ...])
_FOUND = msgspec.json.Decoder(_Found)
_FIRST_FOUND = msgspec.json.Decoder(_FirstFound)
_USAGE = msgspec.json.Decoder(_Usage)
_PAGE = msgspec.json.Decoder(_Page)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry that the service found: its whole key, and the signed address of its content."""

    key: str
    url: str = field(repr=False)


class CacheService:
    """The cache service that a workflow's run may use.

    Parameters
    ----------
    http : Http
    url : str
        ``ACTIONS_RESULTS_URL``; of the first version ``ACTIONS_CACHE_URL``.
    token : str
        ``ACTIONS_RUNTIME_TOKEN``.
    limits : Limits
    version : {1, 2}
    """

    def __init__(self, http: Http, url: str, token: str, limits: Limits, version: int = 2) -> None:
        self._http = http
        self._limits = limits
        self._version = version
        self._url = f"{url.rstrip('/')}/{_FIRST if version == 1 else _METHOD}"
        self._headers = {"Authorization": f"Bearer {token}"}

    def has(self, key: str) -> bool:
        """Say whether some entry's key starts with ``key``."""
        return self.find(key) is not None

    def read(self, key: str) -> bytes | None:
        """Return the content of the newest entry whose key starts with ``key``, or None where there is none."""
        found = self.find(key)
        return None if found is None else self.content(found)

    def content(self, found: Found) -> bytes:
        """Return the content of an entry."""
        return _ask(self._http, "GET", found.url, {}, self._limits.config_bytes).body

    def find(self, key: str) -> Found | None:
        """Find the newest entry whose key starts with ``key``; None where there is none."""
        if self._version == 1:
            return self._find_first(key)
        content = msgspec.json.encode({"key": key, "restore_keys": [key], "version": _VERSION})
        headers = {**self._headers, "Content-Type": "application/json"}
        answer = _ask(self._http, "POST", self._url, headers, self._limits.page_bytes, content)
        found = _decoded(answer, self._url, _FOUND)
        return Found(key=found.matched_key or key, url=found.signed_download_url) if found.ok else None

    def _find_first(self, key: str) -> Found | None:
        headers = {**self._headers, "Accept": "application/json;api-version=6.0-preview.1"}
        url = f"{self._url}?{urlencode({'keys': key, 'version': _VERSION})}"
        answer = _ask(self._http, "GET", url, headers, self._limits.page_bytes)
        if not answer.body:
            return None
        found = _decoded(answer, self._url, _FIRST_FOUND)
        return Found(key=found.key, url=found.location) if found.key else None


def readable_refs(token: str) -> tuple[str, ...]:
    """Return the branch scopes that a workflow's token may read, in the token's order.

    Raises
    ------
    cachegraph.errors.AccessError
        It is no such token, or too old.
    """
    try:
        payload = token.split(".")[1]
        claims = _CLAIMS.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        scopes = _SCOPES.decode(claims.ac)
    except (IndexError, *NOT_JSON):
        hint = "it must be ACTIONS_RUNTIME_TOKEN as a workflow's run has it"
        raise AccessError("the cache service's token cannot be read", hint=hint) from None
    if claims.exp < time.time():
        raise AccessError("the cache service's token has expired", hint="it lasts as long as the workflow's run")
    return tuple(scope.scope for scope in scopes)


def list_cache(
    http: Http, api: str, repository: str, token: str | None, prefix: str, limits: Limits
) -> Iterator[CacheEntry]:
    """Return a repository's cache entries whose keys start with ``prefix``, as the REST API lists them.

    Parameters
    ----------
    http : Http
    api : str
        ``GITHUB_API_URL``.
    repository : str
        ``owner/name``.
    token : str or None
        None asks as a stranger, which is enough for a public repository.
    prefix : str
    limits : Limits

    Raises
    ------
    cachegraph.errors.NotFoundError
        No such repository, or none that the token may see.
    cachegraph.errors.AccessError
        The token is refused, or has asked too often.
    cachegraph.errors.SourceError
        GitHub cannot be reached, or answers nonsense.
    """
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    url = f"{api.rstrip('/')}/repos/{quote(repository)}/actions/caches"
    page, seen, total = 1, 0, 1
    while seen < total:
        query = urlencode({"key": prefix, "per_page": _PER_PAGE, "page": page})
        if page > limits.pages:
            raise over_limit(host_of(url), limits.pages, f"pages ({seen:,} entries read)", "pages")
        answer = _decoded(_ask(http, "GET", f"{url}?{query}", headers, limits.page_bytes), url, _PAGE)
        if not answer.actions_caches:
            return
        yield from answer.actions_caches
        if seen + len(answer.actions_caches) > limits.items:
            raise over_limit(host_of(url), limits.items, f"entries ({page:,} pages read)", "items")
        page, seen, total = page + 1, seen + len(answer.actions_caches), answer.total_count


def cache_usage(http: Http, api: str, repository: str, token: str | None, limits: Limits) -> tuple[int, int]:
    """Return how many entries a repository's cache has, BuildKit's or not, and their bytes.

    Takes and raises what `list_cache` does.
    """
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    url = f"{api.rstrip('/')}/repos/{quote(repository)}/actions/cache/usage"
    usage = _decoded(_ask(http, "GET", url, headers, limits.page_bytes), url, _USAGE)
    return usage.active_caches_count, usage.active_caches_size_in_bytes


def _ask(
    http: Http, method: str, url: str, headers: Mapping[str, str], limit: int, content: bytes | None = None
) -> Answer:
    host = host_of(url)
    if not host:
        raise SpecError("the address of GitHub's service is not a URL", hint="check url=, url_v2= or GITHUB_API_URL")

    def attempt() -> Answer:
        answer = http.send(method, url, headers=headers, limit=limit, content=content)
        check_status(answer.status, answer.headers, host)
        return answer

    answer = http.retry(attempt)
    said = f"{host} answered {answer.status}"
    if answer.status == 404:
        raise NotFoundError(said, hint="check the repository's name, and that the token may see it")
    if answer.headers.get("x-ratelimit-remaining") == "0" and answer.status != 200:
        raise AccessError(f"{said}: the rate limit is used up", hint="set GITHUB_TOKEN, or wait an hour")
    if answer.status in {401, 403}:
        raise AccessError(said, hint="the token needs the right to read Actions (actions: read)")
    if answer.status not in {200, 204, 206}:
        raise SourceError(said, hint="check url=, url_v2= or GITHUB_API_URL")
    return answer


def host_of(url: str) -> str:
    """Give the host of an address, with its port and without a user; empty if it is none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _decoded(answer: Answer, url: str, decoder: msgspec.json.Decoder[_T]) -> _T:
    what = f"{host_of(url)} answered no such JSON as its manual says"
    return decode_json(answer.body, decoder, what, hint="check url=, url_v2= or GITHUB_API_URL")
