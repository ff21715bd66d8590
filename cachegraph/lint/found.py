"""Cache entries found in a file: their place, and their text or why it is not known."""

from __future__ import annotations

from dataclasses import dataclass, field

from cachegraph.lint.values import Direction
from cachegraph.loaders.limits import Limits, over_limit

__all__ = ["Direction", "ExpansionBudget", "FoundSpec", "UnresolvedError"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSpec:
    """A cache entry of a file; either ``text`` or ``reason`` is None.

    Attributes
    ----------
    file : str
    line : int or None
        From 1; None where the format's reader does not tell.
    path : str
        Where in the document, such as ``services.web.build.cache_from[0]``.
    direction : {"from", "to"}
        Whether the build reads the cache or writes it.
    text : str or None
        The spec as buildx gets it. Not in the repr: it can hold credentials.
    reason : str or None
        Why the text is not known before the build runs.
    """

    file: str
    line: int | None = None
    path: str
    direction: Direction
    text: str | None = field(default=None, repr=False)
    reason: str | None = None

    @property
    def place(self) -> str:
        """File, line and path, to print."""
        return f"{self.file}:{self.line}: {self.path}" if self.line else f"{self.file}: {self.path}"


class UnresolvedError(Exception):
    """A text depends on what only the build knows; the message says on what, and quotes no more of it than a name."""


class ExpansionBudget:
    """Counts the text that variables are filled in with: ten that hold ten of the next each make gigabytes soon.

    Parameters
    ----------
    file : str
    limits : Limits
    """

    def __init__(self, file: str, limits: Limits) -> None:
        self._file = file
        self._allowed = limits.expanded_bytes
        self._left = limits.expanded_bytes

    def renew(self) -> None:
        """Begin again: for a file that is read again in another place."""
        self._left = self._allowed

    def spent(self, text: str) -> str:
        """Count a text, and give it back.

        Raises
        ------
        cachegraph.errors.DecodeError
            It is more than was left.
        """
        self.count(len(text))
        return text

    def count(self, size: int) -> None:
        """Count characters, or entries that were put in.

        Raises
        ------
        cachegraph.errors.DecodeError
            They are more than were left.
        """
        self._left -= size
        if self._left < 0:
            raise over_limit(self._file, self._allowed, "bytes once its variables are filled in", "expanded_bytes")
