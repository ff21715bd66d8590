"""Patterns with ``*``, ``**``, ``?`` and classes as regular expressions that are matched in bounded time.

patternmatcher writes a pattern as a regular expression of Go, which never backtracks. Python's do, so a wildcard whose
first match is as good as any later one is made atomic here.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from cachegraph.builds.content.gomatch import BadPatternError

__all__ = ["compile_wildcards"]

Kind = Literal["fixed", "star", "folders", "rest"]

# Backtracking over more wildcards than these takes minutes on a long path.
_FREE = 3
_ESCAPED = frozenset(".+()|{}$")
# What Go's regular expressions mean by a letter behind a backslash, and Python would read otherwise.
_CLASSES = {
    "d": "[0-9]",
    "D": "[^0-9]",
    "w": "[0-9A-Za-z_]",
    "W": "[^0-9A-Za-z_]",
    "s": "[\\t\\n\\f\\r ]",
    "S": "[^\\t\\n\\f\\r ]",
}
_SAME = frozenset("aftnrv")
_SIMPLE_CLASS = re.compile(r"\[\^?[^][*?\\:^]+\]")


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a pattern as a regular expression; an irregular one may match a slash without being one."""

    kind: Kind
    text: str
    irregular: bool = False


@lru_cache(maxsize=1024)
def compile_wildcards(pattern: str) -> re.Pattern[str]:
    """Compile a cleaned pattern, to be used with `match`.

    Raises
    ------
    BadPatternError
        BuildKit refuses the pattern, or it cannot be matched in bounded time.
    """
    parts = list(_parts(pattern))
    if any(part.irregular for part in parts):
        free, text = sum(part.kind != "fixed" for part in parts), "".join(part.text for part in parts)
    else:
        free, text = _bounded(parts)
    if free > _FREE:
        raise BadPatternError(f"pattern {pattern!r}: too many wildcards", hint="split it into several patterns")
    return _compile(pattern, text + r"\Z")


def _compile(pattern: str, text: str) -> re.Pattern[str]:
    """Compile what a pattern, or a part of it, is written as."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "[[" is one bracket in a class, in Go and here
            return re.compile(text)
    except re.error as error:
        raise BadPatternError(f"pattern {pattern!r}: {error}", hint="correct it, BuildKit refuses it as well") from None


def _parts(pattern: str) -> Iterator[_Part]:
    """Cut a pattern up as ``Pattern.compile`` does; a wildcard repeated at once says nothing more."""
    place, last = 0, ""
    while place < len(pattern):
        part, place = _part(pattern, place)
        if part.kind == "fixed" or part.kind != last:
            yield part
        last = part.kind


def _part(pattern: str, place: int) -> tuple[_Part, int]:
    """Read one part."""
    character = pattern[place]
    if pattern.startswith("**", place):
        place += 3 if pattern.startswith("/", place + 2) else 2
        return (_Part("folders", "(?:.*/)?") if place < len(pattern) else _Part("rest", ".*")), place
    if character == "*":
        return _Part("star", "[^/]*"), place + 1
    if character == "?":
        return _Part("fixed", "[^/]"), place + 1
    if character == "\\" and place + 1 < len(pattern):
        return _backslash(pattern, place + 1), place + 2
    if simple := _SIMPLE_CLASS.match(pattern, place):
        return _Part("fixed", simple[0], irregular=_compile(pattern, simple[0]).match("/") is not None), simple.end()
    if pattern.startswith("[:", place):
        raise BadPatternError(f"pattern {pattern!r}: a class such as [:alpha:] is not supported", hint="write [a-zA-Z]")
    text = "\\" + character if character in _ESCAPED or character == "\\" else character
    return _Part("fixed", text, irregular=character in "[]"), place + 1


def _backslash(pattern: str, place: int) -> _Part:
    """Translate what follows a backslash, which patternmatcher leaves to Go's regular expressions."""
    character = pattern[place]
    if character in _CLASSES:
        return _Part("fixed", _CLASSES[character], irregular=True)
    if character in _SAME:
        return _Part("fixed", "\\" + character, irregular=True)
    if not character.isascii() or character.isalnum():
        raise BadPatternError(f"pattern {pattern!r}: \\{character} means nothing", hint=f"write {character} alone")
    return _Part("fixed", re.escape(character))


@dataclass(slots=True)
class _Piece:
    """A wildcard and the fixed text behind it."""

    kind: Kind
    text: str = ""
    has_slash: bool = False
    ends_in_slash: bool = False


def _bounded(parts: Sequence[_Part]) -> tuple[int, str]:
    """Write the expression, and count the wildcards of which more than the first match has to be tried.

    - Between two stars, the first place of the fixed text is enough: the second star takes what lies between.
    - A star before text with a slash has one place only, since it cannot cross the slash.
    - What begins with ``**/`` and ends in a slash is enough at its first place if ``**`` follows, which takes the rest.
    """
    first, *pieces = _pieces(parts)
    units: list[list[_Piece]] = [[first]]
    for piece in pieces:
        if piece.kind == "star":
            units[-1].append(piece)
        else:
            units.append([piece])
    free, text = 0, ""
    for place, unit in enumerate(units):
        unit_free, unit_text = _unit(unit, place + 1 < len(units))
        if place + 1 < len(units) and unit[-1].ends_in_slash:
            text += f"(?>{unit_text})"
        else:
            free += unit_free
            text += unit_text
    return free, text


def _pieces(parts: Sequence[_Part]) -> Iterator[_Piece]:
    """Join the fixed parts behind each wildcard; the first piece has none before it."""
    piece = _Piece("fixed")
    for part in parts:
        if part.kind != "fixed":
            yield piece
            piece = _Piece(part.kind)
        else:
            piece.text += part.text
            piece.has_slash |= part.text == "/"
            piece.ends_in_slash = part.text == "/"
    yield piece


def _unit(unit: Sequence[_Piece], followed: bool) -> tuple[int, str]:
    """Write what is between two ``**``."""
    free, text = 0, ""
    for place, piece in enumerate(unit):
        if piece.kind == "fixed":
            text += piece.text
        elif piece.kind == "folders":
            free += 1
            text += f"(?:.*?/)??{piece.text}"
        elif piece.kind == "rest":
            text += f".*{piece.text}"
        elif place + 1 < len(unit) or (piece.has_slash and followed):
            text += f"(?>[^/]*?{piece.text})"
        else:
            free += 1
            text += f"[^/]*{piece.text}"
    return free, text
