"""The patterns of ``${name#pattern}``, ``${name%pattern}`` and ``${name/pattern/text}``.

BuildKit turns them into Go's regular expressions, which never backtrack; Python's do, and a hostile pattern would keep
them busy for ever. So they are matched here in one pass over the value, with the set of places in the pattern that can
be reached.

Source: BuildKit ``frontend/dockerfile/shell/lex.go`` (``convertShellPatternToRegex``, ``trimPrefix``, ``trimSuffix``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from cachegraph.builds.dockerfile.errors import DockerfileError, TooMuchError

__all__ = ["replace", "trim_prefix", "trim_suffix"]

_MAX_WORK = 20_000_000
"""Characters of a value times those of a pattern."""


class _Wild(Enum):
    """What a pattern holds beside characters; neither takes a newline, as in Go's expressions."""

    ONE = "?"
    ANY = "*"


_Token = str | _Wild
_TEMPLATE = re.compile(r"\$(?:\$|(?P<name>[^\W]+)|\{(?P<braced>[^\W]+)\})")


def _tokens(pattern: str) -> list[_Token]:
    tokens: list[_Token] = []
    characters = iter(range(len(pattern)))
    for place in characters:
        character = pattern[place]
        if character == "*":
            tokens.append(_Wild.ANY)
        elif character == "?":
            tokens.append(_Wild.ONE)
        elif character == "\\":
            following = pattern[place + 1 : place + 2]
            # In front of } and / the escape only keeps them from ending the substitution.
            if following in ("}", "/") and following:
                continue
            if following not in ("*", "?", "\\") or not following:
                raise DockerfileError(
                    f"invalid pattern ({pattern[:200]}) in substitution: invalid escape '\\{following}'"
                )
            tokens.append(following)
            next(characters)
        else:
            tokens.append(character)
    return tokens


def _closure(tokens: Sequence[_Token], states: dict[int, int]) -> dict[int, int]:
    """Add the places behind a ``*`` that may take nothing; each place keeps the earliest start it was reached from."""
    reached: dict[int, int] = {}
    for place in range(len(tokens) + 1):
        starts = [states[place]] if place in states else []
        if place and tokens[place - 1] is _Wild.ANY and place - 1 in reached:
            starts.append(reached[place - 1])
        if starts:
            reached[place] = min(starts)
    return reached


def _step(tokens: Sequence[_Token], states: dict[int, int], character: str) -> dict[int, int]:
    reached: dict[int, int] = {}
    for place, start in states.items():
        token = tokens[place] if place < len(tokens) else None
        if token is None:
            continue
        if token is _Wild.ANY and character != "\n":
            target = place
        elif token == character or (token is _Wild.ONE and character != "\n"):
            target = place + 1
        else:
            continue
        reached[target] = min(reached.get(target, start), start)
    return reached


def _match(tokens: Sequence[_Token], value: str, start: int, *, greedy: bool, anchored: bool) -> tuple[int, int] | None:
    """Find the leftmost match from a place on, the longest one if ``greedy`` and the shortest one if not."""
    if (len(value) + 1) * (len(tokens) + 1) > _MAX_WORK:
        raise TooMuchError("a pattern and a value that are too long to be matched", hint="shorten one of them")
    states: dict[int, int] = {0: start}
    found: tuple[int, int] | None = None
    for place in range(start, len(value) + 1):
        if not anchored and found is None:
            states.setdefault(0, place)
        states = _closure(tokens, states)
        begin = states.get(len(tokens))
        if begin is not None and (found is None or begin <= found[0]):
            found = (begin, place)
            if not greedy:
                return found
        if found is not None:
            states = {at: begun for at, begun in states.items() if begun <= found[0]}
        if place == len(value) or (not states and (anchored or found is not None)):
            break
        states = _step(tokens, states, value[place])
    return found


def trim_prefix(pattern: str, value: str, *, greedy: bool) -> str:
    """Take off what the pattern matches at the start."""
    match = _match(_tokens(pattern), value, 0, greedy=greedy, anchored=True)
    return value[match[1] :] if match else value


def trim_suffix(pattern: str, value: str, *, greedy: bool) -> str:
    """Take off what the pattern matches at the end."""
    return trim_prefix(_reversed(pattern), value[::-1], greedy=greedy)[::-1]


def _reversed(pattern: str) -> str:
    """Reverse a pattern; an escape stays in front of what it escapes."""
    parts: list[str] = []
    place = 0
    while place < len(pattern):
        width = 2 if pattern[place] == "\\" and place + 1 < len(pattern) else 1
        parts.append(pattern[place : place + width])
        place += width
    return "".join(reversed(parts))


def replace(pattern: str, replacement: str, value: str, *, everywhere: bool) -> str:
    """Replace the first match, or every match."""
    tokens = _tokens(pattern)
    if not everywhere:
        match = _match(tokens, value, 0, greedy=True, anchored=False)
        return value if match is None else value[: match[0]] + replacement + value[match[1] :]
    parts: list[str] = []
    place = search = 0
    last_end = -1
    budget = _MAX_WORK
    while search <= len(value):
        match = _match(tokens, value, search, greedy=True, anchored=False)
        if match is None:
            break
        begin, end = match
        budget -= (max(end, begin + 1) - search) * (len(tokens) + 1)
        if budget < 0:
            raise TooMuchError("a pattern and a value that are too long to be matched", hint="shorten one of them")
        # As in Go, an empty match right behind another match does not count.
        if not begin == end == last_end:
            parts += [value[place:begin], _expand(replacement, value[begin:end])]
            place = end
        last_end = end
        search = end if end > begin else end + 1
    return "".join([*parts, value[place:]])


def _expand(template: str, matched: str) -> str:
    """Mirror Go's ``Regexp.Expand``: ``$0`` is the match, and no other group exists."""

    def group(reference: re.Match[str]) -> str:
        name = reference["name"] or reference["braced"]
        if name is None:
            return "$"
        return matched if name == "0" else ""

    return _TEMPLATE.sub(group, template)
