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
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec

from cachegraph.core.govalues import (
    NOTHING,
    Number,
    Raw,
    Refusal,
    Slice,
    built,
    converted,
    fields_of,
    folded,
    target,
    unquoted,
)
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
    except Refusal as refusal:
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


_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_WORDS = {"true": True, "false": False, "null": None}
_WORD = re.compile("true|false|null")


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
            raise Refusal("the document is empty, expected JSON", "")
        info = msgspec.inspect.type_info(kind)
        value = self._value(info, NOTHING, path)
        self._space()
        if self._at < len(self._text):
            self._not_json("extra data")
        return built(info, value)

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
        raise Refusal(f"not JSON: {what} at {where} of {len(self._data):,} bytes", "")

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
            raise Refusal(f"nested more than {_MAX_DEPTH:,} deep", "")

    def _key(self) -> str:
        if self._peek() != '"':
            self._not_json("Expecting property name enclosed in double quotes")
        key = unquoted(self._next(_STRING, "Unterminated or invalid string")[1])
        self._punctuation(":", "Expecting ':' delimiter")
        return key

    def _scalar(self) -> Any:  # noqa: ANN401 - text of a number, raw text of a string, true, false, None
        """Read a value that is no object and no array: strings as they stand, numbers as `Number`."""
        first = self._peek()
        if first == '"':
            return Raw(self._next(_STRING, "Unterminated or invalid string")[1])
        if first in "tfn" and first:
            return _WORDS[self._next(_WORD, "Expecting value")[0]]
        return Number(self._next(_NUMBER, "Expecting value")[0])

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
            info, old = target(info), NOTHING if old is None else old
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
            return NOTHING if isinstance(info, msgspec.inspect.VarTupleType | msgspec.inspect.DictType) else old
        return converted(info, found, path, shown)

    def _struct(self, info: msgspec.inspect.StructType, old: Any, path: str) -> dict[str, Any]:  # noqa: ANN401 - any state
        found: dict[str, Any] = {} if old is NOTHING else old
        fields = fields_of(info.cls)
        for key in self._pairs():
            field = fields.get(folded(key))
            if field is None:
                self._skip()
                continue
            where = f"{path}.{field.encode_name}" if path else field.encode_name
            found[field.name] = self._value(field.type, found.get(field.name, NOTHING), where)
        return found

    def _map(self, info: msgspec.inspect.DictType, old: Any, path: str) -> dict[str, Any]:  # noqa: ANN401 - any state
        found: dict[str, Any] = {} if old is NOTHING else old
        for key in self._pairs():
            found[key] = self._value(info.value_type, NOTHING, f"{path}.{key}")
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

    def _slice(self, info: msgspec.inspect.VarTupleType, old: Any, path: str) -> Slice:  # noqa: ANN401 - any state
        found = Slice() if old is NOTHING else old
        self._enter()
        count = 0
        if self._peek() == "]":
            self._leave()
            return Slice()
        while True:
            if count == len(found.items):
                found.items.append(NOTHING)
            found.items[count] = self._value(info.item_type, found.items[count], f"{path}[{count}]")
            count += 1
            if self._punctuation(",]", "Expecting ',' delimiter") == "]":
                break
        self._depth -= 1
        found.length = count
        return found
