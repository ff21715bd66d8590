"""Ask a daemon's debug address (``buildkitd --debugaddr``) for JSON."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import urlsplit

from cachegraph.errors import AccessError, NotFoundError, SourceError, SpecError
from cachegraph.loaders.base import Options
from cachegraph.loaders.http.client import Http
from cachegraph.loaders.http.failures import at
from cachegraph.loaders.paths import local_path, read_file
from cachegraph.loaders.specs.parse import bare_url

__all__ = ["is_url", "masked", "read_answer"]


def is_url(source: str) -> bool:
    """Tell an address from a path."""
    return source.startswith(("http://", "https://"))


def masked(source: str) -> str:
    """Give a source without the user, password and query that an address may hold."""
    if not is_url(source):
        return source
    try:
        return bare_url(source, "debug")
    except SpecError:
        return f"{source.partition(':')[0]}://*** (no valid address)"


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
    cachegraph.errors.SpecError
        An address that is none.
    cachegraph.errors.NotFoundError, AccessError, SourceError
        Nothing there; refused; unreachable, slow, failing, or too large.
    """
    if is_url(source):
        return _get(source, path, options)
    limit, hint = options.limits.names_bytes, "give a path or an http:// address"
    return read_file(local_path(source), source, limit=limit, name="names_bytes", hint=hint)


def _get(source: str, path: str, options: Options) -> bytes:
    place = masked(source)
    try:
        parts = urlsplit(source)
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise SpecError(f"{place}: no address that can be asked", hint="write http://HOST:PORT")
    address = source if parts.path.strip("/") else source.rstrip("/") + path
    host = parts.netloc.rpartition("@")[2]
    # A daemon is near: no proxy, and plain HTTP as it speaks no other.
    limits = options.limits
    http = Http(timeout=options.timeout, connections=1, plain={host}, proxies=False, near=True, limits=limits)
    # BuildKit compares the whole header with this value (cmd/buildkitd/debug.go).
    headers = {"Accept": "application/json"}
    with closing(http), at(place, hint="is this buildkitd's debug address?"):
        answer = http.send("GET", address, headers=headers, limit=limits.names_bytes, follow=False)
        _check(answer.status)
    return answer.body


def _check(status: int) -> None:
    if status in (401, 403):
        raise AccessError(f"refused with status {status}", hint="ask buildkitd itself, not a proxy before it")
    if status == 404:
        raise NotFoundError("status 404", hint="give the address of buildkitd --debugaddr, a recent one")
    if status != 200:
        raise SourceError(f"status {status}", hint="see the daemon's log")
