"""Where names come from: plaintexts that a daemon kept, or the provenance of an image.

=========================  ===========================================================================================
``cache-debug.db``         a daemon's plaintexts, also while it runs
a JSON file                a saved answer of ``/debug/cache/all``, ``lookup`` or ``store``; or an in-toto statement with
                           SLSA provenance, or its predicate
``http://127.0.0.1:6060``  a running daemon's ``/debug/cache/all``
a directory                an OCI image layout: the provenance of every image in it
=========================  ===========================================================================================
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cachegraph.core.model import Name, Names
from cachegraph.errors import DecodeError, NotFoundError
from cachegraph.loaders.base import Options
from cachegraph.loaders.bboltfile import read_database
from cachegraph.loaders.debugaddress import is_url, masked, read_answer
from cachegraph.loaders.naming import name_all
from cachegraph.loaders.plaintexts import decode_answer, decode_database
from cachegraph.loaders.provenance import decode_provenance

__all__ = ["read_names"]

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_PREDICATE_TYPE = "in-toto.io/predicate-type"
_SLSA = "https://slsa.dev/provenance/"
_HINTS = {
    "daemon": "start buildkitd with --save-cache-debug and build again",
    "image": "build it with --attest type=provenance,mode=max",
}


class _Descriptor(msgspec.Struct, frozen=True):
    digest: str = ""
    annotations: dict[str, str] | None = None


class _Document(msgspec.Struct, frozen=True):
    """An image index or an image manifest."""

    manifests: tuple[_Descriptor, ...] | None = None
    layers: tuple[_Descriptor, ...] | None = None


class _Statement(msgspec.Struct, frozen=True, rename="camel"):
    """What only provenance has."""

    predicate: msgspec.Raw | None = None
    build_definition: msgspec.Raw | None = None
    build_config: msgspec.Raw | None = None


def read_names(source: str, options: Options) -> Names:
    """Read the names that a source gives to records and selectors, by digest.

    Parameters
    ----------
    source : str
        A path or an address; see the module.
    options : Options

    Raises
    ------
    cachegraph.errors.NotFoundError
        Nothing is there, or no name is in it.
    cachegraph.errors.SourceError
        It cannot be read, or is not one of these sources.
    """
    path = Path(source)
    if is_url(source):
        names = name_all(decode_answer(read_answer(source, "/debug/cache/all", options), masked(source)))
    elif path.is_dir():
        return _layout_names(path)
    else:
        data = read_answer(source, "", options)
        if _is_provenance(data):
            names = decode_provenance(data, source)
        elif b"\0" in data[:64]:
            names = name_all(decode_database(read_database(path)))
        else:
            names = name_all(decode_answer(data, source))
    if not names.records:
        raise NotFoundError(f"{masked(source)}: no plaintexts in it", hint=_HINTS["daemon"])
    return names


def _is_provenance(data: bytes) -> bool:
    try:
        statement = msgspec.json.decode(data, type=_Statement)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return bool(statement.predicate or statement.build_definition or statement.build_config)


def _layout_names(directory: Path) -> Names:
    records: dict[str, Name] = {}
    selectors: dict[str, str] = {}
    for digest, data in _statements(directory):
        names = decode_provenance(data, f"{directory}: {digest}")
        records |= names.records
        selectors |= names.selectors
    if not records:
        raise NotFoundError(f"{directory}: no provenance that names a step", hint=_HINTS["image"])
    return Names(records=records, selectors=selectors)


def _statements(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Find the SLSA statements in attestation manifests, in the order in which the index leads to them."""
    try:
        index = (directory / "index.json").read_bytes()
    except OSError:
        raise NotFoundError(f"{directory}: no index.json", hint="give an OCI image layout") from None
    waiting = list(_document(index, f"{directory}: index.json").manifests or ())[::-1]
    seen: set[str] = set()
    while waiting:
        descriptor = waiting.pop()
        if descriptor.digest in seen:
            continue
        seen.add(descriptor.digest)
        data = _blob(directory, descriptor.digest)
        document = _document(data, f"{directory}: {descriptor.digest}") if data else _Document()
        waiting += (document.manifests or ())[::-1]
        for layer in document.layers or ():
            if (layer.annotations or {}).get(_PREDICATE_TYPE, "").startswith(_SLSA):
                statement = _blob(directory, layer.digest)
                if statement:
                    yield layer.digest, statement


def _document(data: bytes, place: str) -> _Document:
    try:
        return msgspec.json.decode(data, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(f"no index or manifest: {error}", path=place) from None


def _blob(directory: Path, digest: str) -> bytes | None:
    """Read a blob, or give None if the directory lacks it, as it may for other platforms."""
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise DecodeError(f"{digest[:80]!r} is no sha256 digest", path=str(directory))
    try:
        data = (directory / "blobs" / "sha256" / match[1]).read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() != match[1]:
        raise DecodeError("the bytes do not match the digest", path=f"{directory}: {digest}", hint="export it again")
    return data
