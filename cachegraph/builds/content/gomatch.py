"""Go's ``path.Match``, by which BuildKit matches the wildcards of COPY and ADD."""

from __future__ import annotations

import re
from functools import lru_cache

from cachegraph.errors import UsageError

__all__ = ["BadPatternError", "matcher"]


class BadPatternError(UsageError):
    """A pattern that BuildKit refuses, or that cannot be matched in bounded time."""


@lru_cache(maxsize=256)
def matcher(pattern: str) -> re.Pattern[str]:
    """Translate a pattern into a regular expression to `match` with.

    ``*`` and ``?`` stop at slashes. As in Go, what stands between two stars is matched at its first place and never
    tried further on, so the time is bounded by the lengths of pattern and name.

    Raises
    ------
    BadPatternError
        The pattern is malformed (Go: ``ErrBadPattern``).
    """
    chunks: list[list[str]] = [[]]
    place = 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        if character == "*":
            if len(chunks) == 1 or chunks[-1]:
                chunks.append([])
        elif character == "?":
            chunks[-1].append("[^/]")
        elif character == "[":
            part, place = _class(pattern, place)
            chunks[-1].append(part)
        else:
            if character == "\\":
                character, place = _escaped(pattern, place)
            chunks[-1].append(re.escape(character))
    first, *rest = ("".join(chunk) for chunk in chunks)
    last = f"[^/]*?{rest.pop()}" if rest else ""
    return re.compile(first + "".join(f"(?>[^/]*?{chunk})" for chunk in rest) + last + r"\Z", re.DOTALL)


def _class(pattern: str, place: int) -> tuple[str, int]:
    """Translate a ``[class]`` from behind its bracket; like Go's, it can match a slash."""
    negated = pattern[place : place + 1] == "^"
    place += negated
    ranges: list[str] = []
    while not (ranges and pattern[place : place + 1] == "]"):
        low, place = _member(pattern, place)
        high = low
        if pattern[place] == "-":
            high, place = _member(pattern, place + 1)
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")  # an empty range matches nothing
    inside = "".join(ranges)
    if not inside:
        return ("." if negated else "(?!)"), place + 1
    return f"[{'^' if negated else ''}{inside}]", place + 1


def _member(pattern: str, place: int) -> tuple[str, int]:
    """Read one character of a class (Go: ``getEsc``)."""
    character = pattern[place : place + 1]
    if character in ("", "-", "]"):
        raise BadPatternError(f"pattern {pattern!r}: a [class] is empty or not closed", hint="for itself, write \\[")
    place += 1
    if character == "\\":
        character, place = _escaped(pattern, place)
    if place >= len(pattern):
        raise BadPatternError(f"pattern {pattern!r}: a [class] is not closed", hint="add the ], or write \\[")
    return character, place


def _escaped(pattern: str, place: int) -> tuple[str, int]:
    """Read the character behind a backslash."""
    if place >= len(pattern):
        raise BadPatternError(f"pattern {pattern!r}: it ends in a backslash", hint="for itself, write \\\\")
    return pattern[place], place + 1
