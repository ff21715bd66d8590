"""A place in an HCL text, and what expressions are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cachegraph.errors import DecodeError

__all__ = ["NAME", "Cursor", "HclError", "Node"]

_SPACE = re.compile(r"(?:[ \t\r]|#[^\n]*|//[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/)++")
NAME = re.compile(r"[^\W\d][\w-]*")
"""A name: of an attribute, a variable, a function."""


class HclError(DecodeError):
    """Not HCL."""

    def __init__(self, line: int) -> None:
        super().__init__(f"not HCL at line {line}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Node:
    """An expression.

    Attributes
    ----------
    kind : str
        ``literal``, ``template``, ``name``, ``get`` (of a name or index), ``splat``, ``call``, ``tuple``, ``object``,
        ``for``, ``if`` (a condition with its two sides), ``binary``, ``unary``.
    value : object
        Of a literal; the name, operator or function; the names of a ``for``.
    parts : tuple of Node
        Of an object: keys and values by turns.
    line : int
    """

    kind: str
    value: object = None
    parts: tuple[Node, ...] = ()
    line: int = 0


class Cursor:
    """A place in a text.

    Parameters
    ----------
    text : str
    line : int
        Of its first line.
    """

    def __init__(self, text: str, line: int = 1) -> None:
        self.text = text
        self.at = 0
        self._line = line
        self._counted = 0
        self.nested = 0  # within parentheses or brackets, where lines go on
        self.depth = 0

    def line(self) -> int:
        """Give the line of the place that is looked at."""
        if self.at >= self._counted:
            self._line += self.text.count("\n", self._counted, self.at)
        else:
            self._line -= self.text.count("\n", self.at, self._counted)
        self._counted = self.at
        return self._line

    def fail(self) -> HclError:
        """Make the error of this place."""
        self.at = min(self.at, len(self.text))
        return HclError(self.line())

    def skip(self, *, lines: bool = False) -> None:
        """Pass over blanks and comments, and over line ends where lines go on."""
        while True:
            found = _SPACE.match(self.text, self.at)
            if found:
                self.at = found.end()
            elif (lines or self.nested) and self.text.startswith("\n", self.at):
                self.at += 1
            else:
                return

    def sees(self, sign: str) -> bool:
        """Say whether a sign comes next."""
        self.skip()
        return self.text.startswith(sign, self.at)

    def take(self, sign: str) -> bool:
        """Read a sign, if it comes next."""
        if self.sees(sign):
            self.at += len(sign)
            return True
        return False

    def need(self, sign: str) -> None:
        """Read a sign that must be there."""
        if not self.take(sign):
            raise self.fail()

    def name(self) -> str:
        """Read a name."""
        self.skip()
        found = NAME.match(self.text, self.at)
        if found is None:
            raise self.fail()
        self.at = found.end()
        return found[0]
