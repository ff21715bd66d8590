"""Where the files of an image layout lie: a directory or an archive, read only, and no name leads out of it."""

from __future__ import annotations

import hashlib
import re
import tarfile
import zlib
from collections.abc import Mapping
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from cachegraph.core.progress import Report
from cachegraph.errors import AccessError, DecodeError
from cachegraph.loaders.oci.manifests import MAX_READ, check_digest

__all__ = ["ArchiveStore", "BlobStore", "DirectoryStore"]

_BLOB = re.compile(r"blobs/(sha256|sha512)/([0-9a-f]+)")
_DAMAGED = (tarfile.TarError, EOFError, OSError, zlib.error, LZMAError)


class BlobStore(Protocol):
    """The files of an image layout."""

    def file(self, name: str) -> bytes | None:
        """Read a file beside the blobs; None if there is none."""

    def read(self, digest: str) -> bytes:
        """Read a blob that is there."""

    def size(self, digest: str) -> int | None:
        """Size of a blob in bytes; None if it is not there."""

    def matches(self, digest: str) -> bool:
        """Tell whether the bytes of a blob that is there are those that its digest names."""

    def blobs(self) -> Mapping[str, int]:
        """Sizes in bytes of all blobs, by digest."""

    def close(self) -> None:
        """Let go of open files."""


class DirectoryStore:
    """A directory.

    Parameters
    ----------
    root : pathlib.Path
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def file(self, name: str) -> bytes | None:
        """Read a file beside the blobs; None if there is none."""
        path = self._inside(self.root / name)
        if not path.is_file():
            return None
        if path.stat().st_size > MAX_READ:
            raise DecodeError(f"{name} has {path.stat().st_size:,} bytes, more than any index")
        return self._bytes(path)

    def read(self, digest: str) -> bytes:
        """Read a blob that is there."""
        return self._bytes(self._path(digest))

    def size(self, digest: str) -> int | None:
        """Size of a blob in bytes; None if it is not there."""
        path = self._path(digest)
        return path.stat().st_size if path.is_file() else None

    def matches(self, digest: str) -> bool:
        """Tell whether the bytes of a blob that is there are those that its digest names."""
        with self._path(digest).open("rb") as file:
            return _hashes_to(file, digest)

    def blobs(self) -> Mapping[str, int]:
        """Sizes in bytes of all blobs, by digest."""
        found = {}
        for path in self.root.glob("blobs/*/*"):
            match = _BLOB.fullmatch(path.relative_to(self.root).as_posix())
            if match and path.is_file() and not path.is_symlink():
                found[f"{match[1]}:{match[2]}"] = path.stat().st_size
        return found

    def close(self) -> None:
        """Nothing stays open."""

    def _path(self, digest: str) -> Path:
        algorithm, digits = check_digest(digest)
        return self._inside(self.root / "blobs" / algorithm / digits)

    def _inside(self, path: Path) -> Path:
        """Follow symbolic links, but not out of the directory."""
        try:
            real = path.resolve()
        except (OSError, RuntimeError):  # a link to itself
            raise DecodeError(f"{path.name} is a link that leads nowhere") from None
        if not real.is_relative_to(self.root):
            raise DecodeError(
                f"{path.name} is a link that leads out of the directory", hint="copy the blob itself there"
            )
        return real

    def _bytes(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise AccessError(f"{path}: {error.strerror}", hint="check who may read it") from None


class ArchiveStore:
    """A tar archive, plain or compressed (gzip, bzip2, xz; zstd where Python reads it). Nothing is unpacked to disk.

    Parameters
    ----------
    path : pathlib.Path
    report : Report
    """

    def __init__(self, path: Path, report: Report) -> None:
        self.path = path
        try:
            self._archive = tarfile.open(path)  # noqa: SIM115 - closed by close
        except PermissionError as error:
            raise AccessError(f"{path}: {error.strerror}", hint="check who may read it") from None
        except _DAMAGED:
            raise DecodeError(
                f"{path}: this is no tar archive that can be read (plain, gzip, bzip2 or xz)",
                hint="give a directory, an archive of one, or a .json cache config",
            ) from None
        self._members: dict[str, tarfile.TarInfo] = {}
        try:
            self._index(report)
        except BaseException:
            self.close()
            raise

    def _index(self, report: Report) -> None:
        """Note where every file is."""
        try:
            for number, member in enumerate(self._archive, 1):
                report(f"reading {self.path.name}", number, None)
                self._add(member)
        except _DAMAGED as error:
            raise DecodeError(
                f"{self.path}: the archive is cut off or damaged ({error})", hint="make it again"
            ) from None

    def _add(self, member: tarfile.TarInfo) -> None:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts:
            raise DecodeError(f"{self.path}: member {member.name!r} leads out of the archive", hint="do not trust it")
        if member.isfile():
            self._members[str(name)] = member

    def file(self, name: str) -> bytes | None:
        """Read a file beside the blobs; None if there is none."""
        member = self._members.get(name)
        return None if member is None else self._bytes(member)

    def read(self, digest: str) -> bytes:
        """Read a blob that is there."""
        return self._bytes(self._members[self._name(digest)])

    def size(self, digest: str) -> int | None:
        """Size of a blob in bytes; None if it is not there."""
        member = self._members.get(self._name(digest))
        return None if member is None else member.size

    def matches(self, digest: str) -> bool:
        """Tell whether the bytes of a blob that is there are those that its digest names."""
        file = self._archive.extractfile(self._members[self._name(digest)])
        return file is not None and _hashes_to(file, digest)

    def blobs(self) -> Mapping[str, int]:
        """Sizes in bytes of all blobs, by digest."""
        matches = ((_BLOB.fullmatch(name), member.size) for name, member in self._members.items())
        return {f"{match[1]}:{match[2]}": size for match, size in matches if match}

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()

    def _name(self, digest: str) -> str:
        return "blobs/" + "/".join(check_digest(digest))

    def _bytes(self, member: tarfile.TarInfo) -> bytes:
        if member.size > MAX_READ:
            raise DecodeError(f"{self.path}: {member.name} has {member.size:,} bytes, more than any config")
        try:
            file = self._archive.extractfile(member)
            return file.read() if file else b""
        except _DAMAGED as error:
            raise DecodeError(f"{self.path}: {member.name} cannot be read ({error})", hint="make it again") from None


def _hashes_to(file: IO[bytes], digest: str) -> bool:
    algorithm, digits = check_digest(digest)
    found = hashlib.new(algorithm)
    while chunk := file.read(1 << 20):
        found.update(chunk)
    return found.hexdigest() == digits
