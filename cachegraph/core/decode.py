"""Bytes to a cache config, by the rules that Go's ``encoding/json`` reads it with.

No I/O here, and nothing is judged: a config that BuildKit would refuse is a config all the same. Only what Go cannot
read at all is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from cachegraph.core import gojson
from cachegraph.core.garbage import collection_paused
from cachegraph.core.model import CacheConfig, CacheRecord
from cachegraph.core.times import check_times
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
    with collection_paused():
        config = gojson.read(data, _CONFIG, hint=_HINT)
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
    records = gojson.read(data, _RECORDS, path="records", hint=_HINT)
    _check_times(CacheConfig(records=records))
    return records


def encode(config: CacheConfig) -> bytes:
    """Write a cache config as BuildKit does: most zero values left out.

    Parameters
    ----------
    config : CacheConfig

    Returns
    -------
    bytes
        JSON; `decode` gives the same config back.
    """
    return msgspec.json.encode(config)


# --- Times ---------------------------------------------------------------------------------------------------------


def _check_times(config: CacheConfig) -> None:
    """Refuse a document with a time that Go cannot read."""
    texts = [result.created_at for record in config.records for result in record.layers]
    texts += [result.created_at for record in config.records for result in record.chains]
    texts += [layer.annotations.created_at for layer in config.layers if layer.annotations]
    try:
        check_times(texts)
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
