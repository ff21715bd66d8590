"""Go's ``path.Match``, by which BuildKit matches the wildcards of COPY and ADD."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from cachegraph.errors import UsageError

__all__ = ["BadPatternError", "check_syntax", "matcher"]


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
    written = ""
    for chunk in _chunks(pattern):
        text = f"[^/]*?{chunk.text}" if chunk.star else chunk.text
        written += text if chunk.last or not chunk.star else f"(?>{text})"
    return re.compile(written + r"\Z", re.DOTALL)


def check_syntax(pattern: str) -> None:
    """Refuse the malformed patterns that Go's ``filepath.Match`` notices when it matches ``.``, as patternmatcher does.

    It stops looking at the first part that does not match.

    Raises
    ------
    BadPatternError
    """
    name = "."
    for chunk in _chunks(pattern):
        expression = re.compile(chunk.text + (r"\Z" if chunk.last else ""), re.DOTALL)
        found = expression.search(name) if chunk.star else expression.match(name)
        if found is None:
            return
        name = name[found.end() :]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What stands up to the next star, as a regular expression; and whether a star stands before it."""

    star: bool
    text: str
    last: bool


def _chunks(pattern: str) -> Iterator[_Chunk]:
    """Cut a pattern at its stars; each chunk is read when it is asked for."""
    place = 0
    while place < len(pattern):
        star = pattern[place] == "*"
        while place < len(pattern) and pattern[place] == "*":
            place += 1
        text = ""
        while place < len(pattern) and pattern[place] != "*":
            part, place = _term(pattern, place)
            text += part
        yield _Chunk(star, text, place == len(pattern))


def _term(pattern: str, place: int) -> tuple[str, int]:
    """Translate what matches one character."""
    character = pattern[place]
    if character == "?":
        return "[^/]", place + 1
    if character == "[":
        return _class(pattern, place + 1)
    if character == "\\":
        character, place = _escaped(pattern, place + 1)
        return re.escape(character), place
    return re.escape(character), place + 1


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
