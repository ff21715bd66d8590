"""What goes wrong with HTTP, in our words: the host, what it did, what to do, and whether it may pass.

::

    TransientError(SourceError)     may pass: tried again, at the time that the server asks for
"""

from __future__ import annotations

import contextlib
import email.utils
import socket
import ssl
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cachegraph.errors import SourceError

if TYPE_CHECKING:
    import httpx

__all__ = ["TransientError", "at", "check_status", "too_slow", "translated"]

_PASSING = frozenset({408, 429, 500, 502, 503, 504})


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


def check_status(status: int, headers: httpx.Headers, host: str) -> None:
    """Raise `TransientError` for the statuses that may pass.

    Raises
    ------
    TransientError
        408, 429 or 5xx.
    """
    if status not in _PASSING:
        return
    hint = "log in, or ask less at once with --concurrency" if status == 429 else "try again later"
    wait = _retry_after(headers.get("Retry-After"))
    asked = "" if wait is None else f", and asks to wait {wait:.0f} s"
    words = "too many requests" if status == 429 else "the server is in trouble"
    raise TransientError(f"{host} answered {status}: {words}{asked}", hint=hint, retry_after=wait)


def _retry_after(value: str | None) -> float | None:
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def too_slow(timeout: float, host: str) -> SourceError:
    """Make the error of a request that took longer than it may, in seconds."""
    return SourceError(f"{host} took longer than {timeout:g} s", hint="allow more with --timeout")


@contextlib.contextmanager
def translated(timeout: float) -> Iterator[None]:
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
            return too_slow(timeout, host)
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
