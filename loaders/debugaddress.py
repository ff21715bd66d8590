"""Ask a daemon's debug address (``buildkitd --debugaddr``) for JSON."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from cachegraph.errors import AccessError, MissingExtraError, NotFoundError, SourceError
from cachegraph.loaders.base import Options

__all__ = ["is_url", "masked", "read_answer"]

_MAX_BYTES = 1 << 30


def is_url(source: str) -> bool:
    """Tell an address from a path."""
    return source.startswith(("http://", "https://"))


def masked(source: str) -> str:
    """Give a source without the user, password and query that an address may hold."""
    if not is_url(source):
        return source
    parts = urlsplit(source)
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
    cachegraph.errors.MissingExtraError
        httpx is not installed.
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
    try:
        import httpx
    except ImportError:
        raise MissingExtraError("reading a daemon's debug address", "registry") from None

    address = source if urlsplit(source).path.strip("/") else source.rstrip("/") + path
    place = masked(address)
    chunks: list[bytes] = []
    size = 0
    try:
        # BuildKit compares the whole header with this one value (cmd/buildkitd/debug.go).
        with httpx.stream("GET", address, headers={"Accept": "application/json"}, timeout=options.timeout) as answer:
            _check(answer.status_code, place)
            for chunk in answer.iter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if size > _MAX_BYTES:
                    raise SourceError(f"{place}: the answer has more than {_MAX_BYTES} bytes")
    except httpx.TimeoutException:
        raise SourceError(f"{place}: no answer within {options.timeout:g} s", hint="raise the timeout") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        problem = str(error).replace(source, place) or type(error).__name__
        raise SourceError(f"{place}: {problem}", hint="is buildkitd running with --debugaddr?") from None
    return b"".join(chunks)


def _check(status: int, place: str) -> None:
    if status in (401, 403):
        raise AccessError(f"{place}: refused with status {status}")
    if status == 404:
        raise NotFoundError(f"{place}: status 404", hint="give the address of buildkitd --debugaddr, v0.23 or newer")
    if status != 200:
        raise SourceError(f"{place}: status {status}", hint="see the daemon's log")
