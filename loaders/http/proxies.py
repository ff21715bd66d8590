"""Which way a request goes: straight to its host, or through a proxy of the environment.

``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` are read as ``urllib.request`` reads them. This machine
itself is never asked through a proxy, as in Go. Certificate authorities are the system's, or those of
``SSL_CERT_FILE`` and ``SSL_CERT_DIR``.
"""

from __future__ import annotations

import os
import ssl
import threading
import urllib.request
from typing import Any
from urllib.parse import unquote

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Url, make_headers, parse_url

from cachegraph.errors import SourceError
from cachegraph.loaders.http.wire import with_budgets
from cachegraph.loaders.specs.reference import is_loopback

__all__ = ["Routes"]


class Routes:
    """Pools of connections, one for each way.

    Parameters
    ----------
    connections : int
        Kept open for each host.
    proxies : bool
        Whether to look for proxies in the environment.

    Raises
    ------
    cachegraph.errors.SourceError
        The environment's proxies or certificates cannot be used.
    """

    def __init__(self, *, connections: int, proxies: bool) -> None:
        self._how: dict[str, Any] = {"maxsize": connections, "block": False, "ssl_context": _trust()}
        self._direct = with_budgets(urllib3.PoolManager(**self._how))
        self._proxies = _proxies() if proxies else {}
        self._managers: dict[str, urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def to(self, url: Url) -> urllib3.PoolManager:
        """Give the pools that lead to an address."""
        host = url.netloc or ""
        proxy = self._proxies.get(url.scheme or "") or self._proxies.get("all")
        if proxy is None or is_loopback(host) or urllib.request.proxy_bypass(host):
            return self._direct
        with self._lock:
            if proxy.url not in self._managers:
                self._managers[proxy.url] = _manager(proxy, self._how)
            return self._managers[proxy.url]

    def close(self) -> None:
        """Close every connection."""
        for manager in (self._direct, *self._managers.values()):
            manager.clear()


def _manager(proxy: Url, how: dict[str, Any]) -> urllib3.PoolManager:
    login = make_headers(proxy_basic_auth=unquote(proxy.auth)) if proxy.auth else None
    bare = proxy._replace(auth=None).url
    return with_budgets(urllib3.ProxyManager(bare, proxy_headers=login, **how))


def _trust() -> ssl.SSLContext:
    context = ssl.create_default_context()
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if file or folder:  # OpenSSL itself passes over what it cannot read
            context.load_verify_locations(file or None, folder or None)
    except OSError:
        raise SourceError("the certificates cannot be read", hint="check SSL_CERT_FILE and SSL_CERT_DIR") from None
    return context


def _proxies() -> dict[str, Url]:
    """Read the environment's proxies by scheme; a proxy without a scheme speaks HTTP."""
    found = {}
    for scheme in ("http", "https", "all"):
        text = urllib.request.getproxies().get(scheme)
        if not text:
            continue
        try:
            proxy = parse_url(text if "://" in text else f"http://{text}")
        except HTTPError:
            proxy = Url()
        if proxy.scheme not in ("http", "https") or not proxy.host:
            hint = "HTTP_PROXY, HTTPS_PROXY and ALL_PROXY take http://HOST:PORT"
            raise SourceError("the proxy cannot be used", hint=hint)
        found[scheme] = proxy
    return found
