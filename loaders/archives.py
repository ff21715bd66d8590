"""Tar archives from outside, with a budget: bytes once decompressed, header bytes, members, seconds.

A few hundred bytes of gzip can stand for terabytes, a long name or a pax record for gigabytes of memory, a sparse
member for any number of zeros. So every byte that leaves the decompressor counts, headers are read from a budget of
their own, and no member is read whole unless it is small enough. Nothing is unpacked to disk.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast

from cachegraph.builds.content.zstd import open_zstd
from cachegraph.core.progress import Report
from cachegraph.errors import DecodeError
from cachegraph.loaders.deadline import Deadline
from cachegraph.loaders.limits import Limits, over_limit
from cachegraph.loaders.paths import open_file

__all__ = ["Archive", "is_archive"]

_BLOCK = 512
_SKIP = 1 << 20  # bytes that are passed over at a time
_KEPT = 64 << 20  # bytes of small members that are kept in memory, so that nothing is decompressed twice for them
_SMALL = 1 << 20  # bytes of a member that is kept: as much as BuildKit reads of a manifest or config
_HINT = "give a directory, an archive of one, or a .json cache config"
_DAMAGED = (
    tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, ValueError, RecursionError, OverflowError,
    IndexError,
)  # fmt: skip


def _zstd(file: BinaryIO) -> IO[bytes]:
    unpacked = open_zstd(file)
    if unpacked is None:
        raise tarfile.ReadError("reading zstd needs one more package: pip install 'cachegraph[zstd]'")
    return unpacked


_COMPRESSIONS: tuple[tuple[bytes, Callable[[BinaryIO], IO[bytes]]], ...] = (
    (b"\x1f\x8b", lambda file: cast("IO[bytes]", gzip.GzipFile(fileobj=file))),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
    (b"\x5d\x00\x00", lzma.LZMAFile),
    (b"\x28\xb5\x2f\xfd", _zstd),
)


class _Budgeted(io.RawIOBase):
    """A decompressed archive as `tarfile` reads it, every byte and second counted.

    `tarfile` seeks past what a member holds; a forward seek here is reading, in pieces, so that it counts as well. What
    it *reads* while it looks for the next member is headers, and those have a budget of their own.
    """

    def __init__(self, stream: IO[bytes], place: str, limits: Limits, *, compressed: bool) -> None:
        self._stream = stream
        self._place = place
        self._limits = limits
        self._compressed = compressed
        self._deadline = Deadline(limits.archive_seconds)
        self._bytes = limits.archive_bytes
        self._headers = limits.archive_header_bytes
        self.in_headers = True

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int = -1) -> bytes:
        if self.in_headers:
            self._headers -= size
            if not 0 <= size <= _SMALL or self._headers < 0:
                allowed = self._limits.archive_header_bytes
                raise over_limit(self._place, allowed, "bytes of headers", "archive_header_bytes")
        data = self._stream.read(size)
        self._count(len(data))
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if not self._compressed or whence != io.SEEK_SET or offset < self._stream.tell():
            if self._compressed and whence == io.SEEK_SET:  # decompressed from the start again
                self._stream.seek(0)
            else:
                return self._stream.seek(offset, whence)
        while (left := offset - self._stream.tell()) > 0:
            skipped = self._stream.read(min(left, _SKIP))
            self._count(len(skipped))
            if not skipped:
                break
        return self._stream.tell()

    def _count(self, read: int) -> None:
        if self._compressed:
            self._bytes -= read
        if self._bytes < 0:
            allowed = self._limits.archive_bytes
            raise over_limit(self._place, allowed, "bytes once decompressed", "archive_bytes")
        if self._deadline.left() < 0:
            allowed = self._limits.archive_seconds
            raise over_limit(self._place, allowed, "seconds to go through", "archive_seconds")

    def again(self) -> None:
        """Begin a new budget: the archive is read a second time because it was asked for."""
        self._deadline = Deadline(self._limits.archive_seconds)
        self._bytes = self._limits.archive_bytes


class Archive:
    """A tar archive, plain or compressed (gzip, bzip2, xz, or zstd), its regular files by name.

    Parameters
    ----------
    path : pathlib.Path
    report : Report
    limits : Limits
    place : str, optional
        What errors call it, if not by its path.

    Raises
    ------
    cachegraph.errors.SourceError
        Not there, no archive, damaged, over a limit, or with a member that leads out of it.
    """

    def __init__(self, path: Path, report: Report, limits: Limits, place: str | None = None) -> None:
        self.place = place or str(path)
        self._members: dict[str, tuple[int, int]] = {}
        self._kept: dict[str, bytes] = {}
        self._limits = limits
        self._file = open_file(path, self.place, "check the path")
        try:
            with self._reading("this is no tar archive that can be read (plain, gzip, bzip2, xz or zstd)", _HINT):
                self._stream = _decompressed(self._file, self.place, limits)
                archive = tarfile.open(fileobj=cast("IO[bytes]", self._stream), mode="r:")  # noqa: SIM115 - closed with the file
            with self._reading("the archive is cut off or damaged", "make it again"):
                self._index(archive, report, path.name)
        except BaseException:
            self.close()
            raise

    def _index(self, archive: tarfile.TarFile, report: Report, name: str) -> None:
        """Note where every file is, and keep the small ones that look like JSON."""
        room = _KEPT
        number = 0
        while (member := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # or it keeps every one
            number += 1
            report(f"reading {name}", number, None)
            if number > self._limits.archive_members:
                allowed = self._limits.archive_members
                raise over_limit(self.place, allowed, "members", "archive_members")
            if (key := self._key(member)) is None:
                continue
            self._members[key] = member.offset_data, member.size
            self._kept.pop(key, None)
            if member.size <= min(_SMALL, room):
                data = self._slice(member.offset_data, member.size)
                if data[:1] in (b"{", b"[", b"\n", b" "):
                    self._kept[key] = data
                    room -= len(data)
        self._stream.in_headers = False

    def _key(self, member: tarfile.TarInfo) -> str | None:
        """Give the name of a regular file; None for what holds no bytes."""
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts:
            shown = member.name[:100].encode("utf-8", "backslashreplace").decode()
            raise DecodeError(f"{self.place}: member {shown!r} leads out of the archive", hint="do not trust it")
        if member.issparse():
            raise DecodeError(f"{self.place}: a member is sparse", hint="pack it without --sparse")
        return str(name) if member.isfile() else None

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Give the name and the size in bytes of every file."""
        return ((name, size) for name, (_, size) in self._members.items())

    def size(self, name: str) -> int | None:
        """Size of a file in bytes; None if there is none."""
        found = self._members.get(name)
        return None if found is None else found[1]

    def read(self, name: str) -> bytes:
        """Read a file that is there, of no more than `Limits.file_bytes`."""
        offset, size = self._members[name]
        if size > self._limits.file_bytes:
            raise over_limit(f"{self.place}: {name}", self._limits.file_bytes, "bytes", "file_bytes")
        if name in self._kept:
            return self._kept[name]
        with self._reading(f"{name} cannot be read", "make it again"):
            self._stream.again()
            return self._slice(offset, size)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Read a file that is there in pieces, however large."""
        offset, size = self._members[name]
        if name in self._kept:
            yield self._kept[name]
            return
        with self._reading(f"{name} cannot be read", "make it again"):
            self._stream.again()
            self._stream.seek(offset)
            while size > 0:
                data = self._stream.read(min(size, _SKIP))
                if not data:
                    raise EOFError("unexpected end of data")
                size -= len(data)
                yield data

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _slice(self, offset: int, size: int) -> bytes:
        heading, self._stream.in_headers = self._stream.in_headers, False
        self._stream.seek(offset)
        data = self._stream.read(size)
        self._stream.in_headers = heading
        if len(data) != size:
            raise EOFError("unexpected end of data")
        return data

    @contextmanager
    def _reading(self, what: str, hint: str) -> Iterator[None]:
        """Turn all that goes wrong with an archive into one error."""
        try:
            yield
        except _DAMAGED as error:
            reason = str(error)[:100] or type(error).__name__
            raise DecodeError(f"{self.place}: {what} ({reason})", hint=hint) from None


def _decompressed(file: BinaryIO, place: str, limits: Limits) -> _Budgeted:
    head = file.read(_BLOCK)
    file.seek(0)
    for magic, open_with in _COMPRESSIONS:
        if head.startswith(magic):
            return _Budgeted(open_with(file), place, limits, compressed=True)
    return _Budgeted(file, place, limits, compressed=False)


def looks_packed(head: bytes) -> bool:
    """Tell from the first 512 bytes whether something is a tar archive, or compressed."""
    return head[257:262] == b"ustar" or any(head.startswith(magic) for magic, _ in _COMPRESSIONS)


def is_archive(path: Path, limits: Limits) -> bool:
    """Tell a tar archive from another file, by its first member."""
    with open_file(path, str(path), "check the path") as file:
        try:
            stream: Any = _decompressed(file, str(path), limits)
            with tarfile.open(fileobj=stream, mode="r:"):
                return True
        except (*_DAMAGED, DecodeError):
            return False
