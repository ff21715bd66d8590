"""Bytes to a cache config, by the rules that Go's ``encoding/json`` reads it with.

Two ways lead to one result. Nearly every export is written by BuildKit itself and decodes strictly in one pass.
What that refuses (an unknown field, ``createdat``, a null) is read again carefully, with Go's rules spelled out, and
an error then names the place: ``records[3].inputs[0][1].link: expected an integer, got "x"``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

from cachegraph.core.model import CacheConfig, CacheRecord
from cachegraph.core.times import parse_times
from cachegraph.errors import DecodeError

__all__ = ["decode", "decode_records", "encode"]

_CONFIG = msgspec.json.Decoder(CacheConfig)
_RECORDS = msgspec.json.Decoder(tuple[CacheRecord, ...])
_HINT = "BuildKit refuses it as well; export the cache again"


def decode(data: bytes) -> CacheConfig:
    """Read a cache config (``application/vnd.buildkit.cacheconfig.v0``).

    Parameters
    ----------
    data : bytes
        The JSON document.

    Returns
    -------
    CacheConfig

    Raises
    ------
    DecodeError
        Not JSON, or a value of a type that Go would not read.

    Notes
    -----
    Source: BuildKit ``cache/remotecache/v1/parse.go``, ``Parse``; Go ``encoding/json``, ``Unmarshal``.

    Examples
    --------
    >>> decode(b'{"Records": [{"digest": "sha256:aa", "new": 1}], "layers": null}')
    CacheConfig(layers=(), records=(CacheRecord(layers=(), chains=(), digest='sha256:aa', inputs=()),))
    """
    try:
        config = _CONFIG.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        config = _carefully(data, CacheConfig)
    _check_times(config)
    return config


def decode_records(data: bytes) -> tuple[CacheRecord, ...]:
    """Read the records array that an image with inline cache holds.

    Parameters
    ----------
    data : bytes
        The JSON array, out of its base64.

    Returns
    -------
    tuple of CacheRecord

    Raises
    ------
    DecodeError
        Not JSON, or a value of a type that Go would not read.

    Notes
    -----
    Source: BuildKit ``cache/remotecache/import.go``, ``importInlineCache``.
    """
    try:
        records = _RECORDS.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        records = _carefully(data, tuple[CacheRecord, ...], path="records")
    _check_times(CacheConfig(records=records))
    return records


def encode(config: CacheConfig) -> bytes:
    """Write a cache config as BuildKit does: zero values left out.

    Parameters
    ----------
    config : CacheConfig

    Returns
    -------
    bytes
        JSON; `decode` gives the same config back.
    """
    return msgspec.json.encode(config)


# --- Go's rules, spelled out ---------------------------------------------------------------------------------------


class _Object(tuple[tuple[str, Any], ...]):
    """A JSON object as its pairs in document order: where a key comes twice, Go keeps the last."""

    __slots__ = ()


def _carefully(data: bytes, type_: Any, path: str = "") -> Any:  # noqa: ANN401 - any wire type in, its value out
    return _as_go(_parse(data), msgspec.inspect.type_info(type_), path)


def _parse(data: bytes) -> Any:  # noqa: ANN401 - JSON
    if not data.strip():
        raise DecodeError("the document is empty, expected a JSON object", hint=_HINT)
    # Go puts U+FFFD where a string holds bytes that are not UTF-8.
    text = data.decode("utf-8", "replace")
    try:
        return json.loads(text, object_pairs_hook=_Object, parse_constant=_not_json)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise DecodeError(f"not JSON: {error.msg} at {where} of {len(data):,} bytes", hint=_HINT) from None
    except ValueError as error:  # an integer of thousands of digits, NaN
        raise DecodeError(f"not JSON: {error}", hint=_HINT) from None
    except RecursionError:
        raise DecodeError("nested too deeply to be a cache config", hint=_HINT) from None


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _as_go(value: Any, info: msgspec.inspect.Type, path: str) -> Any:  # noqa: ANN401 - any JSON value in
    """Convert a JSON value to the type as Go would; null leaves Go's zero value."""
    match info:
        case msgspec.inspect.StructType():
            return _struct(value, info, path)
        case msgspec.inspect.VarTupleType():
            if value is None:
                return ()
            if not isinstance(value, list):
                _refuse(path, "an array", value)
            return tuple(_as_go(item, info.item_type, f"{path}[{i}]") for i, item in enumerate(value))
        case msgspec.inspect.UnionType():  # a pointer: null stays null
            if value is None:
                return None
            return _as_go(value, next(t for t in info.types if not isinstance(t, msgspec.inspect.NoneType)), path)
        case msgspec.inspect.IntType():
            if value is None:
                return 0
            if type(value) is not int or not -(2**63) <= value < 2**63:
                _refuse(path, "an integer of 64 bits", value)
            return value
        case _:
            if value is None:
                return ""
            if not isinstance(value, str):
                _refuse(path, "a string", value)
            return "".join("�" if "\ud800" <= c <= "\udfff" else c for c in value)


def _struct(value: Any, info: msgspec.inspect.StructType, path: str) -> Any:  # noqa: ANN401 - any JSON value in
    if value is None:
        return info.cls()
    if not isinstance(value, _Object):
        _refuse(path, "an object", value)
    fields = {field.encode_name.casefold(): field for field in info.fields}
    found = {}
    for key, item in value:
        if (field := fields.get(key.casefold())) and not (item is None and field.name == "created_at"):
            found[field.name] = _as_go(item, field.type, f"{path}.{field.encode_name}".removeprefix("."))
    return info.cls(**found)


def _refuse(path: str, expected: str, value: Any) -> NoReturn:  # noqa: ANN401 - any JSON value
    shown = "an object" if isinstance(value, _Object) else json.dumps(value)
    if len(shown) > 40:
        shown = shown[:37] + "..."
    raise DecodeError(f"expected {expected}, got {shown}", path=path or None, hint=_HINT)


# --- Times ---------------------------------------------------------------------------------------------------------


def _check_times(config: CacheConfig) -> None:
    """Refuse a document with a time that Go cannot read."""
    texts = [result.created_at for record in config.records for result in record.layers]
    texts += [result.created_at for record in config.records for result in record.chains]
    texts += [layer.annotations.created_at for layer in config.layers if layer.annotations]
    try:
        parse_times(texts)
    except ValueError as error:
        position, text = error.args
        path = next(where for i, where in enumerate(_time_paths(config)) if i == position)
        raise DecodeError(f"expected an RFC 3339 time, got {json.dumps(text)}", path=path, hint=_HINT) from None


def _time_paths(config: CacheConfig) -> Iterator[str]:
    """Name the places of `_check_times`' texts, in its order."""
    for r, record in enumerate(config.records):
        yield from (f"records[{r}].layers[{i}].createdAt" for i in range(len(record.layers)))
    for r, record in enumerate(config.records):
        yield from (f"records[{r}].chains[{i}].createdAt" for i in range(len(record.chains)))
    yield from (f"layers[{i}].annotations.createdAt" for i, layer in enumerate(config.layers) if layer.annotations)
