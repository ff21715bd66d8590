"""Every error of cachegraph, and the exit code each one means.

::

    CacheGraphError                 exit code 3
    |-- UsageError                  2  the command or call itself is wrong
    |   |-- SpecError               2  a spec that cannot be understood
    |   |-- UnknownNameError        2  no such query, export or record
    |   `-- MissingExtraError       2  an optional dependency is not installed
    |-- SourceError                 3  a source could not be read
    |   |-- NotFoundError           3  nothing there
    |   |   `-- NoCacheError          3  something there, but no cache in it
    |   |-- AccessError             3  refused: credentials, rights
    |   `-- DecodeError             3  bytes that are not what they should be
    `-- StoreError                  3  a graph store (Neo4j) could not be used

    CacheGraphWarning               a source was left out, and the caller asked not to stop for that

A message names the place, the value, what was allowed, and what to do. It never holds a credential: `masked` sees to
that for every one of these errors, and is there for whatever else is shown of an exception.
"""

from __future__ import annotations

import os
import re
import threading
from typing import ClassVar, Literal, TypeVar

__all__ = [
    "AccessError",
    "CacheGraphError",
    "CacheGraphWarning",
    "DecodeError",
    "MissingExtraError",
    "NoCacheError",
    "NotFoundError",
    "SourceError",
    "SpecError",
    "StoreError",
    "UnknownNameError",
    "UsageError",
    "encodable",
    "hide",
    "masked",
    "unchained",
]


_HIDDEN = (
    r"(?:sig|[\w-]*(?:password|passwd|secret|access_key_id|access_key|account_key|private_key|api_key|token|signature"
    r"|credential)[\w-]*)"
)
_PATTERNS = (
    # key=value, "key=a,b", "key": "value"
    (re.compile(rf"""(?i)(["']{_HIDDEN}=)[^"']+(?=["'])"""), r"\1***"),
    (re.compile(rf"""(?i)(["']?\b{_HIDDEN}["']?\s*[:=]\s*["'])[^"'\n]+"""), r"\1***"),
    (re.compile(rf"""(?i)(\b{_HIDDEN}=)[^\s,"'&*]*[^\s,"'&:).*]"""), r"\1***"),
    # Authorization: Basic dXNlcjpwYXNz
    (re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)(?:\w+\s+)?[^\s,\"']+"), r"\1***"),
    (re.compile(r"\b([Bb]asic|[Bb]earer) (?=\S*[0-9A-Z=])[\w.~+/=-]{8,}"), r"\1 ***"),
    # scheme://user:password@host/path?signature
    (re.compile(r"://[^\s/?#]{1,2000}@"), "://***@"),
    (re.compile(r"(://[^\s?\"']{1,4000})\?[^\s\"'),]+"), r"\1?***"),
)
_SECRET_VARIABLE = re.compile(r"(TOKEN|SECRET|PASSW(OR)?D|CREDENTIALS?|ACCESS_KEY(_ID)?|(API|ACCOUNT|PRIVATE)_KEY)$")
_SHORTEST = 8  # characters: what is shorter stands in ordinary words as well
_MOST = 1000  # secrets that are kept to be hidden

_hidden: dict[str, None] = {}
_lock = threading.Lock()
_E = TypeVar("_E", bound=BaseException)


def hide(secret: str | None) -> None:
    """Have a secret masked wherever `masked` meets it, whatever stands around it."""
    if secret and len(secret) >= _SHORTEST:
        with _lock:
            _hidden.pop(secret, None)
            _hidden[secret] = None
            while len(_hidden) > _MOST:
                del _hidden[next(iter(_hidden))]


def masked(text: str) -> str:
    """Mask credentials in a text that is to be shown: the one place for it.

    Masked are the values of secret keys (``token=``, ``password``, ..), ``Authorization`` and what follows ``Basic``
    and ``Bearer``, ``user:password@`` and queries in addresses, the secrets that `hide` was told of, and the values of
    environment variables whose name says that they are secret.

    Examples
    --------
    >>> masked("type=gha,token=abc: https://me:pw@host/x?sig=1 refused")
    'type=gha,token=***: https://***@host/x?*** refused'
    """
    with _lock:
        known = list(_hidden)
    known += [value for name, value in os.environ.items() if _SECRET_VARIABLE.search(name) and len(value) >= _SHORTEST]
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, "***")
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text


def encodable(text: str) -> str:
    """Write as an escape what has no encoding: the bytes of a file name that are not UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def unchained(error: _E) -> _E:
    """Take from an error what led to it: other libraries' exceptions hold requests with their credentials."""
    if not os.environ.get("CACHEGRAPH_DEBUG"):
        error.__cause__ = error.__context__ = None
        error.__traceback__ = None
    return error


class CacheGraphError(Exception):
    """Base of every error that cachegraph raises on purpose.

    Parameters
    ----------
    message : str
        One sentence: the place, the value, what was allowed. Credentials in it are masked.
    hint : str, optional
        What to do about it.
    buildkit : {"skip", "fail"}, optional
        What a build does that is given this source as ``--cache-from``: it goes on without it and every step runs, or
        it fails. None where that is not known.
    """

    exit_code: ClassVar[int] = 3

    def __init__(
        self, message: str, *, hint: str | None = None, buildkit: Literal["skip", "fail"] | None = None
    ) -> None:
        self.message = masked(encodable(message))
        self.hint = masked(encodable(hint)) if hint else hint
        self.buildkit = buildkit
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class CacheGraphWarning(UserWarning):
    """A source was left out, and the caller asked not to stop for that."""


class UsageError(CacheGraphError):
    """The command or the call itself is wrong."""

    exit_code = 2


class SpecError(UsageError):
    """A spec that cannot be understood."""


class UnknownNameError(UsageError):
    """A query, export or record that does not exist."""


class MissingExtraError(UsageError):
    """An optional dependency is not installed.

    Parameters
    ----------
    feature : str
        What needs it, in the user's words.
    extra : str
        Name of the extra that brings it.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs more packages", hint=f"pip install 'cachegraph[{extra}]'")
        self.extra = extra


class SourceError(CacheGraphError):
    """A source could not be read."""


class NotFoundError(SourceError):
    """Nothing is there."""


class NoCacheError(NotFoundError):
    """An image or index that can be read and holds no cache."""


class AccessError(SourceError):
    """The source refused: credentials or rights."""


class DecodeError(SourceError):
    """Bytes that are not what they should be.

    Parameters
    ----------
    message : str
        What is wrong.
    path : str, optional
        Where in the document, such as ``records[3].inputs[0][1].link``.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        hint: str | None = None,
        buildkit: Literal["skip", "fail"] | None = None,
    ) -> None:
        super().__init__(f"{path}: {message}" if path else message, hint=hint, buildkit=buildkit)
        self.path = path


class StoreError(CacheGraphError):
    """A graph store could not be used."""
