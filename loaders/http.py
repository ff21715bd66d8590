"""HTTP with bounds: in bytes, in time, in tries, and in who gets to see what.

A request follows redirects, drops its ``Authorization`` when one leads to another host, speaks plain HTTP only
where that was allowed, reads no more than a limit, and is tried again after failures that pass. Proxies
(``HTTPS_PROXY``, ``NO_PROXY``, ..) and own certificate authorities (``SSL_CERT_FILE``, ``SSL_CERT_DIR``) come from
the environment; this machine itself is never asked through a proxy, as in Go.
"""

from __future__ import annotations

import contextlib
import email.utils
import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cachegraph.errors import AccessError, SourceError
from cachegraph.loaders.reference import is_loopback

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

__all__ = ["Answer", "Http", "TransientError", "at", "check_status"]

ATTEMPTS = 4
FIRST_WAIT = 0.5  # seconds; doubles with each attempt
LONGEST_WAIT = 8.0  # seconds, unless the server asks for more

_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_MAX_REDIRECTS = 5
_ERROR_LIMIT = 64 << 10  # bytes that are read of what an error has to say
_T = TypeVar("_T")


class TransientError(SourceError):
    """A failure that may pass; ``retry_after`` is what the server asked to wait, in seconds."""

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


@contextlib.contextmanager
def at(place: str, *, hint: str | None = None) -> Iterator[None]:
    """Put the place before the message of an error that is raised inside, and a hint after one that has none."""
    try:
        yield
    except SourceError as exc:
        kind = SourceError if isinstance(exc, TransientError) else type(exc)
        message = exc.message if f"{place}: " in exc.message else f"{place}: {exc.message}"
        raise kind(message, hint=exc.hint or hint) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response, read.

    Attributes
    ----------
    status : int
    headers : httpx.Headers
    body : bytes
    url : httpx.URL
        Where it came from, after redirects. May hold a signature in its query: do not print it.
    redirected : bool
        Whether another origin than the one asked gave it.
    next_url : str or None
        The ``Link`` header's next page, absolute.
    """

    status: int
    headers: httpx.Headers
    body: bytes
    url: httpx.URL
    redirected: bool
    next_url: str | None


class Http:
    """A pool of connections, safe to use from many threads.

    Parameters
    ----------
    timeout : float
        Seconds that one request may take, with its redirects and its repetitions.
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
            logging.getLogger(name).addFilter(_hide_queries)
        try:
            self._client = httpx.Client(
                verify=httpx.create_ssl_context(),
                timeout=httpx.Timeout(timeout, pool=None),
                limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
                max_redirects=_MAX_REDIRECTS,
                trust_env=proxies,
                event_hooks={"request": [self._check_scheme]},
                headers={"User-Agent": "cachegraph", "Accept-Encoding": "identity"},
            )
        except OSError:
            raise SourceError("no certificates", hint="check SSL_CERT_FILE and SSL_CERT_DIR") from None
        except (ValueError, ImportError, httpx.InvalidURL):
            raise SourceError(
                "the proxy cannot be used", hint="HTTP_PROXY, HTTPS_PROXY and ALL_PROXY take http://HOST:PORT"
            ) from None

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def allows_plain(self, host: str) -> bool:
        """Say whether ``host[:port]`` may be spoken to over plain HTTP."""
        return host in self._plain or is_loopback(host)

    def retry(self, attempt: Callable[[], _T]) -> _T:
        """Call until it does not raise `TransientError`, with growing waits, within the timeout."""
        import tenacity

        growing = tenacity.wait_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT) + tenacity.wait_random(
            0, FIRST_WAIT
        )

        def wait(state: RetryCallState) -> float:
            failure = state.outcome.exception() if state.outcome else None
            asked = failure.retry_after if isinstance(failure, TransientError) else None
            return growing(state) if asked is None else asked

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_before_delay(self.timeout),
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
        follow: bool = True,
    ) -> Answer:
        """Send one request, once, and read at most `limit` bytes of the response.

        Raises
        ------
        TransientError
            Too slow, cut off, or the server says that it may pass.
        cachegraph.errors.SourceError
            It cannot be reached, or has more than `limit` bytes to say.
        """
        import httpx

        mark = _sending.set(True)
        try:
            deadline = time.monotonic() + self.timeout
            request = self._client.build_request(method, url, headers=dict(headers), data=form)
            asked = _origin(request.url)
            with _translated(self.timeout):
                response = self._client.send(request, stream=True, follow_redirects=follow)
                with contextlib.closing(response):
                    body = self._read(response, limit, deadline)
            return Answer(
                status=response.status_code,
                headers=response.headers,
                body=body,
                url=response.url,
                redirected=_origin(response.url) != asked,
                next_url=_next_page(response),
            )
        except (httpx.InvalidURL, ValueError):
            raise SourceError("an answer that is no HTTP", hint="check host and port") from None
        finally:
            _sending.reset(mark)

    def _read(self, response: httpx.Response, limit: int, deadline: float) -> bytes:
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
                raise _too_slow(self.timeout, response.url.netloc.decode())
        return bytes(body)

    def _check_scheme(self, request: httpx.Request) -> None:
        host = request.url.netloc.decode()
        if request.url.scheme != "https" and not (request.url.scheme == "http" and self.allows_plain(host)):
            raise AccessError(
                f"{host} would be asked over {request.url.scheme}, unencrypted",
                hint=f"allow it with --insecure-registry {host}",
            )


def check_status(answer: Answer, host: str) -> None:
    """Raise `TransientError` for the statuses that may pass.

    Raises
    ------
    TransientError
        408, 429 or 5xx.
    """
    if answer.status not in _PASSING:
        return
    hint = "log in, or ask less at once with --concurrency" if answer.status == 429 else "try again later"
    wait = _retry_after(answer.headers.get("Retry-After"))
    asked = "" if wait is None else f", and asks to wait {wait:.0f} s"
    words = "too many requests" if answer.status == 429 else "the server is in trouble"
    raise TransientError(f"{host} answered {answer.status}: {words}{asked}", hint=hint, retry_after=wait)


def _retry_after(value: str | None) -> float | None:
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _origin(url: httpx.URL) -> tuple[str, str]:
    return url.scheme, url.netloc.decode()


def _next_page(response: httpx.Response) -> str | None:
    link = response.links.get("next", {}).get("url")
    return str(response.url.join(link)) if link else None


def _too_slow(timeout: float, host: str) -> TransientError:
    return TransientError(f"{host} took longer than {timeout:g} s", hint="allow more with --timeout")


@contextlib.contextmanager
def _translated(timeout: float) -> Iterator[None]:
    """Turn httpx's errors into ours; none of theirs is quoted, for they may hold a signed address."""
    import httpx

    try:
        yield
    except httpx.RequestError as exc:
        raise _translate(exc, exc.request.url.netloc.decode(), timeout) from None


def _translate(exc: httpx.RequestError, host: str, timeout: float) -> SourceError:
    import httpx

    match exc:
        case httpx.TimeoutException():
            return _too_slow(timeout, host)
        case httpx.ProxyError():
            return SourceError(f"the proxy did not let through to {host}", hint="check HTTPS_PROXY and NO_PROXY")
        case httpx.ConnectError():
            return _unreachable(exc, host)
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return TransientError(f"{host} cut the connection", hint="try again later")
        case httpx.TooManyRedirects():
            return SourceError(f"{host} redirects in circles", hint="this is the server's fault")
        case _:
            return SourceError(f"{host} answered something that is no HTTP", hint="check host and port")


def _unreachable(exc: BaseException, host: str) -> SourceError:
    causes = list(_causes(exc))
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            message, hint = f"{host} is an unknown host", "check the name, DNS and HTTPS_PROXY"
            return (
                TransientError(message, hint=hint)
                if cause.errno == socket.EAI_AGAIN
                else SourceError(message, hint=hint)
            )
        if isinstance(cause, ConnectionRefusedError):
            return SourceError(f"{host} refused the connection", hint="check host and port, and that it runs")
        if isinstance(cause, ssl.SSLCertVerificationError):
            return SourceError(
                f"{host} has a certificate that is not trusted: {cause.verify_message}",
                hint="name your CA's file in SSL_CERT_FILE",
            )
        if isinstance(cause, ssl.SSLError):
            return SourceError(
                f"{host} does not speak TLS", hint=f"if it speaks plain HTTP, allow it with --insecure-registry {host}"
            )
    return TransientError(f"{host} cannot be reached", hint="check host, port and HTTPS_PROXY")


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


_sending: ContextVar[bool] = ContextVar("_sending", default=False)
_QUERY = re.compile(r"\?[^\s'\"]+")


def _hide_queries(record: logging.LogRecord) -> bool:
    """Mask queries in what httpx logs of our requests: a redirect's may hold a signature."""
    if _sending.get():
        record.msg, record.args = _QUERY.sub("?***", record.getMessage()), ()
    return True
