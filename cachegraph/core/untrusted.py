"""JSON from outside, decoded: the one place for it, beside `cachegraph.core.gojson` for what BuildKit itself reads.

Whatever is wrong with the bytes is one error. msgspec alone raises three: its own, ``UnicodeDecodeError`` for bytes
that are not UTF-8, ``RecursionError`` for nesting; ``json`` adds ``ValueError`` for long integers.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from cachegraph.errors import DecodeError

__all__ = ["NOT_JSON", "decode_json", "decode_loose", "known_json"]

T = TypeVar("T")

NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)
"""All that decoding raises."""

_SHOWN = 200  # characters of a decoder's own words


def decode_json(
    data: bytes, decoder: msgspec.json.Decoder[T], what: str, *, path: str | None = None, hint: str | None = None
) -> T:
    """Decode JSON of a known shape.

    Parameters
    ----------
    data : bytes
    decoder : msgspec.json.Decoder
    what : str
        What it is not if it cannot be decoded, to begin the message with: ``no list of tags``.
    path : str, optional
        Name of the document in errors.
    hint : str, optional

    Raises
    ------
    DecodeError
        Not JSON, or of another shape. The decoder's words name types and places, never a value.
    """
    try:
        return decoder.decode(data)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    except NOT_JSON as error:
        reason = str(error)[:_SHOWN]
    raise DecodeError(f"{what}: {reason}", path=path, hint=hint)


def known_json(data: bytes, decoder: msgspec.json.Decoder[T]) -> T | None:
    """Decode JSON of a known shape, or give None for anything else."""
    try:
        return decoder.decode(data)
    except NOT_JSON:
        return None


def decode_loose(text: str, what: str, *, hint: str | None = None) -> Any:  # noqa: ANN401 - any JSON
    """Decode JSON of any shape, as lists and dicts.

    Raises
    ------
    DecodeError
        Not JSON.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at line {error.lineno} column {error.colno}"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:  # an integer of thousands of digits
        reason = str(error)[:_SHOWN]
    raise DecodeError(f"{what}: {reason}", hint=hint)
