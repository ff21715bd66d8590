"""A bare cache config: ``type=config,src=FILE``, or a ``.json`` path. With ``-`` it is read from standard input.

There is no manifest, so every layer's blob counts as listed. A tar archive, whatever it is called and also on standard
input, is read as an image layout; what is neither is told what it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from cachegraph.core.decode import decode
from cachegraph.core.digests import sha256
from cachegraph.core.model import Blob, CacheConfig, CacheExport, Kind
from cachegraph.errors import DecodeError
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.local import load_store
from cachegraph.loaders.oci.blobstores import ArchiveStore
from cachegraph.loaders.paths import kind_of, local_path, read_file, read_stream
from cachegraph.loaders.recognise import is_packed, looks_packed, what_else
from cachegraph.loaders.specs.parse import canonical, check_keys, required

__all__ = ["annotated_blobs", "export_from_config", "load"]


def load(spec: Spec, options: Options) -> Sequence[CacheExport]:
    """Read a cache config from a file.

    Parameters
    ----------
    spec : Spec
        ``src``: the file, or ``-``.
    options : Options

    Returns
    -------
    sequence of CacheExport
        One.

    Raises
    ------
    NotFoundError
        No such file.
    DecodeError
        No cache config.
    """
    check_keys(spec, {"src"})
    src = required(spec, "src", "src=FILE")
    limit = options.limits.file_bytes
    if src == "-":
        data = read_stream(sys.stdin.buffer, "standard input", limit=limit, name="file_bytes")
        if looks_packed(data):
            return _from_archive(data, spec, options)
    else:
        path = local_path(src)
        if kind_of(path) == "file" and is_packed(path):
            store = ArchiveStore(path, options.report, options.limits)
            return load_store(store, path, replace(spec, type="local", bare=True), options)
        data = read_file(path, str(path), limit=limit, name="file_bytes", hint="check the path")
    place = "standard input" if src == "-" else src
    if (other := what_else(data, place)) is not None:
        raise other
    try:
        return [export_from_config(data, source=canonical("config", {"src": src}))]
    except DecodeError as error:
        raise DecodeError(
            f"{place}: {error.message}", hint=error.hint or "give a cache config, not another file"
        ) from None


def _from_archive(data: bytes, spec: Spec, options: Options) -> list[CacheExport]:
    """Read an archive that came through a pipe: its members lie anywhere in it, so it has to be a file."""
    with TemporaryDirectory(prefix="cachegraph-") as folder:
        path = Path(folder) / "archive"
        path.write_bytes(data)
        store = ArchiveStore(path, options.report, options.limits, place="standard input")
        return load_store(store, Path("standard input"), replace(spec, type="local", bare=True), options)


def export_from_config(
    data: bytes, *, source: str = "config", kind: Kind = "config", blobs: Iterable[str] | None = None
) -> CacheExport:
    """Make an export of a cache config's bytes.

    Parameters
    ----------
    data : bytes
        JSON.
    source : str
        The canonical spec.
    kind : Kind
    blobs : iterable of str, optional
        Digests that the manifest lists. Without, every layer's blob counts as listed.

    Returns
    -------
    CacheExport

    Raises
    ------
    DecodeError
        No cache config.
    """
    config = decode(data)
    return CacheExport(
        source=source,
        kind=kind,
        config=config,
        config_digest=sha256(data),
        config_bytes=len(data),
        blobs=_described_blobs(config) if blobs is None else tuple(Blob(digest=d) for d in dict.fromkeys(blobs)),
    )


def _described_blobs(config: CacheConfig) -> tuple[Blob, ...] | None:
    """List the blobs of a config of unknown origin; None if it is one of those that describe no layer."""
    return annotated_blobs(config) if any(layer.annotations for layer in config.layers) else None


def annotated_blobs(config: CacheConfig) -> tuple[Blob, ...]:
    """List the blobs of a config without a manifest, as its layers' annotations describe them.

    Parameters
    ----------
    config : CacheConfig

    Returns
    -------
    tuple of Blob
        One for each distinct blob, in the order of the layers; of a layer that is not described, the digest alone.
    """
    found: dict[str, Blob] = {}
    for layer in config.layers:
        note = layer.annotations
        found[layer.blob] = Blob(
            digest=layer.blob,
            size=note.size if note else None,
            media_type=(note.media_type or None) if note else None,
            diff_id=(note.diff_id or None) if note else None,
        )
    return tuple(found.values())
