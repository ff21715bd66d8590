"""Text as Go's standard library sees it, where Python's differs."""

from __future__ import annotations

import json
import math
import re

from cachegraph.builds.dockerfile.errors import DockerfileError

__all__ = [
    "BLANKS",
    "base",
    "clean",
    "is_absolute",
    "is_letter",
    "join",
    "parse_bool",
    "parse_int",
    "parse_json_strings",
    "runes",
    "split_blanks",
]

BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What ``unicode.IsSpace`` calls a space; Python's ``str.isspace`` has four control characters more."""

_INSIDE_LINE = re.compile(r"[\t\v\f\r ]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


def split_blanks(text: str, limit: int = 0) -> list[str]:
    """Split at runs of blanks within a line, into at most ``limit`` parts if it is not 0."""
    return _INSIDE_LINE.split(text, maxsplit=max(limit - 1, 0))


def runes(text: str) -> str:
    """Replace bytes that are no UTF-8 by U+FFFD, as Go does when it goes through a text by characters."""
    return _SURROGATE.sub("\ufffd", text)


def is_letter(character: str) -> bool:
    """Mirror ``unicode.IsLetter``."""
    return character.isalpha()


def parse_bool(text: str) -> bool | None:
    """Mirror ``strconv.ParseBool``; None for what it refuses."""
    if text in _TRUE:
        return True
    return False if text in _FALSE else None


def parse_int(text: str, base: int = 10, *, bits: int = 64, signed: bool = False) -> int | None:
    """Mirror ``strconv.ParseUint`` and, if ``signed``, ``strconv.ParseInt``; None for what they refuse."""
    digits = text[1:] if signed and text[:1] in ("+", "-") else text
    if not digits.isascii() or not digits.isalnum() or len(digits) > 100:
        return None
    try:
        number = int(digits, base)
    except ValueError:
        return None
    if text.startswith("-"):
        number = -number
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    return number if low <= number < high else None


class _NotJSONError(ValueError):
    """What Go's decoder refuses and Python's takes."""


def _refuse(constant: str) -> object:
    raise _NotJSONError(constant)


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _NotJSONError(text)
    return number


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_number, parse_int=_number)


def parse_json_strings(text: str) -> list[str] | None:
    """Read a JSON array of strings; None for what is no JSON array.

    Raises
    ------
    DockerfileError
        A JSON array that holds something else than strings.
    """
    text = runes(text.lstrip(BLANKS))
    if not text.startswith("["):
        return None
    try:
        items, end = _decoder.raw_decode(text)
    except RecursionError:
        raise DockerfileError("a JSON array nested too deeply to be read") from None
    except ValueError:
        return None
    if text[end:].strip("\t\n\r "):
        return None
    if not all(isinstance(item, str) for item in items):
        raise DockerfileError("when using JSON array syntax, arrays must be comprised of strings only")
    return [runes(item) for item in items]


def clean(path: str) -> str:
    """Mirror ``path.Clean``."""
    rooted = path.startswith("/")
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if parts and parts[-1] != "..":
                parts.pop()
            elif not rooted:
                parts.append(part)
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts) or "."


def join(*paths: str) -> str:
    """Mirror ``path.Join``."""
    given = [path for path in paths if path]
    return clean("/".join(given)) if given else ""


def base(path: str) -> str:
    """Mirror ``path.Base``."""
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def is_absolute(path: str) -> bool:
    """Mirror ``path.IsAbs``."""
    return path.startswith("/")
