"""Tar archives, compressed or not: what is in them, read as Go's ``archive/tar`` reads them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO, cast

from cachegraph.builds.content.nodes import START, Blob, Bytes, File, Folder, Link, Metadata, Node, Special, header
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.zstd import open_zstd

__all__ = ["BadArchiveError", "Entry", "entries", "is_archive"]

_CHUNK = 1 << 18
# A file up to this many bytes is kept in memory; a larger one is read again where other headers go with it.
_KEPT = 16 * 1024
_ERRORS = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError)
_SPOOLED = 32 * 2**20
# Bytes that an archive may unpack to.
_LIMIT = 64 * 2**30
_XATTR = "SCHILY.xattr."


class BadArchiveError(Exception):
    """The archive cannot be read; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """A member of an archive.

    Parameters
    ----------
    name : str
        As the archive writes it.
    node : Node or None
        None for a hard link. A folder is empty.
    link : str
        What a hard link links to, as the archive writes it.
    """

    name: str
    node: Node | None
    link: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Member:
    """A file in an archive, hashed with its own header while the archive was read."""

    archive: Blob
    place: int
    size: int
    head: bytes
    known: str
    first: bytes

    @property
    def identity(self) -> None:
        """Nothing of it is kept between runs."""
        return

    def digest(self, header: bytes) -> str | Unknown:
        """Hash a header and the file."""
        if header == self.head:
            return self.known
        opened = self.open()
        if isinstance(opened, Unknown):
            return opened
        hashed = sha256(header)
        with opened:
            while chunk := opened.read(_CHUNK):
                hashed.update(chunk)
        return "sha256:" + hashed.hexdigest()

    def open(self) -> BinaryIO | Unknown:
        """Read the archive again up to the file."""
        try:
            with _members(self.archive) as members:
                for number, (_, data) in enumerate(members):
                    if number == self.place and data is not None:
                        return _copied(data)
        except BadArchiveError as error:
            return Unknown(because="unreadable", reason=str(error))
        return Unknown(because="unreadable", reason="the archive changed while it was read; ask again")

    def start(self) -> bytes:
        """Give what was kept: reading the archive again for a few bytes takes as long as for all of them."""
        return self.first


def _copied(data: BinaryIO) -> BinaryIO:
    """Keep a file of an archive beyond the archive's reading."""
    copy = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115 - who opened it closes it
    while chunk := data.read(_CHUNK):
        copy.write(chunk)
    copy.seek(0)
    return cast("BinaryIO", copy)


def is_archive(blob: Blob) -> bool | Unknown:
    """Tell whether ADD unpacks a file: a tar, plain or compressed (``isArchivePath``)."""
    try:
        with _members(blob) as members:
            return next(members, None) is not None
    except BadArchiveError as error:
        return False if not isinstance(error.__cause__, ImportError) else Unknown(because="unpack", reason=str(error))


def entries(blob: Blob) -> Iterator[Entry]:
    """Read an archive.

    Parameters
    ----------
    blob : Blob
        The archive, plain or compressed with gzip, bzip2, xz or zstd.

    Raises
    ------
    BadArchiveError
        It is none, is damaged, or holds what cannot be taken over, such as sparse files.
    """
    with _members(blob) as members:
        for place, (member, data) in enumerate(members):
            yield _entry(blob, place, member, data)


def _entry(blob: Blob, place: int, member: tarfile.TarInfo, data: BinaryIO | None) -> Entry:
    """Turn a member into a node."""
    xattrs = tuple(
        (name.removeprefix(_XATTR), value.encode("utf-8", "surrogateescape"))
        for name, value in member.pax_headers.items()
        if name.startswith(_XATTR)
    )
    # A symbolic link has no mode of its own: Linux says 0777.
    mode = 0o777 if member.issym() else member.mode & 0o7777
    metadata = Metadata(mode=mode, uid=member.uid, gid=member.gid, xattrs=xattrs)
    node: Node
    if member.islnk():
        return Entry(name=member.name, node=None, link=member.linkname)
    if member.isdir():
        node = Folder(metadata=metadata)
    elif member.issym():
        node = Link(metadata=metadata, target=member.linkname)
    elif member.isfifo():
        node = Special(metadata=metadata, flag="6")
    elif member.ischr() or member.isblk():
        node = Special(
            metadata=metadata, flag="3" if member.ischr() else "4", major=member.devmajor, minor=member.devminor
        )
    elif member.isreg() and not member.issparse() and data is not None:
        node = _file(blob, place, member.size, metadata, data)
    else:
        raise BadArchiveError(f"{member.name}: a member of type {member.type!r} is not understood")
    return Entry(name=member.name, node=node)


def _file(blob: Blob, place: int, size: int, metadata: Metadata, data: BinaryIO) -> File:
    """Keep a small file, and hash a large one."""
    if size <= _KEPT:
        return File(metadata=metadata, blob=Bytes(data.read(size)))
    head = header(File(metadata=metadata, blob=_Member(blob, place, size, b"", "", b"")))
    first = data.read(START)
    hashed = sha256(head + first)
    while chunk := data.read(_CHUNK):
        hashed.update(chunk)
    return File(metadata=metadata, blob=_Member(blob, place, size, head, "sha256:" + hashed.hexdigest(), first))


@contextmanager
def _members(blob: Blob) -> Iterator[Iterator[tuple[tarfile.TarInfo, BinaryIO | None]]]:
    """Open an archive; its members can be read one after the other."""
    opened = blob.open()
    if isinstance(opened, Unknown):
        raise BadArchiveError(opened.reason)
    with opened:
        try:
            with closing(_decompress(opened)) as plain:
                limited = cast("BinaryIO", _Limited(plain))
                with tarfile.open(fileobj=limited, mode="r|", errorlevel=2) as archive:
                    yield ((member, _data(archive, member)) for member in archive)
        except _ERRORS as error:
            raise BadArchiveError(f"no tar archive, or a damaged one: {error}") from None


def _data(archive: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO | None:
    return cast("BinaryIO | None", archive.extractfile(member)) if member.isreg() else None


class _Limited:
    """A stream that ends in an error beyond what may be read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = _LIMIT

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise BadArchiveError(f"it unpacks to more than {_LIMIT:,} bytes")
        return data


def _decompress(opened: BinaryIO) -> BinaryIO:
    """Read through whatever compression the first bytes show (``compression.Detect``)."""
    start = opened.read(10)
    opened.seek(0)
    if start.startswith(b"BZh"):
        return cast("BinaryIO", bz2.open(opened))
    if start.startswith(b"\x1f\x8b\x08"):
        return cast("BinaryIO", gzip.open(opened))
    if start.startswith(b"\xfd7zXZ\0"):
        return cast("BinaryIO", lzma.open(opened))
    if start.startswith(b"\x28\xb5\x2f\xfd") or (start[1:4] == b"\x2a\x4d\x18" and start[0] & 0xF0 == 0x50):
        if (unpacked := open_zstd(opened)) is None:
            raise BadArchiveError("reading zstd needs one more package: pip install 'cachegraph[zstd]'")
        return unpacked
    return opened
