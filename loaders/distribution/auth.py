"""Who we are to a registry: its challenges answered, its tokens kept.

::

    401  WWW-Authenticate: Bearer realm="https://auth.docker.io/token",service="registry.docker.io",
                                  scope="repository:library/alpine:pull"
    GET  https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Alibrary%2Falpine%3Apull
    200  {"token": "..", "expires_in": 300}

The protocol is the distribution project's (``docs/spec/auth/token.md`` and ``oauth.md``).
"""

from __future__ import annotations

import math
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlencode, urlsplit

import msgspec

from cachegraph.core.untrusted import known_json
from cachegraph.errors import AccessError, SourceError, hide
from cachegraph.loaders.distribution.docker_config import Credentials, find_credentials
from cachegraph.loaders.http.client import Answer, Http
from cachegraph.loaders.http.failures import check_status
from cachegraph.loaders.limits import Limits

__all__ = ["Authenticator"]

_SHORTEST_LIFE = 60  # seconds that a token lives if its server does not say (token.md)
_LONGEST_LIFE = 86_400  # seconds; no server means more
_KEEP_CREDENTIALS = 30.0  # seconds; a notebook goes on after a docker login
_MARGIN = 5.0  # seconds before its end at which a token counts as spent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Challenge:
    scheme: str
    params: Mapping[str, str]


class _TokenAnswer(msgspec.Struct, frozen=True):
    token: str | None = None
    access_token: str | None = None
    expires_in: int | None = None


_TOKEN_ANSWER = msgspec.json.Decoder(_TokenAnswer)


class Authenticator:
    """The ``Authorization`` headers of one registry, by scope. Safe to use from many threads.

    Parameters
    ----------
    host : str
        The registry as in a reference; the key of its credentials.
    http : Http
        Asks the token server.
    limits : Limits
    """

    def __init__(self, host: str, http: Http, limits: Limits) -> None:
        self._host = host
        self._limits = limits
        self._http = http
        self._basic: str | None = None
        self._tokens: dict[str, tuple[str, float]] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()
        self._looked_up: Credentials | AccessError | None = None
        self._looked_up_at = -math.inf

    def header(self, scope: str) -> str | None:
        """Give the header that is known to serve a scope, if any."""
        header, end = self._tokens.get(scope, (None, 0.0))
        return header if header and time.monotonic() < end else self._basic

    def answer(self, challenges: Iterable[str], scope: str, refused: str | None) -> str:
        """Find a header after a 401.

        Parameters
        ----------
        challenges : iterable of str
            The response's ``WWW-Authenticate`` headers.
        scope : str
            What is wanted, such as ``repository:library/alpine:pull``.
        refused : str or None
            The header that the refused request carried.

        Raises
        ------
        cachegraph.errors.AccessError
            No credentials, or they are refused.
        cachegraph.errors.SourceError
            The token server cannot be reached or understood.
        """
        with self._guard:
            lock = self._locks[scope]
        with lock:  # of many threads, one asks for the token
            known = self.header(scope)
            if known is not None and known != refused:
                return known
            for challenge in map(_parse_challenge, challenges):
                if challenge.scheme == "bearer" and "realm" in challenge.params:
                    return self._fetch_token(challenge.params, scope)
                if challenge.scheme == "basic":
                    return self._use_password(refused)
        raise SourceError(
            f"{self._host} asks for a login of a kind that is not known", hint="Basic and Bearer are; is it a registry?"
        )

    def _credentials(self) -> Credentials | None:
        """Look up, and keep what was found for a while: a helper that hangs must not hang for each reference."""
        with self._guard:
            if time.monotonic() - self._looked_up_at > _KEEP_CREDENTIALS:
                try:
                    self._looked_up = find_credentials(self._host, self._limits)
                except AccessError as exc:
                    self._looked_up = exc
                self._looked_up_at = time.monotonic()
        if isinstance(self._looked_up, AccessError):
            raise AccessError(self._looked_up.message, hint=self._looked_up.hint)
        return self._looked_up

    def _use_password(self, refused: str | None) -> str:
        found = self._credentials()
        if found is None or found.basic is None:
            raise AccessError(f"{self._host} wants a login", hint=f"run docker login {self._host}")
        if found.basic == refused:
            raise AccessError(f"{self._host} refused the credentials", hint=f"run docker login {self._host}")
        self._basic = found.basic
        return found.basic

    def _fetch_token(self, params: Mapping[str, str], scope: str) -> str:
        found = self._credentials()
        if found is not None and found.registry_token:
            header = f"Bearer {found.registry_token}"
            self._tokens[scope] = (header, math.inf)
            return header
        query = {"service": params.get("service", ""), "scope": params.get("scope", scope)}
        realm, url = _split(params["realm"])
        if found is not None and found.identity_token:
            form = {"grant_type": "refresh_token", "client_id": "cachegraph", "refresh_token": found.identity_token}
            answer = self._http.send(
                "POST", url, headers={}, limit=self._limits.page_bytes, form={**form, **query}, follow=False
            )
        else:
            headers = {"Authorization": found.basic} if found is not None and found.basic else {}
            url = f"{url}{'&' if realm.query else '?'}{urlencode({k: v for k, v in query.items() if v})}"
            answer = self._http.send("GET", url, headers=headers, limit=self._limits.page_bytes, follow=False)
        header, life = self._read_token(answer, realm.netloc, anonymous=found is None)
        self._tokens[scope] = (header, time.monotonic() + life - _MARGIN)
        return header

    def _read_token(self, answer: Answer, server: str, *, anonymous: bool) -> tuple[str, float]:
        check_status(answer.status, answer.headers, f"the token server {server}")
        if answer.status in (400, 401, 403):
            raise AccessError(
                f"the token server {server} {'wants a login' if anonymous else 'refused the credentials'}",
                hint=f"run docker login {self._host}",
            )
        if answer.status != 200:
            raise SourceError(f"the token server {server} answered {answer.status}", hint="is it a token server?")
        decoded = known_json(answer.body, _TOKEN_ANSWER) or _TokenAnswer()
        token = decoded.token or decoded.access_token or ""
        if not token or not token.isascii() or not token.isprintable():
            raise SourceError(f"the token server {server} answered without a token", hint="is it a token server?")
        hide(token)
        return f"Bearer {token}", float(min(max(decoded.expires_in or 0, _SHORTEST_LIFE), _LONGEST_LIFE))


def _split(realm: str) -> tuple[SplitResult, str]:
    try:
        parts = urlsplit(realm)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise SourceError("the registry names a token server that is no address", hint="is it a registry?")
    return parts, parts.geturl()


def _parse_challenge(text: str) -> _Challenge:
    scheme, _, rest = text.strip().partition(" ")
    try:
        params = urllib.request.parse_keqv_list(urllib.request.parse_http_list(rest))
    except (ValueError, IndexError):
        params = {}
    return _Challenge(scheme=scheme.lower(), params={key.lower(): value for key, value in params.items()})
