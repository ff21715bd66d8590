"""Values as Go's ``encoding/json`` makes them of what stands in a document: scalars, zero values, folded keys."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NoReturn

import msgspec

from cachegraph.core.gotime import is_time

__all__ = [
    "NOTHING",
    "Number",
    "Raw",
    "Refusal",
    "Slice",
    "built",
    "converted",
    "fields_of",
    "folded",
    "refuse",
    "target",
    "unquoted",
]

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_ESCAPE = re.compile(r"\\u([dD][89abAB]..)\\u([dD][c-fC-F]..)|\\u(....)|\\(.)")
_LONE = re.compile("[\ud800-\udfff]")
_PLAIN_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
NOTHING = object()


class Refusal(Exception):  # noqa: N818 - carries message and path out of the recursion
    """What is wrong, and where."""


class Slice:
    """A Go slice: an element that is read a second time is read into what the first left, beyond the end as well."""

    __slots__ = ("items", "length")

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.length = 0


class Raw(str):
    """A string as it stands between its quotes."""

    __slots__ = ()


class Number(str):
    """A number as it stands."""

    __slots__ = ()


@cache
def fields_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Fields of a struct by their folded names."""
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    return {folded(field.encode_name): field for field in info.fields}


def target(info: msgspec.inspect.UnionType) -> Any:  # noqa: ANN401 - msgspec's description of a type
    """Give the type of a pointer's target: the one of a union that is not None."""
    return next(kind for kind in info.types if not isinstance(kind, msgspec.inspect.NoneType))


def converted(info: Any, found: Any, path: str, shown: str | None) -> Any:  # noqa: ANN401 - any JSON value in
    """Convert a scalar to the type as Go would."""
    match info:
        case msgspec.inspect.Metadata() if isinstance(found, Raw):
            if not is_time(found):
                refuse(path, "an RFC 3339 time", f'"{found}"')
            return str(found)
        case msgspec.inspect.BoolType() if isinstance(found, bool):
            return found
        case msgspec.inspect.IntType() if isinstance(found, Number):
            if _INTEGER.fullmatch(found) and -(2**63) <= int(found) < 2**63:
                return int(found)
        case msgspec.inspect.StrType() if isinstance(found, Raw):
            return unquoted(found)
    raw = shown or (
        f'"{found}"' if isinstance(found, Raw) else str(found).lower() if isinstance(found, bool) else found
    )
    return refuse(path, _EXPECTED[type(info)], str(raw))


_EXPECTED: dict[type, str] = {
    msgspec.inspect.StructType: "an object",
    msgspec.inspect.DictType: "an object",
    msgspec.inspect.VarTupleType: "an array",
    msgspec.inspect.BoolType: "true or false",
    msgspec.inspect.IntType: "an integer of 64 bits",
    msgspec.inspect.StrType: "a string",
    msgspec.inspect.Metadata: "an RFC 3339 time",
}


def refuse(path: str, expected: str, shown: str) -> NoReturn:
    """Refuse a value that has another type than the place wants.

    Raises
    ------
    Refusal
        Always.
    """
    if len(shown) > 40:
        shown = shown[:37] + "..."
    raise Refusal(f"expected {expected}, got {shown}", path)


def built(info: Any, value: Any) -> Any:  # noqa: ANN401 - any state to any value
    """Make of what was read the objects that the decoder gives."""
    if isinstance(info, msgspec.inspect.UnionType):
        return None if value is None or value is NOTHING else built(target(info), value)
    if value is NOTHING:
        return _zero(info)
    match info:
        case msgspec.inspect.StructType():
            fields = {field.name: field for field in info.fields}
            return info.cls(**{k: built(fields[k].type, v) for k, v in value.items() if v is not NOTHING})
        case msgspec.inspect.VarTupleType():
            return tuple(built(info.item_type, item) for item in value.items[: value.length])
        case msgspec.inspect.DictType():
            return {key: built(info.value_type, item) for key, item in value.items()}
    return value


def _zero(info: Any) -> Any:  # noqa: ANN401 - the zero value of any type
    """Give the zero value of a Go variable of this type."""
    match info:
        case msgspec.inspect.StructType():
            return info.cls()
        case msgspec.inspect.VarTupleType():
            return ()
        case msgspec.inspect.DictType():
            return {}
        case msgspec.inspect.BoolType():
            return False
        case msgspec.inspect.IntType():
            return 0
    return ""


def folded(key: str) -> str:
    """Fold a key as Go does: letter by letter (the long s and the Kelvin sign included), and no ligatures."""
    return key.lower().replace("\u017f", "s")


def unquoted(raw: str) -> str:
    """Replace the escapes of a string, and by U+FFFD what is half a character."""
    if raw.isascii() and "\\" not in raw:
        return str(raw)
    whole = _LONE.sub("\ufffd", raw)
    return _ESCAPE.sub(_escape, whole) if "\\" in whole else whole


def _escape(found: re.Match[str]) -> str:
    high, low, single, plain = found.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    if single:
        return _LONE.sub("\ufffd", chr(int(single, 16)))
    return _PLAIN_ESCAPES.get(plain, plain)
