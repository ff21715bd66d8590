"""HTTP with bounds: in bytes, in time, in tries, and in who gets to see what.

A request follows redirects, drops its ``Authorization`` when one leads to another host, speaks plain HTTP only
where that was allowed, reads no more than a limit, and is tried again after failures that pass. Proxies
(``HTTPS_PROXY``, ``NO_PROXY``, ..) and own certificate authorities (``SSL_CERT_FILE``, ``SSL_CERT_DIR``) come from
the environment; this machine itself is never asked through a proxy, as in Go.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from cachegraph.errors import AccessError, SourceError
from cachegraph.loaders.http.failures import TransientError, too_slow, translated
from cachegraph.loaders.specs.reference import is_loopback

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

__all__ = ["Answer", "Http"]

ATTEMPTS = 4
FIRST_WAIT = 0.5  # seconds; doubles with each attempt
LONGEST_WAIT = 8.0  # seconds, unless the server asks for more

_MAX_REDIRECTS = 5
_ERROR_LIMIT = 64 << 10  # bytes that are read of what an error has to say
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response, read.

    Attributes
    ----------
    status : int
    headers : httpx.Headers
    body : bytes
    redirected : bool
        Whether another origin than the one asked gave it.
    next_url : str or None
        The ``Link`` header's next page, absolute.
    """

    status: int
    headers: httpx.Headers
    body: bytes
    redirected: bool
    next_url: str | None


class Http:
    """Connections that many threads may use, each lent to one thread at a time.

    Threads do not share a pool of httpx: it may take a connection that another thread has just begun to use for one
    that the server has closed, and close it (httpcore ``HTTP11Connection.has_expired`` looks at the state first and at
    the socket later). Of 2,600 requests by 64 threads, two failed or hung.

    Parameters
    ----------
    timeout : float
        Seconds that a server may take to connect, to begin its answer, and to finish it, and that a repetition may
        be put off.
    connections : int
        Requests under way at once; more wait for their turn.
    plain : collection of str
        ``host[:port]`` that may be spoken to over plain HTTP, beside this machine.
    proxies : bool
        Whether to look for proxies in the environment.

    Raises
    ------
    cachegraph.errors.SourceError
        The environment's proxies or certificates cannot be used.
    """

    def __init__(self, *, timeout: float, connections: int, plain: Collection[str], proxies: bool) -> None:
        import httpx

        self.timeout = timeout
        self._plain = frozenset(plain)
        for name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy"):
            logging.getLogger(name).addFilter(_hide_secrets)
        try:
            context = httpx.create_ssl_context()
            self._make = partial(
                httpx.Client,
                verify=context,
                timeout=timeout,
                max_redirects=_MAX_REDIRECTS,
                trust_env=proxies,
                event_hooks={"request": [self._check_scheme]},
                headers={"User-Agent": "cachegraph", "Accept-Encoding": "identity"},
            )
            self._clients = [self._make()]
        except OSError:
            raise SourceError("the certificates cannot be read", hint="check SSL_CERT_FILE and SSL_CERT_DIR") from None
        except (ValueError, ImportError, httpx.InvalidURL):
            raise SourceError(
                "the proxy cannot be used", hint="HTTP_PROXY, HTTPS_PROXY and ALL_PROXY take http://HOST:PORT"
            ) from None

        self._free: queue.LifoQueue[httpx.Client | None] = queue.LifoQueue()
        for client in (*[None] * (connections - 1), self._clients[0]):
            self._free.put(client)

    def close(self) -> None:
        """Close every connection."""
        for client in self._clients:
            client.close()

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[httpx.Client]:
        """Lend the client that was used last, whose connection is most likely still open; make one if all are lent."""
        client = self._free.get()
        try:
            if client is None:
                client = self._make()
                self._clients.append(client)
            yield client
        finally:
            self._free.put(client)

    def allows_plain(self, host: str) -> bool:
        """Say whether ``host[:port]`` may be spoken to over plain HTTP."""
        return host in self._plain or is_loopback(host)

    def retry(self, attempt: Callable[[], _T]) -> _T:
        """Call until it does not raise `TransientError`, a few times, with growing waits or those asked for."""
        import tenacity

        growing = tenacity.wait_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT) + tenacity.wait_random(
            0, FIRST_WAIT
        )

        def wait(state: RetryCallState) -> float:
            failure = state.outcome.exception() if state.outcome else None
            asked = failure.retry_after if isinstance(failure, TransientError) else None
            return growing(state) if asked is None else asked

        def stop(state: RetryCallState) -> bool:
            return state.attempt_number >= ATTEMPTS or state.upcoming_sleep > self.timeout

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            stop=stop,
            wait=wait,
            reraise=True,
        )(attempt)

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
        import httpx

        mark = _sending.set(True)
        try:
            with self._borrowed() as client, translated(self.timeout):
                request = client.build_request(method, url, headers=dict(headers), data=form, content=content)
                asked = _origin(request.url)
                response = client.send(request, stream=True, follow_redirects=follow)
                with contextlib.closing(response):
                    body = self._read(response, limit)
            return Answer(
                status=response.status_code,
                headers=response.headers,
                body=body,
                redirected=_origin(response.url) != asked,
                next_url=_next_page(response),
            )
        except (httpx.InvalidURL, ValueError):
            raise SourceError("an answer that is no HTTP", hint="check host and port") from None
        finally:
            _sending.reset(mark)

    def _read(self, response: httpx.Response, limit: int) -> bytes:
        deadline = time.monotonic() + self.timeout
        announced = response.headers.get("Content-Length", "")
        if (
            response.is_success
            and response.request.method != "HEAD"
            and announced.isdecimal()
            and int(announced) > limit
        ):
            raise SourceError(f"{announced} bytes, allowed are {limit}", hint="this is no cache")
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > limit and response.is_success:
                raise SourceError(f"over {limit} bytes", hint="this is no cache")
            if len(body) > _ERROR_LIMIT and not response.is_success:
                break
            if time.monotonic() > deadline:
                raise too_slow(self.timeout, response.url.netloc.decode())
        return bytes(body)

    def _check_scheme(self, request: httpx.Request) -> None:
        host = request.url.netloc.decode()
        if request.url.scheme != "https" and not (request.url.scheme == "http" and self.allows_plain(host)):
            raise AccessError(
                f"{host} would be asked over {request.url.scheme}, unencrypted",
                hint=f"allow it with --insecure-registry {host}",
            )


def _origin(url: httpx.URL) -> tuple[str, str]:
    return url.scheme, url.netloc.decode()


def _next_page(response: httpx.Response) -> str | None:
    link = response.links.get("next", {}).get("url")
    return str(response.url.join(link)) if link else None


_sending: ContextVar[bool] = ContextVar("_sending", default=False)
_QUERY = re.compile(r"\?[^\s'\"]+")
_USER = re.compile(r"://[^/@\s'\"]+@")


def _hide_secrets(record: logging.LogRecord) -> bool:
    """Mask users and queries in what httpx logs of our requests: a redirect's query may hold a signature."""
    if _sending.get():
        record.msg, record.args = _USER.sub("://***@", _QUERY.sub("?***", record.getMessage())), ()
    return True
