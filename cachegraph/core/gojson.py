"""JSON by the rules of Go's ``encoding/json``, which BuildKit reads everything with.

Keys match without regard to case, unknown ones are skipped, a null leaves the zero value, each byte that is not UTF-8
becomes U+FFFD. Types are strict: no ``1.0`` for an integer.

Where a document does what no builder does, two things differ from Go: of an object or array that comes twice the last
counts (Go reads the second into the first), and unknown fields may nest some 900 deep only (10,000 in Go).

Two ways lead to one result. Nearly every document is written by BuildKit itself and decodes strictly in one pass. What
that refuses is read again carefully, with Go's rules spelled out, and an error then names the place:
``records[3].inputs[0][1].link: expected an integer of 64 bits, got "x"``.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec

from cachegraph.errors import DecodeError

__all__ = ["GoInt", "Wire", "read"]

T = TypeVar("T")

GoInt = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""Go's ``int`` and ``int64``."""


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Base of the structs on the wire: no cycles, so nothing for the garbage collector to follow.

    Unknown fields are refused so that the quick decoder gives up on them; the careful one skips them.
    """


def read(data: bytes, decoder: msgspec.json.Decoder[T], *, path: str = "", hint: str | None = None) -> T:
    """Read a JSON document.

    Parameters
    ----------
    data : bytes
    decoder : msgspec.json.Decoder
        Of a `Wire` struct, or of a tuple of such.
    path : str
        Name of the document's top in errors.
    hint : str, optional
        What to do about a document that cannot be read.

    Returns
    -------
    object
        What the decoder gives.

    Raises
    ------
    DecodeError
        Not JSON, or a value of a type that Go would not read.
    """
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        value: T = _as_go(_parse(data), msgspec.inspect.type_info(decoder.type), path)
    except _Refusal as refusal:
        message, where = refusal.args
        raise DecodeError(message, path=where or None, hint=hint) from None
    return value


class _Refusal(Exception):  # noqa: N818 - carries message and path out of the recursion
    """What is wrong, and where."""


class _Object(tuple[tuple[str, Any], ...]):
    """A JSON object as its pairs in document order: where a key comes twice, Go keeps the last."""

    __slots__ = ()


def _parse(data: bytes) -> Any:  # noqa: ANN401 - JSON
    if not data.strip():
        raise _Refusal("the document is empty, expected JSON", "")
    # Bytes that are not UTF-8 become surrogates here, and those U+FFFD where a string is wanted.
    text = data.decode("utf-8", "surrogateescape")
    try:
        return json.loads(text, object_pairs_hook=_Object, parse_constant=_not_json, parse_int=_integer)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise _Refusal(f"not JSON: {error.msg} at {where} of {len(data):,} bytes", "") from None
    except ValueError as error:  # an integer of thousands of digits, NaN
        raise _Refusal(f"not JSON: {error}", "") from None
    except RecursionError:
        raise _Refusal("nested too deeply", "") from None


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _integer(digits: str) -> int | float:
    """Read an integer; one that is too long for any field is not worth its digits."""
    return int(digits) if len(digits) <= 20 else float(digits)


def _as_go(value: Any, info: msgspec.inspect.Type, path: str) -> Any:  # noqa: ANN401 - any JSON value in
    """Convert a JSON value to the type as Go would."""
    if value is None:
        return _zero(info)
    match info:
        case msgspec.inspect.StructType():
            return _struct(value, info, path)
        case msgspec.inspect.VarTupleType():
            items = value if isinstance(value, list) else _refuse(path, "an array", value)
            return tuple(_as_go(item, info.item_type, f"{path}[{i}]") for i, item in enumerate(items))
        case msgspec.inspect.DictType():
            pairs = value if isinstance(value, _Object) else _refuse(path, "an object", value)
            return {key: _as_go(item, info.value_type, f"{path}.{key}") for key, item in pairs}
        case msgspec.inspect.UnionType():  # a pointer
            return _as_go(value, next(t for t in info.types if not isinstance(t, msgspec.inspect.NoneType)), path)
        case msgspec.inspect.BoolType():
            return value if isinstance(value, bool) else _refuse(path, "true or false", value)
        case msgspec.inspect.IntType():
            if type(value) is not int or not -(2**63) <= value < 2**63:
                _refuse(path, "an integer of 64 bits", value)
            return value
        case _:
            text = value if isinstance(value, str) else _refuse(path, "a string", value)
            return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def _zero(info: msgspec.inspect.Type) -> Any:  # noqa: ANN401 - the zero value of any type
    """Give what null leaves in a Go variable of this type."""
    match info:
        case msgspec.inspect.StructType():
            return info.cls()
        case msgspec.inspect.VarTupleType():
            return ()
        case msgspec.inspect.DictType():
            return {}
        case msgspec.inspect.UnionType():
            return None
        case msgspec.inspect.BoolType():
            return False
        case msgspec.inspect.IntType():
            return 0
    return ""


def _struct(value: Any, info: msgspec.inspect.StructType, path: str) -> Any:  # noqa: ANN401 - any JSON value in
    pairs = value if isinstance(value, _Object) else _refuse(path, "an object", value)
    fields = {_folded(field.encode_name): field for field in info.fields}
    found = {}
    for key, item in pairs:
        if (field := fields.get(_folded(key))) and not (item is None and _keeps(field.type)):
            found[field.name] = _as_go(item, field.type, f"{path}.{field.encode_name}".removeprefix("."))
    return info.cls(**found)


def _folded(key: str) -> str:
    """Fold a key as Go does: letter by letter (the long s and the Kelvin sign included), and no ligatures."""
    return key.lower().replace("\u017f", "s")


def _keeps(info: msgspec.inspect.Type) -> bool:
    """Tell whether null leaves a Go variable of this type as it is; slices, maps and pointers become nil."""
    return not isinstance(info, msgspec.inspect.VarTupleType | msgspec.inspect.DictType | msgspec.inspect.UnionType)


def _refuse(path: str, expected: str, value: Any) -> NoReturn:  # noqa: ANN401 - any JSON value
    shown = "an object" if isinstance(value, _Object) else "an array" if isinstance(value, list) else json.dumps(value)
    if len(shown) > 40:
        shown = shown[:37] + "..."
    raise _Refusal(f"expected {expected}, got {shown}", path)
