"""Texts with holes, while they are worked out: each unknown piece is one character that no file holds.

So a text that is known in part is split, joined and read like any other, and nothing of it is lost::

    >>> from cachegraph.lint.values import Place
    >>> holes = Holes()
    >>> text = "app:" + holes.hole("TAG", "variable TAG is not set")
    >>> holes.value(text, Place(file="compose.yaml")).pattern
    'app:*'
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cachegraph.lint.values import Choice, Condition, Part, Place, Unknown, Value

__all__ = ["HOLE", "Alternative", "Holes", "has_hole", "without_holes"]

_FIRST, _LAST = 0xF0000, 0x10FFFD  # the planes for private use: no text of a file keeps a character of these
HOLE = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")
_SPLIT = re.compile(f"([{chr(_FIRST)}-{chr(_LAST)}])")
_MOST_CHOICES = 12

Alternative = tuple[object, Condition | None]
"""What a hole may be filled with (a text, true, false, none), and when."""


def has_hole(text: object) -> bool:
    """Whether a text has an unknown piece."""
    return isinstance(text, str) and not text.isascii() and HOLE.search(text) is not None


def without_holes(text: str) -> str:
    """Replace the characters of a file that stand for holes here."""
    return text if text.isascii() else HOLE.sub("\N{REPLACEMENT CHARACTER}", text)


class Holes:
    """The unknown pieces of the files that are read together."""

    def __init__(self) -> None:
        self._unknowns: list[Unknown] = []
        self._choices: dict[str, Sequence[Alternative]] = {}
        self._known: dict[tuple[object, ...], str] = {}
        self.conditions: dict[tuple[object, ...], Condition] = {}  # worked out once for all files

    def hole(self, name: str, reason: str, exact: str = "", choices: Sequence[Alternative] = ()) -> str:
        """Make the character of an unknown piece; the same for the same.

        Parameters
        ----------
        name, reason, exact
            See `Unknown`.
        choices : sequence of (object, Condition or None)
            All that it can be.
        """
        if len(choices) > _MOST_CHOICES:
            choices = ()
        key = (name, reason, exact, tuple((repr(value), when) for value, when in choices))
        known = self._known.get(key)
        if known is not None:
            return known
        if _FIRST + len(self._unknowns) >= _LAST:
            return chr(_LAST)
        made = tuple(
            Choice(parts=self.parts(as_text(value)), when=when or Condition(text=name))
            for value, when in choices
            if not isinstance(value, list | dict)
        )
        char = chr(_FIRST + len(self._unknowns))
        self._unknowns.append(Unknown(name=name, exact=exact or name, reason=reason, choices=made))
        self._known[key] = char
        if choices:
            self._choices[char] = tuple(choices)
        return char

    def choices(self, text: object) -> Sequence[Alternative]:
        """Give what a text that is one hole may be; empty if that is not known, or if it is another text."""
        return self._choices.get(text, ()) if isinstance(text, str) else ()

    def unknown(self, char: str) -> Unknown:
        """Give the unknown piece of a character."""
        index = ord(char) - _FIRST
        if index < len(self._unknowns):
            return self._unknowns[index]
        return Unknown(name="", reason="there are more unknown texts than are counted here")

    def first(self, text: str) -> Unknown | None:
        """Give the first unknown piece of a text."""
        found = None if text.isascii() else HOLE.search(text)
        return self.unknown(found[0]) if found else None

    def parts(self, text: str) -> tuple[Part, ...]:
        """Take a text apart."""
        if not text:
            return ()
        if text.isascii():
            return (text,)
        return tuple(self.unknown(part) if HOLE.fullmatch(part) else part for part in _SPLIT.split(text) if part)

    def value(self, text: str, place: Place) -> Value:
        """Make a value of a text."""
        return Value(parts=self.parts(text), place=place)

    def shown(self, text: str) -> str:
        """Write a text for people, each unknown piece by its name."""
        return text if text.isascii() else HOLE.sub(lambda found: f"<{self.unknown(found[0]).name}>", text)


def as_text(value: object) -> str:
    """Write a value as expressions do: ``true``, ``3``, nothing for none."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value == value and abs(value) < 1e15 and value == int(value) else repr(value)
    if isinstance(value, int):
        return str(value)
    return "Array" if isinstance(value, list) else "Object"
