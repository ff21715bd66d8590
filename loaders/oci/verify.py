"""Blobs read to the end: whether their bytes are what the manifest says of them."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from cachegraph.builds.content.zstd import zstd_module
from cachegraph.core.model import Blob, Fault
from cachegraph.loaders.limits import Limits
from cachegraph.loaders.oci.manifests import check_digest

__all__ = ["find_fault"]

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_PIECE = 1 << 20


class _TooMuch(Exception):  # noqa: N818 - a budget is used up: it never leaves this module
    """Decompressing takes more than it may."""


def find_fault(chunks: Iterable[bytes], blob: Blob, limits: Limits) -> Fault | None:
    """Read a blob, and say what keeps it from being loaded.

    Parameters
    ----------
    chunks : iterable of bytes
        All of it.
    blob : Blob
        What the manifest says.
    limits : Limits
        ``archive_bytes`` and ``archive_seconds`` bound the decompressing; a diff ID that takes more stays unchecked.

    Returns
    -------
    str or None
        ``wrong-digest``, ``wrong-media-type`` (it is compressed otherwise than its type says) or ``wrong-diff-id``.
        zstd is decompressed by Python 3.14 or with the extra ``zstd``; else the diff ID of such a blob stays unchecked.
    """
    algorithm, digits = check_digest(blob.digest)
    own = hashlib.new(algorithm)
    pieces = iter(chunks)
    head = next(pieces, b"")
    own.update(head)
    kind = "gzip" if head.startswith(_GZIP) else "zstd" if head.startswith(_ZSTD) else "none"
    readable = kind != "zstd" or zstd_module() is not None
    inner = _fed(_DiffId(kind, limits) if blob.diff_id and readable else None, head)
    for piece in pieces:
        own.update(piece)
        inner = _fed(inner, piece)
    if own.hexdigest() != digits:
        return "wrong-digest"
    if _is_mistyped(blob.media_type or "", kind):
        return "wrong-media-type"
    if inner is not None and inner.digest() != blob.diff_id:
        return "wrong-diff-id"
    return None


def _is_mistyped(media_type: str, kind: str) -> bool:
    """Tell whether a type names another compression than the bytes have; Docker's plain ``.tar`` may be either."""
    if media_type.endswith(("gzip", "zstd")):
        return not media_type.endswith(kind)
    return media_type.endswith("v1.tar") and kind != "none"


class _DiffId:
    """The sha256 of what a blob unpacks to, as it is read."""

    def __init__(self, kind: str, limits: Limits) -> None:
        self._hash = hashlib.sha256()
        self._left = limits.archive_bytes
        self._until = time.monotonic() + limits.archive_seconds
        self._kind = kind
        self._broken = False
        self._inflate: Any = None
        self._begin()

    def _begin(self) -> None:
        """Begin a member of gzip, or a frame of zstd; a blob may have several."""
        if self._kind == "gzip":
            self._inflate = zlib.decompressobj(wbits=31)
        elif self._kind == "zstd" and (module := zstd_module()) is not None:
            self._inflate = module.ZstdDecompressor()

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the blob."""
        for piece in self._unpacked(data) if self._kind != "none" else (data,):
            self._left -= len(piece)
            if self._left < 0 or time.monotonic() > self._until:
                raise _TooMuch
            self._hash.update(piece)

    def _unpacked(self, data: bytes) -> Iterator[bytes]:
        while data and not self._broken:
            try:
                yield self._inflate.decompress(data, _PIECE)
            except Exception:  # noqa: BLE001 - zlib's and zstd's own errors: damaged, so that the digest cannot fit
                self._broken = True
                return
            if self._kind == "zstd":
                while not self._inflate.eof and not self._inflate.needs_input:
                    yield self._inflate.decompress(b"", _PIECE)
                data = b""
            else:
                data = self._inflate.unconsumed_tail
            if self._inflate.eof:  # another may follow
                data = self._inflate.unused_data
                self._begin()

    def digest(self) -> str:
        """Give the diff ID; what cannot be unpacked has none that fits."""
        return "" if self._broken else f"sha256:{self._hash.hexdigest()}"


def _fed(inner: _DiffId | None, piece: bytes) -> _DiffId | None:
    """Feed it, or give it up where that takes too much."""
    if inner is not None:
        try:
            inner.feed(piece)
        except _TooMuch:
            return None
    return inner
