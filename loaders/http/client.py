"""HTTP with bounds: in bytes, in time, in tries, and in who gets to see what.

A request follows redirects, drops its ``Authorization`` when one leads to another host, speaks plain HTTP only
where that was allowed, reads no more than a limit, ends at its deadline whatever the server does, and is tried again
after failures that pass.
"""

from __future__ import annotations

import base64
import logging
import random
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlencode, urljoin

from cachegraph.errors import AccessError, SourceError
from cachegraph.loaders.deadline import Deadline, source_left
from cachegraph.loaders.http.failures import TransientError, not_http, translated
from cachegraph.loaders.limits import Limits
from cachegraph.loaders.specs.reference import is_loopback

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPHeaderDict
    from urllib3.util import Url

    from cachegraph.loaders.http.wire import Budget

__all__ = ["Answer", "Http"]

ATTEMPTS = 4
FIRST_WAIT = 0.5  # seconds; doubles with each attempt
LONGEST_WAIT = 8.0  # seconds, unless the server asks for more

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ERROR_LIMIT = 64 << 10  # bytes that are read of what an error has to say
_CHUNK = 64 << 10
_PATIENCE = 3  # requests in a row that may fail without an answer; then the host is not asked for a while
_NEXT = re.compile(r'<([^<>]{0,8000})>\s*;[^,]{0,200}?\brel\s*=\s*"?next\b')
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response, read.

    Attributes
    ----------
    status : int
    headers : urllib3.HTTPHeaderDict
    body : bytes
    redirected : bool
        Whether another origin than the one asked gave it.
    next_url : str or None
        The ``Link`` header's next page, absolute.
    """

    status: int
    headers: HTTPHeaderDict
    body: bytes
    redirected: bool
    next_url: str | None


class Http:
    """Connections that many threads may use.

    Parameters
    ----------
    timeout : float
        Seconds that a request may take altogether, redirects included, and that a repetition may be put off.
    connections : int
        Requests under way at once; more wait for their turn.
    plain : collection of str
        ``host[:port]`` that may be spoken to over plain HTTP.
    proxies : bool
        Whether to look for proxies in the environment.
    near : bool
        Whether this machine itself was asked for: only then may an answer lead to it over plain HTTP.
    limits : Limits

    Raises
    ------
    cachegraph.errors.SourceError
        The environment's proxies or certificates cannot be used.
    """

    def __init__(
        self,
        *,
        timeout: float,
        connections: int,
        plain: Collection[str],
        proxies: bool,
        near: bool,
        limits: Limits,
    ) -> None:
        from cachegraph.loaders.http.proxies import Routes

        self.timeout = timeout
        self._plain = frozenset(plain)
        self._near = near
        self._limits = limits
        self._turn = threading.BoundedSemaphore(connections)
        self._routes = Routes(connections=connections, proxies=proxies)
        self._patience = _Patience(timeout)
        for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
            logging.getLogger(name).addFilter(_hide_secrets)

    def close(self) -> None:
        """Close every connection."""
        self._routes.close()

    def allows_plain(self, host: str) -> bool:
        """Say whether ``host[:port]`` may be spoken to over plain HTTP."""
        return host in self._plain or (self._near and is_loopback(host))

    def retry(self, attempt: Callable[[], _T]) -> _T:
        """Call until it does not raise `TransientError`, a few times, with growing waits or those asked for."""
        for number in range(ATTEMPTS):
            try:
                return attempt()
            except TransientError as failure:
                grown = min(FIRST_WAIT * 2**number, LONGEST_WAIT) + random.uniform(0, FIRST_WAIT)  # noqa: S311 - no secret
                wait = grown if failure.retry_after is None else failure.retry_after
                if number == ATTEMPTS - 1 or wait > source_left(self.timeout):
                    raise
            time.sleep(wait)
        raise AssertionError

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        limit: int,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        follow: bool = True,
    ) -> Answer:
        """Send one request, once, and read at most `limit` bytes of the response.

        Raises
        ------
        TransientError
            The connection was cut, or the like.
        cachegraph.errors.SourceError
            It cannot be reached, is too slow, or has more than `limit` bytes to say.
        """
        from cachegraph.loaders.http.wire import Budget, keeping

        if form is not None:
            content = urlencode(form).encode()
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        with self._turn, _masked_logs(), self._patience.asking(url):
            budget = Budget(Deadline(source_left(self.timeout)), limit + self._limits.header_bytes)
            with keeping(budget):
                return self._send(method, url, dict(headers), content, limit, budget, _MAX_REDIRECTS if follow else 0)

    def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        content: bytes | None,
        limit: int,
        budget: Budget,
        redirects: int,
    ) -> Answer:
        asked = _parsed(url)
        if asked.auth and "Authorization" not in headers:
            headers["Authorization"] = "Basic " + base64.b64encode(unquote(asked.auth).encode()).decode()
        target = asked = asked._replace(auth=None)
        for hop in range(redirects + 1):
            self._check_scheme(target)
            with translated(self.timeout, target.netloc or ""):
                response = self._routes.to(target).urlopen(
                    method,
                    target.url,
                    body=content,
                    headers={"User-Agent": "cachegraph", "Accept-Encoding": "identity", **headers},
                    retries=False,
                    redirect=False,
                    timeout=budget.seconds(),
                    preload_content=False,
                    decode_content=False,
                )
                try:
                    body = _read(response, method, limit)
                except BaseException:
                    response.close()
                    raise
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location or not redirects or content is not None:
                return Answer(
                    status=response.status,
                    headers=response.headers,
                    body=body,
                    redirected=_origin(target) != _origin(asked),
                    next_url=_next_page(target.url, response.headers),
                )
            if hop < redirects:
                target = _parsed(_joined(target.url, location))._replace(auth=None)
                if _origin(target) != _origin(asked):
                    headers.pop("Authorization", None)
        raise SourceError(f"{target.netloc} redirects in circles", hint="this is the server's fault")

    def _check_scheme(self, url: Url) -> None:
        if url.scheme == "https" or (url.scheme == "http" and self.allows_plain(url.netloc or "")):
            return
        hint = f"allow it with --insecure-registry {url.netloc}"
        raise AccessError(f"{url.netloc} would be asked over {url.scheme}, unencrypted", hint=hint)


def _read(response: BaseHTTPResponse, method: str, limit: int) -> bytes:
    announced = response.headers.get("Content-Length", "")
    good = 200 <= response.status < 300
    if good and method != "HEAD" and announced.isdecimal() and len(announced) < 20 and int(announced) > limit:
        raise SourceError(f"{announced} bytes, allowed are {limit}", hint="this is not a cache")
    body = bytearray()
    while chunk := response.read(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > limit and good:
            raise SourceError(f"over {limit} bytes", hint="this is not a cache")
        if len(body) > _ERROR_LIMIT and not good:
            response.close()
            return bytes(body)
    response.release_conn()
    return bytes(body)


def _parsed(url: str) -> Url:
    from urllib3.exceptions import HTTPError
    from urllib3.util import parse_url

    try:
        parsed = parse_url(url)
    except (HTTPError, ValueError):
        raise not_http() from None
    if not parsed.host or not parsed.scheme:
        raise not_http()
    return parsed._replace(fragment=None)


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:
        raise not_http() from None


def _origin(url: Url) -> tuple[str | None, str | None]:
    return url.scheme, url.netloc


def _next_page(url: str, headers: HTTPHeaderDict) -> str | None:
    link = _NEXT.search(headers.get("Link", ""))
    return _joined(url, link[1]) if link else None


class _Patience:
    """Remembers that a server does not answer, so that the next hundred requests do not wait for it as well."""

    def __init__(self, rest: float) -> None:
        self._rest = rest
        self._failed = 0
        self._until = 0.0

    @contextmanager
    def asking(self, url: str) -> Iterator[None]:
        if self._failed >= _PATIENCE and time.monotonic() < self._until:
            host = _parsed(url).netloc
            message = f"{host} left {self._failed} requests in a row unanswered, so it is not asked again for now"
            raise SourceError(message, hint="allow more with --timeout, or ask less at once with --concurrency")
        try:
            yield
        except SourceError as error:
            if getattr(error, "unanswered", False):
                self._failed += 1
                self._until = time.monotonic() + self._rest
            raise
        self._failed = 0


@contextmanager
def _masked_logs() -> Iterator[None]:
    mark = _sending.set(True)
    try:
        yield
    finally:
        _sending.reset(mark)


_sending: ContextVar[bool] = ContextVar("_sending", default=False)
_QUERY = re.compile(r"\?[^\s'\"]+")
_USER = re.compile(r"://[^/@\s'\"]+@")


def _hide_secrets(record: logging.LogRecord) -> bool:
    """Mask users and queries in what urllib3 logs of our requests: a redirect's query may hold a signature."""
    if _sending.get():
        record.msg, record.args = _USER.sub("://***@", _QUERY.sub("?***", record.getMessage())), ()
    return True
