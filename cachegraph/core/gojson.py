"""JSON by the rules of Go's ``encoding/json``, which BuildKit reads everything with.

Keys match without regard to case, unknown ones are skipped, a null leaves the zero value, each byte that is not UTF-8
becomes U+FFFD. Types are strict: no ``1.0`` for an integer. What comes twice is read into what the first left: fields
of an object that the second lacks stay, and every time in it must be one, even if a later one takes its place.

Two ways lead to one result. Nearly every document is written by BuildKit itself: it decodes strictly in one pass, and
written again it has the same bytes, so nothing in it comes twice or is escaped. What does not is looked through for
that, and what needs it is read again carefully, with Go's rules spelled out. An error then names the place:
``records[3].inputs[0][1].link: expected an integer of 64 bits, got "x"``.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec

from cachegraph.core.gotime import is_time
from cachegraph.core.untrusted import NOT_JSON
from cachegraph.errors import DecodeError

__all__ = ["GoInt", "GoTime", "Wire", "read"]

T = TypeVar("T")

GoInt = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""Go's ``int`` and ``int64``."""

GoTime = Annotated[str, msgspec.Meta(extra={"go": "time"})]
"""Go's ``time.Time``, as its text: it is parsed from the raw bytes, so nothing in it may be escaped."""

_MAX_DEPTH = 10_000  # Go: maxNestingDepth


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
        Not JSON, or a value that Go would not read.
    """
    try:
        value = decoder.decode(data)
    except NOT_JSON:
        pass
    else:
        if _is_plain(value, data):
            return value
    try:
        careful: T = _Reader(data).document(decoder.type, path)
    except _Refusal as refusal:
        message, where = refusal.args
        raise DecodeError(message, path=where or None, hint=hint) from None
    return careful


def _is_plain(value: object, data: bytes) -> bool:
    """Tell whether nothing in a document comes twice or is escaped, so that the quick decoder read it as Go does."""
    # Go writes "link": 0, which `Wire` leaves out.
    written = data.replace(b',"link":0}', b"}").replace(b'{"link":0}', b"{}")
    if msgspec.json.encode(value) == written:
        return True
    if b"\\" in data:
        return False
    try:
        json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return False
    return True


def _once(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError


class _Refusal(Exception):  # noqa: N818 - carries message and path out of the recursion
    """What is wrong, and where."""


class _Slice:
    """A Go slice: an element that is read a second time is read into what the first left, beyond the end as well."""

    __slots__ = ("items", "length")

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.length = 0


_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_ESCAPE = re.compile(r"\\u([dD][89abAB]..)\\u([dD][c-fC-F]..)|\\u(....)|\\(.)")
_LONE = re.compile("[\ud800-\udfff]")
_PLAIN_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}
_WORD = re.compile("true|false|null")
_NOTHING = object()


class _Reader:
    """A document and how far it has been read."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        # Bytes that are not UTF-8 become surrogates here, and those U+FFFD where a string is wanted.
        self._text = data.decode("utf-8", "surrogateescape")
        self._at = 0
        self._depth = 0

    def document(self, kind: Any, path: str) -> Any:  # noqa: ANN401 - whatever the decoder's type is
        """Read all of it."""
        if not self._text.strip(" \t\n\r"):
            raise _Refusal("the document is empty, expected JSON", "")
        info = msgspec.inspect.type_info(kind)
        value = self._value(info, _NOTHING, path)
        self._space()
        if self._at < len(self._text):
            self._not_json("extra data")
        return _built(info, value)

    # --- Syntax ----------------------------------------------------------------------------------------------------

    def _space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        self._at = found.end()

    def _peek(self) -> str:
        self._space()
        return self._text[self._at : self._at + 1]

    def _not_json(self, what: str) -> NoReturn:
        before = self._text[: self._at]
        where = f"line {before.count(chr(10)) + 1} column {self._at - before.rfind(chr(10))}"
        raise _Refusal(f"not JSON: {what} at {where} of {len(self._data):,} bytes", "")

    def _next(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            self._not_json(what)
        self._at = found.end()
        return found

    def _punctuation(self, allowed: str, what: str) -> str:
        found = self._peek()
        if not found or found not in allowed:
            self._not_json(what)
        self._at += 1
        return found

    def _enter(self) -> None:
        self._at += 1
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _Refusal(f"nested more than {_MAX_DEPTH:,} deep", "")

    def _key(self) -> str:
        if self._peek() != '"':
            self._not_json("Expecting property name enclosed in double quotes")
        key = _unquoted(self._next(_STRING, "Unterminated or invalid string")[1])
        self._punctuation(":", "Expecting ':' delimiter")
        return key

    def _scalar(self) -> Any:  # noqa: ANN401 - text of a number, raw text of a string, true, false, None
        """Read a value that is no object and no array: strings as they stand, numbers as `_Number`."""
        first = self._peek()
        if first == '"':
            return _Raw(self._next(_STRING, "Unterminated or invalid string")[1])
        if first in "tfn" and first:
            return _WORDS[self._next(_WORD, "Expecting value")[0]]
        return _Number(self._next(_NUMBER, "Expecting value")[0])

    def _skip(self) -> None:
        """Pass over a value, however deep."""
        depth = self._depth
        closers: list[str] = []
        while True:
            first = self._peek()
            if first and first in "{[":
                self._enter()
                closer = "}" if first == "{" else "]"
                if self._peek() != closer:
                    closers.append(closer)
                    if first == "{":
                        self._key()
                    continue
                self._leave()
            else:
                self._scalar()
            while closers and self._punctuation("," + closers[-1], "Expecting ',' delimiter") != ",":
                closers.pop()
                self._depth -= 1
            if not closers:
                break
            if closers[-1] == "}":
                self._key()
        self._depth = depth

    def _leave(self) -> None:
        self._at += 1
        self._depth -= 1

    # --- Types -----------------------------------------------------------------------------------------------------

    def _value(self, info: Any, old: Any, path: str) -> Any:  # noqa: ANN401 - msgspec's description; any state
        """Read a value into what was read there before."""
        if isinstance(info, msgspec.inspect.UnionType):  # a pointer
            if self._peek() == "n":
                self._scalar()
                return None
            info, old = _target(info), _NOTHING if old is None else old
        first = self._peek()
        match info:
            case msgspec.inspect.StructType() if first == "{":
                return self._struct(info, old, path)
            case msgspec.inspect.VarTupleType() if first == "[":
                return self._slice(info, old, path)
            case msgspec.inspect.DictType() if first == "{":
                return self._map(info, old, path)
        shown = "an object" if first == "{" else "an array" if first == "[" else None
        found = None if shown else self._scalar()
        if found is None and shown is None:  # null
            return _NOTHING if isinstance(info, msgspec.inspect.VarTupleType | msgspec.inspect.DictType) else old
        return _converted(info, found, path, shown)

    def _struct(self, info: msgspec.inspect.StructType, old: Any, path: str) -> dict[str, Any]:  # noqa: ANN401 - any state
        found: dict[str, Any] = {} if old is _NOTHING else old
        fields = _fields(info.cls)
        for key in self._pairs():
            field = fields.get(_folded(key))
            if field is None:
                self._skip()
                continue
            where = f"{path}.{field.encode_name}" if path else field.encode_name
            found[field.name] = self._value(field.type, found.get(field.name, _NOTHING), where)
        return found

    def _map(self, info: msgspec.inspect.DictType, old: Any, path: str) -> dict[str, Any]:  # noqa: ANN401 - any state
        found: dict[str, Any] = {} if old is _NOTHING else old
        for key in self._pairs():
            found[key] = self._value(info.value_type, _NOTHING, f"{path}.{key}")
        return found

    def _pairs(self) -> Any:  # noqa: ANN401 - an iterator of keys
        """Give the keys of an object; who takes one reads the value."""
        self._enter()
        if self._peek() != "}":
            yield self._key()
            while self._punctuation(",}", "Expecting ',' delimiter") == ",":
                yield self._key()
            self._depth -= 1
        else:
            self._leave()

    def _slice(self, info: msgspec.inspect.VarTupleType, old: Any, path: str) -> _Slice:  # noqa: ANN401 - any state
        found = _Slice() if old is _NOTHING else old
        self._enter()
        count = 0
        if self._peek() == "]":
            self._leave()
            return _Slice()
        while True:
            if count == len(found.items):
                found.items.append(_NOTHING)
            found.items[count] = self._value(info.item_type, found.items[count], f"{path}[{count}]")
            count += 1
            if self._punctuation(",]", "Expecting ',' delimiter") == "]":
                break
        self._depth -= 1
        found.length = count
        return found


class _Raw(str):
    """A string as it stands between its quotes."""

    __slots__ = ()


class _Number(str):
    """A number as it stands."""

    __slots__ = ()


@cache
def _fields(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Fields of a struct by their folded names."""
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    return {_folded(field.encode_name): field for field in info.fields}


def _target(info: msgspec.inspect.UnionType) -> Any:  # noqa: ANN401 - msgspec's description of a type
    return next(kind for kind in info.types if not isinstance(kind, msgspec.inspect.NoneType))


def _converted(info: Any, found: Any, path: str, shown: str | None) -> Any:  # noqa: ANN401 - any JSON value in
    """Convert a scalar to the type as Go would."""
    match info:
        case msgspec.inspect.Metadata() if isinstance(found, _Raw):
            if not is_time(found):
                _refuse(path, "an RFC 3339 time", f'"{found}"')
            return str(found)
        case msgspec.inspect.BoolType() if isinstance(found, bool):
            return found
        case msgspec.inspect.IntType() if isinstance(found, _Number):
            if _INTEGER.fullmatch(found) and -(2**63) <= int(found) < 2**63:
                return int(found)
        case msgspec.inspect.StrType() if isinstance(found, _Raw):
            return _unquoted(found)
    raw = shown or (
        f'"{found}"' if isinstance(found, _Raw) else str(found).lower() if isinstance(found, bool) else found
    )
    return _refuse(path, _EXPECTED[type(info)], str(raw))


_EXPECTED: dict[type, str] = {
    msgspec.inspect.StructType: "an object",
    msgspec.inspect.DictType: "an object",
    msgspec.inspect.VarTupleType: "an array",
    msgspec.inspect.BoolType: "true or false",
    msgspec.inspect.IntType: "an integer of 64 bits",
    msgspec.inspect.StrType: "a string",
    msgspec.inspect.Metadata: "an RFC 3339 time",
}


def _refuse(path: str, expected: str, shown: str) -> NoReturn:
    if len(shown) > 40:
        shown = shown[:37] + "..."
    raise _Refusal(f"expected {expected}, got {shown}", path)


def _built(info: Any, value: Any) -> Any:  # noqa: ANN401 - any state to any value
    """Make of what was read the objects that the decoder gives."""
    if isinstance(info, msgspec.inspect.UnionType):
        return None if value is None or value is _NOTHING else _built(_target(info), value)
    if value is _NOTHING:
        return _zero(info)
    match info:
        case msgspec.inspect.StructType():
            fields = {field.name: field for field in info.fields}
            return info.cls(**{k: _built(fields[k].type, v) for k, v in value.items() if v is not _NOTHING})
        case msgspec.inspect.VarTupleType():
            return tuple(_built(info.item_type, item) for item in value.items[: value.length])
        case msgspec.inspect.DictType():
            return {key: _built(info.value_type, item) for key, item in value.items()}
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


def _folded(key: str) -> str:
    """Fold a key as Go does: letter by letter (the long s and the Kelvin sign included), and no ligatures."""
    return key.lower().replace("\u017f", "s")


def _unquoted(raw: str) -> str:
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
