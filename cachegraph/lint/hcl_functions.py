"""The functions of bake files, those that tell something of a cache's name among them; the others stay unknown.

Source: buildx ``bake/hclparser/stdlib.go`` and ``docs/bake-stdlib.md``.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import itertools
import json
import math
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from cachegraph.lint.hcl_types import number_text
from cachegraph.lint.holes import has_hole

__all__ = ["STRUCTURAL", "TEXTUAL"]


def _whole(value: object) -> int:
    number = float(value) if isinstance(value, int | float | str) else math.nan
    if not math.isfinite(number) or abs(number) > 1e6:
        raise ValueError(value)
    return int(number)


def _items(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return list(value.values())
    raise TypeError(value)


def _flat(value: object, depth: int = 0) -> list[Any]:
    if not isinstance(value, list) or depth > 20:
        return [value]
    return [inner for one in value for inner in _flat(one, depth + 1)]


def _unique(values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    seen: set[str] = set()
    for value in values:
        if (key := repr(value)) not in seen:
            seen.add(key)
            found.append(value)
    return found


def _first(*values: Any) -> Any:  # noqa: ANN401 - of any type
    return next(value for value in values if value is not None)


def _lookup(of: Mapping[str, Any], key: Any, otherwise: Any = None) -> Any:  # noqa: ANN401 - of any type
    return of.get(number_text(key), otherwise)


def _merge(*maps: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for one in maps if one is not None for key, value in one.items()}


def _range(*bounds: Any) -> list[float]:  # noqa: ANN401 - of any type
    numbers = [_whole(bound) for bound in bounds]
    made = range(*numbers)
    if len(made) > 1024:
        raise ValueError("too long")
    return [float(one) for one in made]


def _product(*lists: Any) -> list[list[Any]]:  # noqa: ANN401 - of any type
    size = 1
    for one in lists:
        size *= len(_items(one))
    if size > 10_000:
        raise ValueError("too many")
    return [list(one) for one in itertools.product(*map(_items, lists))]


def _index(of: Any, key: Any) -> Any:  # noqa: ANN401 - of any type
    return of[number_text(key)] if isinstance(of, dict) else of[_whole(key)]


def _has(of: Any, key: Any) -> bool:  # noqa: ANN401 - of any type
    if isinstance(of, dict):
        return number_text(key) in of
    return isinstance(of, list) and 0 <= _whole(key) < len(of)


STRUCTURAL: Mapping[str, Callable[..., Any]] = {
    "chunklist": lambda of, size: [of[at : at + _whole(size)] for at in range(0, len(of), _whole(size))],
    "coalesce": _first,
    "coalescelist": lambda *lists: next(one for one in lists if one),
    "compact": lambda of: [one for one in of if one != ""],
    "concat": lambda *lists: [one for each in lists for one in _items(each)],
    "distinct": _unique,
    "element": lambda of, at: of[_whole(at) % len(of)],
    "flatten": _flat,
    "hasindex": _has,
    "index": _index,
    "keys": lambda of: sorted(of),
    "length": lambda of: float(len(of)),
    "lookup": _lookup,
    "merge": _merge,
    "range": _range,
    "reverselist": lambda of: _items(of)[::-1],
    "setproduct": _product,
    "setunion": lambda *sets: _unique([one for each in sets for one in _items(each)]),
    "slice": lambda of, start, end: of[_whole(start) : _whole(end)],
    "sort": lambda of: sorted(of) if not any(map(has_hole, of)) else of,
    "values": lambda of: [of[key] for key in sorted(of)],
    "zipmap": lambda keys, values: dict(zip(map(number_text, keys), values, strict=False)),
}
"""Functions of lists and objects, which never look into the texts in them."""


def _text(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function take numbers as text too."""
    return lambda *given: function(*(one if isinstance(one, list | dict) else number_text(one) for one in given))


def _number(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: function(*(float(one) for one in given))


def _indent(by: str, text: str) -> str:
    return text.replace("\n", "\n" + " " * min(_whole(by), 100))


def _substr(text: str, start: str, size: str) -> str:
    begin = _whole(start) + (len(text) if _whole(start) < 0 else 0)
    return text[begin:] if _whole(size) < 0 else text[begin : begin + _whole(size)]


def _replaced(text: str, old: str, new: str) -> str:
    if len(text) * (1 + len(new)) > 1 << 20:
        raise ValueError("too long")
    return text.replace(old, new)


_SET_OF_LETTERS = re.compile(r"\[\^?(?:[\w ./:@_-]|\\[-\w./])+\][+*]?|[\w-]+|\\?[./:]")


def _regex_replaced(text: str, pattern: str, new: str) -> str:
    """Replace what one set of letters or a plain text matches: other patterns can take for ever."""
    if _SET_OF_LETTERS.fullmatch(pattern) is None or "$" in new or "\\" in new or len(text) > 10_000:
        raise ValueError(pattern)
    return re.sub(pattern, lambda _: new, text)


_VERB = re.compile(r"%(?:%|(?:\[\d{1,2}\])?[-+# 0]{0,4}\d{0,3}(?:\.\d{1,3})?[vsqdtfgxXbo])")


def formatted(template: str, *given: Any) -> str:  # noqa: ANN401 - of any type
    """Fill ``%s`` and its kin; what is padded or quoted is not known."""
    rest = iter(given)

    def fill(found: re.Match[str]) -> str:
        verb = found[0]
        if verb == "%%":
            return "%"
        value = next(rest)
        if verb in ("%s", "%v", "%t"):
            return number_text(value)
        if verb == "%q":
            return json.dumps(number_text(value))
        if has_hole(value) or "[" in verb:
            raise ValueError(verb)
        if verb[-1] in "dxXbo":
            return format(_whole(value), verb[1:].replace("+", "+"))
        if verb[-1] in "fg":
            return str(verb % float(value))
        return str(verb.replace("v", "s") % number_text(value))

    return _VERB.sub(fill, template)


def _sanitize(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


def _compared(sign: str) -> Callable[..., bool]:
    def compare(one: float, other: float) -> bool:
        return {"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other}[sign]

    return _number(compare)


TEXTUAL: Mapping[str, Callable[..., Any]] = {
    "absolute": _number(abs),
    "add": _number(lambda a, b: a + b),
    "base64decode": _text(lambda text: base64.b64decode(text, validate=True).decode()),
    "base64encode": _text(lambda text: base64.b64encode(text.encode()).decode()),
    "basename": _text(lambda path: PurePosixPath(path).name),
    "ceil": _number(lambda value: float(math.ceil(value))),
    "chomp": _text(lambda text: text.rstrip("\r\n")),
    "contains": lambda of, value: value in of,
    "csvdecode": _text(lambda text: list(csv.DictReader(text.splitlines()))),
    "dirname": _text(lambda path: str(PurePosixPath(path).parent)),
    "divide": _number(lambda a, b: a / b),
    "floor": _number(lambda value: float(math.floor(value))),
    "greaterthan": _compared(">"),
    "greaterthanorequalto": _compared(">="),
    "indent": _text(_indent),
    "int": _number(lambda value: float(int(value))),
    "jsondecode": _text(json.loads),
    "jsonencode": lambda value: json.dumps(value, separators=(",", ":")),
    "lessthan": _compared("<"),
    "lessthanorequalto": _compared("<="),
    "lower": _text(str.lower),
    "max": _number(max),
    "md5": _text(lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()),
    "min": _number(min),
    "modulo": _number(math.fmod),
    "multiply": _number(lambda a, b: a * b),
    "negate": _number(lambda value: -value),
    "parseint": _text(lambda text, base: float(int(text, _whole(base)))),
    "regex_replace": _text(_regex_replaced),
    "replace": _text(_replaced),
    "reverse": lambda of: of[::-1] if isinstance(of, list) else number_text(of)[::-1],
    "sanitize": _text(_sanitize),
    "sha1": _text(lambda text: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()),
    "sha256": _text(lambda text: hashlib.sha256(text.encode()).hexdigest()),
    "sha512": _text(lambda text: hashlib.sha512(text.encode()).hexdigest()),
    "split": _text(lambda separator, text: text.split(separator) if separator else list(text)),
    "strlen": _text(lambda text: float(len(text))),
    "substr": _text(_substr),
    "subtract": _number(lambda a, b: a - b),
    "title": _text(lambda text: re.sub(r"\b[a-z]", lambda found: found[0].upper(), text)),
    "trim": _text(lambda text, letters: text.strip(letters)),
    "trimprefix": _text(str.removeprefix),
    "trimspace": _text(str.strip),
    "trimsuffix": _text(str.removesuffix),
    "upper": _text(str.upper),
    "urlencode": _text(urllib.parse.quote_plus),
}
"""Functions that need all of their texts."""
