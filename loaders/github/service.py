"""GitHub's two ways to its Actions cache: the cache service of a running workflow, and the REST API.

The cache service (v2) takes JSON by POST at ``twirp/github.actions.results.api.v1.CacheService/<method>``::

    GetCacheEntryDownloadURL {"key": "index-web-1-f921bd05", "restore_keys": [..], "version": "<a constant>"}
                          -> {"ok": true, "signed_download_url": "https://..", "matched_key": "index-web-1-f921bd05#3"}

Its token is a JWT whose claim ``ac`` lists the branches that the run may read::

    [{"Scope": "refs/pull/7/merge", "Permission": 3}, {"Scope": "refs/heads/main", "Permission": 1}]

The REST API lists entries a hundred at a time at ``GET /repos/<owner>/<name>/actions/caches?key=<prefix>``::

    {"total_count": 2, "actions_caches": [{"id": 5, "ref": "refs/heads/main", "key": "..", "version": "..",
     "last_accessed_at": "2026-11-02T19:00:00Z", "created_at": "2026-11-01T18:00:00Z", "size_in_bytes": 1024}, ..]}

Facts from go-actions-cache (``loadV2``, ``version``, ``New``, ``ListKeys``), which BuildKit uses.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator, Mapping
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from cachegraph.core.untrusted import NOT_JSON, decode_json
from cachegraph.errors import AccessError, NotFoundError, SourceError, SpecError
from cachegraph.loaders.github.entries import CacheEntry
from cachegraph.loaders.http.client import Answer, Http
from cachegraph.loaders.http.failures import check_status
from cachegraph.loaders.limits import Limits, over_limit

__all__ = ["CacheService", "host_of", "list_cache", "readable_refs"]

_VERSION = hashlib.sha256(b"|go-actionscache-1.0").hexdigest()
_METHOD = "twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL"
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


class _Page(msgspec.Struct):
    total_count: int
    actions_caches: tuple[CacheEntry, ...]


_CLAIMS = msgspec.json.Decoder(_Claims)
_SCOPES = msgspec.json.Decoder(tuple[_Scope, ...])
_FOUND = msgspec.json.Decoder(_Found)
_PAGE = msgspec.json.Decoder(_Page)


class CacheService:
    """The cache service that a workflow's run may use.

    Parameters
    ----------
    http : Http
    url : str
        ``ACTIONS_RESULTS_URL``.
    token : str
        ``ACTIONS_RUNTIME_TOKEN``.
    limits : Limits
    """

    def __init__(self, http: Http, url: str, token: str, limits: Limits) -> None:
        self._http = http
        self._limits = limits
        self._url = f"{url.rstrip('/')}/{_METHOD}"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def has(self, key: str) -> bool:
        """Say whether some entry's key starts with ``key``."""
        return self._find(key) is not None

    def read(self, key: str) -> bytes | None:
        """Return the content of the newest entry whose key starts with ``key``, or None where there is none."""
        url = self._find(key)
        if url is None:
            return None
        answer = _ask(self._http, "GET", url, {}, self._limits.config_bytes)
        return answer.body

    def _find(self, key: str) -> str | None:
        content = msgspec.json.encode({"key": key, "restore_keys": [key], "version": _VERSION})
        answer = _ask(self._http, "POST", self._url, self._headers, self._limits.page_bytes, content)
        found = _decoded(answer, self._url, _FOUND)
        return found.signed_download_url if found.ok else None


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


def _ask(
    http: Http, method: str, url: str, headers: Mapping[str, str], limit: int, content: bytes | None = None
) -> Answer:
    host = host_of(url)
    if not host:
        raise SpecError("the address of GitHub's service is not a URL", hint="check url_v2= or GITHUB_API_URL")

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
    if answer.status not in {200, 206}:
        raise SourceError(said, hint="check url_v2= or GITHUB_API_URL")
    return answer


def host_of(url: str) -> str:
    """Give the host of an address, with its port and without a user; empty if it is none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _decoded(answer: Answer, url: str, decoder: msgspec.json.Decoder[_T]) -> _T:
    what = f"{host_of(url)} answered no such JSON as its manual says"
    return decode_json(answer.body, decoder, what, hint="check url_v2= or GITHUB_API_URL")
