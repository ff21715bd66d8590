"""Cache entries found in a file: their place, and their text or why it is not known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cachegraph.loaders.limits import Limits, over_limit

__all__ = ["Direction", "ExpansionBudget", "FoundSpec", "UnresolvedError", "expand_variables"]


Direction = Literal["from", "to"]

_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-?+])(?P<word>[^{}$]*))?\}|(?P<other>\{))"
)


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


def expand_variables(text: str, variables: Mapping[str, str], budget: ExpansionBudget | None = None) -> str:
    """Replace ``$NAME``, ``${NAME}``, ``${NAME:-default}``, ``${NAME:?error}``, ``${NAME:+other}`` and ``$$``.

    Raises
    ------
    UnresolvedError
        A variable without a value, or a form that is none of these.

    Examples
    --------
    >>> expand_variables("app:${TAG:-latest}-$OS", {"OS": "linux"})
    'app:latest-linux'
    """

    def value(found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        name = found["plain"] or found["name"]
        if not name:
            raise UnresolvedError("a variable is used in a form that is not read here")
        operator, word = found["operator"] or "", found["word"] or ""
        known = variables.get(name)
        given = known is not None and (known != "" or not operator.startswith(":"))
        if operator.endswith("+"):
            return word if given else ""
        if known is not None and given:
            return known if budget is None else budget.spent(known)
        if operator.endswith("-"):
            return word
        raise UnresolvedError(f"variable {name} is not set")

    return _VARIABLE.sub(value, text)
