"""Plaintexts: what a daemon hashed to get its digests.

A daemon started with ``--save-cache-debug`` keeps them by digest, as typed frames (BuildKit ``util/cachedigest``). In
its database ``cache-debug.db``, bucket ``byhash``, a frame is ``id u32, length u32, bytes``, big-endian, with ids 1 for
the type, 2 for data, and 3 for data that was left out (its length). Its debug address gives the same as JSON, base64::

    {"digest": "sha256:0e45..", "type": "string", "data": [{"type": 2, "data": "c2hhMjU2OjA5ODUuLkAw"}],
     "subRecords": [{"digest": "sha256:0985..", "type": "json", "data": [..]}]}
"""

from __future__ import annotations

import struct

import msgspec

from cachegraph.builds.plaintexts import Plaintext
from cachegraph.core.untrusted import decode_json
from cachegraph.errors import DecodeError
from cachegraph.loaders.buildkitd.bbolt import Database

__all__ = ["decode_answer", "decode_database"]

_FRAME = struct.Struct(">II")
_TYPE, _DATA = 1, 2


class _Frame(msgspec.Struct, frozen=True):
    type: int
    data: bytes = b""


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    """BuildKit's ``cachedigest.Record``; ``debug`` is where ``/debug/cache/store`` puts such records."""

    digest: str = ""
    type: str = ""
    data: tuple[_Frame, ...] | None = None
    sub_records: tuple[_Record, ...] | None = None
    debug: tuple[_Record, ...] | None = None


_RECORDS: msgspec.json.Decoder[tuple[_Record, ...] | _Record | None] = msgspec.json.Decoder(
    tuple[_Record, ...] | _Record | None
)


def decode_database(database: Database) -> dict[str, Plaintext]:
    """Read ``cache-debug.db``.

    Raises
    ------
    cachegraph.errors.DecodeError
        The file is damaged, or is another database.
    """
    buckets = database.buckets()
    if b"byhash" not in buckets:
        raise DecodeError("no bucket 'byhash'", path=database.name, hint="give a daemon's cache-debug.db")
    return {
        key.decode(errors="replace"): _frames(value, f"{database.name}: byhash/{key.decode(errors='replace')}")
        for key, value in buckets[b"byhash"].items()
    }


def _frames(value: bytes, place: str) -> Plaintext:
    kind, frames, offset = "", [], 0
    while offset < len(value):
        if offset + _FRAME.size > len(value):
            raise DecodeError(f"frame at {offset} is cut short", path=place)
        identity, length = _FRAME.unpack_from(value, offset)
        offset += _FRAME.size
        if offset + length > len(value):
            raise DecodeError(f"frame at {offset} has {length} bytes, {len(value) - offset} are left", path=place)
        data = value[offset : offset + length]
        offset += length
        if identity == _TYPE:
            kind = data.decode(errors="replace")
        elif identity == _DATA:
            frames.append(data)
    return Plaintext(kind, tuple(frames))


def decode_answer(data: bytes, place: str) -> dict[str, Plaintext]:
    """Read an answer of ``/debug/cache/all``, ``/debug/cache/lookup`` or ``/debug/cache/store``.

    Raises
    ------
    cachegraph.errors.DecodeError
        The bytes are none of these.
    """
    hint = "give an answer of /debug/cache/all as JSON"
    answer = decode_json(data, _RECORDS, "no plaintexts", path=place, hint=hint)
    found: dict[str, Plaintext] = {}
    waiting = [answer] if isinstance(answer, _Record) else list(answer or ())
    while waiting:
        record = waiting.pop()
        if record.type and record.digest not in found:
            frames = tuple(frame.data for frame in record.data or () if frame.type == _DATA)
            found[record.digest] = Plaintext(record.type, frames)
        waiting += record.sub_records or ()
        waiting += record.debug or ()
    return found
