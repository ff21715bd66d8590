"""Ask a daemon's debug address (``buildkitd --debugaddr``) for JSON."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from cachegraph.errors import AccessError, NotFoundError, SourceError
from cachegraph.loaders.base import Options

__all__ = ["is_url", "masked", "read_answer"]

_MAX_BYTES = 1 << 30  # of an answer


def is_url(source: str) -> bool:
    """Tell an address from a path."""
    return source.startswith(("http://", "https://"))


def masked(source: str) -> str:
    """Give a source without the user, password and query that an address may hold."""
    if not is_url(source):
        return source
    try:
        parts = urlsplit(source)
    except ValueError:
        return f"{source.partition(':')[0]}://*** (no valid address)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def read_answer(source: str, path: str, options: Options) -> bytes:
    """Read an answer of the debug address: from the address, or from a file where somebody saved it.

    Parameters
    ----------
    source : str
        The address, such as ``http://127.0.0.1:6060``, or a path.
    path : str
        What to ask for, such as ``/debug/cache/store``, unless the address has a path of its own.
    options : Options

    Raises
    ------
    cachegraph.errors.NotFoundError, AccessError, SourceError
        Nothing there; refused; unreachable, slow, failing, or too large.
    """
    if is_url(source):
        return _get(source, path, options)
    try:
        return Path(source).read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"{source}: no such file", hint="give a path or an http:// address") from None
    except PermissionError:
        raise AccessError(f"{source}: no right to read it") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{source}: {getattr(error, 'strerror', None) or error}") from None


def _get(source: str, path: str, options: Options) -> bytes:
    import httpx

    place = masked(source)
    deadline = time.monotonic() + options.timeout
    body = bytearray()
    try:
        address = source if urlsplit(source).path.strip("/") else source.rstrip("/") + path
        # The address is near: no proxy. BuildKit compares the whole header with this value (cmd/buildkitd/debug.go).
        headers = {"Accept": "application/json"}
        with httpx.stream("GET", address, headers=headers, timeout=options.timeout, trust_env=False) as answer:
            _check(answer.status_code, place)
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise SourceError(f"{place}: over {_MAX_BYTES} bytes", hint="this is no answer of a daemon")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the whole answer")
    except httpx.TimeoutException:
        raise SourceError(
            f"{place}: no answer within {options.timeout:g} s", hint="allow more with --timeout"
        ) from None
    except httpx.ConnectError:
        raise SourceError(f"{place}: cannot be reached", hint="is buildkitd running with --debugaddr?") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        # Their words may quote the address, and so a password.
        raise SourceError(f"{place}: {type(error).__name__}", hint="is this buildkitd's debug address?") from None
    return bytes(body)


def _check(status: int, place: str) -> None:
    if status in (401, 403):
        raise AccessError(f"{place}: refused with status {status}", hint="ask buildkitd itself, not a proxy before it")
    if status == 404:
        raise NotFoundError(f"{place}: status 404", hint="give the address of buildkitd --debugaddr, a recent one")
    if status != 200:
        raise SourceError(f"{place}: status {status}", hint="see the daemon's log")
