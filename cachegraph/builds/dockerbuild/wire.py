"""Protobuf's wire format, as far as a build record needs it: fields of a message, unknown ones skipped.

A message is a run of ``key, value``; the key is ``field number << 3 | wire type``::

    0a 03 61 62 63      field 1, type 2 (bytes), 3 of them: "abc"
    20 01               field 4, type 0 (varint): 1

The schema of a record is five small messages, so this reader stands in for the protobuf package and its generated code.
Source: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator

from cachegraph.errors import DecodeError

__all__ = ["fields", "read_text", "read_timestamp"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}


def fields(data: bytes, place: str) -> Iterator[tuple[int, int | bytes]]:
    """Go through the fields of a message.

    Parameters
    ----------
    data : bytes
    place : str
        What errors call the message.

    Yields
    ------
    tuple of int and (int or bytes)
        Field number and value: an unsigned integer for a varint, else the bytes.

    Raises
    ------
    cachegraph.errors.DecodeError
        Cut off, or of a wire type that protobuf 3 does not write.
    """
    offset, end = 0, len(data)
    while offset < end:
        key, offset = _varint(data, offset, place)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise DecodeError(f"field number 0 at byte {offset}", path=place, hint="export it again")
        if kind == _VARINT:
            value, offset = _varint(data, offset, place)
            yield number, value
            continue
        if kind == _BYTES:
            length, offset = _varint(data, offset, place)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise DecodeError(f"wire type {kind} at byte {offset}", path=place, hint="export it again")
        if length > end - offset:
            raise DecodeError(
                f"field {number} has {length:,} bytes, {end - offset:,} are left", path=place, hint="export it again"
            )
        yield number, data[offset : offset + length]
        offset += length


def _varint(data: bytes, offset: int, place: str) -> tuple[int, int]:
    value = shift = 0
    for position in range(offset, min(offset + 10, len(data))):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position + 1
        shift += 7
    raise DecodeError(f"the number at byte {offset} does not end", path=place, hint="export it again")


def read_text(value: int | bytes) -> str:
    """Read a string field; one of another wire type is empty, as an unknown field is."""
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def read_timestamp(value: int | bytes, place: str) -> tuple[int, int] | None:
    """Read a ``google.protobuf.Timestamp``: seconds since 1970 and nanoseconds; None for another wire type."""
    if not isinstance(value, bytes):
        return None
    seconds = nanos = 0
    for number, part in fields(value, place):
        if isinstance(part, int):
            signed = part - (1 << 64) if part >= 1 << 63 else part
            if number == 1:
                seconds = signed
            elif number == 2:
                nanos = signed
    return seconds, nanos
