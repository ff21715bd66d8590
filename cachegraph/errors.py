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

A message names the place, the value, what was allowed, and what to do. It never holds a credential.
"""

from __future__ import annotations

from typing import ClassVar

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
]


class CacheGraphError(Exception):
    """Base of every error that cachegraph raises on purpose.

    Parameters
    ----------
    message : str
        One sentence: the place, the value, what was allowed.
    hint : str, optional
        What to do about it.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

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

    def __init__(self, message: str, *, path: str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{path}: {message}" if path else message, hint=hint)
        self.path = path


class StoreError(CacheGraphError):
    """A graph store could not be used."""
