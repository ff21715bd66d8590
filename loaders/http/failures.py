"""What goes wrong with HTTP, in our words: the host, what it did, what to do, and whether it may pass.

::

    TransientError(SourceError)     may pass: tried again, at the time that the server asks for
"""

from __future__ import annotations

import contextlib
import email.utils
import errno
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Literal

from cachegraph.errors import SourceError

__all__ = ["TransientError", "at", "check_status", "not_http", "too_slow", "translated"]

_PASSING = frozenset({408, 429, 500, 502, 503, 504})


class TransientError(SourceError):
    """A failure that may pass; ``retry_after`` is what the server asked to wait, in seconds."""

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint, buildkit="skip")
        self.retry_after = retry_after


class _SlowError(SourceError):
    """No answer in time."""

    unanswered = True


@contextlib.contextmanager
def at(place: str, *, hint: str | None = None, buildkit: Literal["skip", "fail"] | None = None) -> Iterator[None]:
    """Put the place before the message of an error that is raised inside, and say more where it says nothing.

    Parameters
    ----------
    place : str
    hint : str, optional
    buildkit : {"skip", "fail"}, optional
        What a build does that is given this source.
    """
    try:
        yield
    except SourceError as exc:
        kind = SourceError if isinstance(exc, TransientError | _SlowError) else type(exc)
        message = exc.message if f"{place}: " in exc.message else f"{place}: {exc.message}"
        raise kind(message, hint=exc.hint or hint, buildkit=exc.buildkit or buildkit) from None


def check_status(status: int, headers: Mapping[str, str], host: str) -> None:
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
        return float(value.strip()[:18])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def not_http() -> SourceError:
    """Make the error of an address that is none."""
    return SourceError("an answer that is no HTTP", hint="check host and port")


def too_slow(timeout: float, host: str) -> SourceError:
    """Make the error of a request that took longer than it may, in seconds."""
    return _SlowError(f"{host} took longer than {timeout:g} s", hint="allow more with --timeout")


@contextlib.contextmanager
def translated(timeout: float, host: str) -> Iterator[None]:
    """Turn urllib3's errors into ours; none of theirs is quoted, for they may hold a signed address."""
    from urllib3.exceptions import HTTPError

    from cachegraph.loaders.http.wire import TooMuchError

    try:
        yield
    except TooMuchError:
        raise SourceError(f"{host} sends headers and framing without end", hint="this is the server's fault") from None
    except (HTTPError, OSError) as exc:
        raise _translate(exc, host, timeout) from None
    except ValueError:  # a header or an address that urllib3 refuses to send
        raise not_http() from None


def _translate(exc: Exception, host: str, timeout: float) -> SourceError:
    from urllib3 import exceptions as theirs

    causes = list(_causes(exc))
    # What cannot connect is a ConnectTimeoutError to urllib3, whatever the reason.
    if any(
        isinstance(cause, TimeoutError | theirs.TimeoutError) and not isinstance(cause, theirs.NewConnectionError)
        for cause in causes
    ):
        return too_slow(timeout, host)
    if isinstance(exc, theirs.ProxyError):
        return SourceError(f"the proxy did not let through to {host}", hint="check HTTPS_PROXY and NO_PROXY")
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return _unknown_host(cause, host)
        if isinstance(cause, ssl.SSLError):
            return _tls(cause, host)
    if isinstance(exc, theirs.NewConnectionError):
        return next((_address(cause, host) for cause in causes if isinstance(cause, OSError)), _cut(host))
    if isinstance(exc, theirs.LocationValueError | theirs.InvalidHeader | theirs.HeaderParsingError):
        return SourceError(f"{host} answered something that is no HTTP", hint="check host and port")
    if any(_is_gone(cause) for cause in causes):
        return _cut(host)
    return SourceError(f"{host} answered something that is no HTTP", hint="check host and port")


def _is_gone(cause: BaseException) -> bool:
    """Tell a connection that ended from an answer that is none."""
    from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected

    from urllib3.exceptions import IncompleteRead as TheirIncompleteRead

    if isinstance(cause, BadStatusLine) and not isinstance(cause, RemoteDisconnected):
        return False
    return isinstance(cause, OSError | IncompleteRead | TheirIncompleteRead | RemoteDisconnected)


def _cut(host: str) -> SourceError:
    return TransientError(f"{host} cut the connection", hint="try again later")


def _unknown_host(cause: socket.gaierror, host: str) -> SourceError:
    message, hint = f"{host} is an unknown host", "check the name, DNS and HTTPS_PROXY"
    if cause.errno == socket.EAI_AGAIN:
        return TransientError(f"{host} cannot be looked up now", hint="check the network, DNS and HTTPS_PROXY")
    return SourceError(message, hint=hint)


def _address(cause: OSError, host: str) -> SourceError:
    match cause.errno:
        case errno.ECONNREFUSED:
            return SourceError(f"{host} refused the connection", hint="check host and port, and that it runs")
        case errno.EHOSTUNREACH | errno.ENETUNREACH | errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            hint = "check the network, VPN and HTTPS_PROXY; is it an IPv6 address without IPv6 here?"
            return SourceError(f"{host}: there is no way to its network", hint=hint)
        case errno.EACCES | errno.EPERM:
            return SourceError(f"{host}: a firewall of this machine forbids the connection", hint="check its rules")
        case errno.EMFILE | errno.ENFILE:
            return SourceError(f"{host}: too many files are open", hint="ask less at once with --concurrency")
    return TransientError(f"{host} cannot be reached", hint="check host, port and HTTPS_PROXY")


_PLAIN = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL")
_TOO_OLD = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE", "VERSION_TOO_LOW")
_WANTS_OURS = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_ACCESS_DENIED")
_CERTIFICATES = {
    9: ("is not valid yet", "check this machine's clock, and the certificate"),
    10: ("has expired", "have it renewed; check this machine's clock as well"),
    18: ("is signed by itself", "name its file in SSL_CERT_FILE"),
    62: ("is for another name", "ask for the host by the name in its certificate"),
    64: ("is for another address", "ask for the host by the name in its certificate"),
}
"""OpenSSL's ``X509_V_ERR_`` numbers: what is wrong with the certificate, and what to do."""


def _tls(cause: ssl.SSLError, host: str) -> SourceError:
    if isinstance(cause, ssl.SSLCertVerificationError):
        what, hint = _CERTIFICATES.get(
            cause.verify_code, (f"is not trusted: {cause.verify_message}", "name your CA's file in SSL_CERT_FILE")
        )
        return SourceError(f"{host} has a certificate that {what}", hint=hint)
    reason = cause.reason or ""
    if any(word in reason for word in _PLAIN):
        hint = f"if it speaks plain HTTP, allow it with --insecure-registry {host}"
        return SourceError(f"{host} does not speak TLS", hint=hint)
    if any(word in reason for word in _TOO_OLD):
        hint = "have TLS 1.2 or newer switched on there"
        return SourceError(f"{host} speaks a version of TLS that is too old", hint=hint)
    if any(word in reason for word in _WANTS_OURS):
        hint = "certificates of clients are not supported here; ask for the host on another way"
        return SourceError(f"{host} wants a certificate of ours", hint=hint)
    if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return TransientError(
            f"{host} cut the connection while TLS began", hint="is it the right port? Check HTTPS_PROXY"
        )
    return SourceError(f"{host} and we find no common TLS", hint=f"try: openssl s_client -connect {host}")


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    """Give an error and what led to it, as urllib3 nests it in causes, reasons and arguments."""
    seen: set[int] = set()
    waiting = [exc]
    while waiting:
        found = waiting.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [found.__cause__, found.__context__, getattr(found, "reason", None)]
        waiting += [part for part in found.args if isinstance(part, BaseException)]
