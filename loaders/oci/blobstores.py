"""Where the files of an image layout lie: a directory or an archive, read only, and no name leads out of it."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from cachegraph.core.progress import Report
from cachegraph.errors import DecodeError
from cachegraph.loaders.archives import Archive
from cachegraph.loaders.limits import Limits
from cachegraph.loaders.oci.manifests import check_digest
from cachegraph.loaders.paths import kind_of, open_file, read_file, refused

__all__ = ["ArchiveStore", "BlobStore", "DirectoryStore"]

_BLOB = re.compile(r"blobs/(sha256|sha512)/([0-9a-f]+)")
_INDEX = "index.json"
_RIGHTS = "check who may read it"
_CHUNK = 1 << 20


class BlobStore(Protocol):
    """The files of an image layout."""

    def file(self, name: str) -> bytes | None:
        """Read a file beside the blobs; None if there is none."""

    def read(self, digest: str) -> bytes:
        """Read a blob that is there."""

    def size(self, digest: str) -> int | None:
        """Size of a blob in bytes; None if it is not there."""

    def chunks(self, digest: str) -> Iterator[bytes]:
        """Read a blob that is there in pieces, however large."""

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
    limits : Limits
    """

    def __init__(self, root: Path, limits: Limits) -> None:
        self._limits = limits
        try:
            self.root = root.resolve()
        except (OSError, RuntimeError, ValueError):
            raise DecodeError(f"{root} is a link that leads nowhere") from None

    def file(self, name: str) -> bytes | None:
        """Read a file beside the blobs; None if there is none."""
        path = self._inside(self.root / name)
        return self._bytes(path) if kind_of(path) == "file" else None

    def read(self, digest: str) -> bytes:
        """Read a blob that is there."""
        return self._bytes(self._path(digest))

    def size(self, digest: str) -> int | None:
        """Size of a blob in bytes; None if it is not there."""
        return _size(self._path(digest))

    def chunks(self, digest: str) -> Iterator[bytes]:
        """Read a blob that is there in pieces, however large."""
        path = self._path(digest)
        with open_file(path, str(path), _RIGHTS) as file:
            yield from iter(lambda: file.read(_CHUNK), b"")

    def matches(self, digest: str) -> bool:
        """Tell whether the bytes of a blob that is there are those that its digest names."""
        return _hashes_to(self.chunks(digest), digest)

    def blobs(self) -> Mapping[str, int]:
        """Sizes in bytes of all blobs, by digest."""
        found = {}
        try:
            for path in self.root.glob("blobs/*/*"):
                match = _BLOB.fullmatch(path.relative_to(self.root).as_posix())
                size = _size(path) if match and not path.is_symlink() else None
                if match and size is not None:
                    found[f"{match[1]}:{match[2]}"] = size
        except OSError as error:
            raise refused(error, str(self.root / "blobs"), _RIGHTS) from None
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
        except (OSError, RuntimeError, ValueError):  # a link to itself
            raise DecodeError(f"{path.name} is a link that leads nowhere") from None
        if not real.is_relative_to(self.root):
            raise DecodeError(
                f"{path.name} is a link that leads out of the directory", hint="copy the blob itself there"
            )
        return real

    def _bytes(self, path: Path) -> bytes:
        return read_file(path, str(path), limit=self._limits.file_bytes, name="file_bytes", hint=_RIGHTS)


def _size(path: Path) -> int | None:
    """Size of a regular file; None for anything else, a fifo or a device included."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


class ArchiveStore:
    """A tar archive of a layout, or of a folder that is one; see `cachegraph.loaders.archives`.

    Parameters
    ----------
    path : pathlib.Path
    report : Report
    limits : Limits
    place : str, optional
        What errors call it, if not by its path.
    """

    def __init__(self, path: Path, report: Report, limits: Limits, place: str | None = None) -> None:
        self._archive = Archive(path, report, limits, place)
        self._folder = "" if _INDEX in self._archive else self._top_folder()

    def _top_folder(self) -> str:
        """Find the one folder that is a layout: ``tar c cache`` packs the folder, not what is in it."""
        names = [name for name, _ in self._archive.sizes() if name.endswith(f"/{_INDEX}") and "/blobs/" not in name]
        return names[0].removesuffix(_INDEX) if len(names) == 1 else ""

    def file(self, name: str) -> bytes | None:
        """Read a file beside the blobs; None if there is none."""
        path = self._folder + name
        return self._archive.read(path) if path in self._archive else None

    def read(self, digest: str) -> bytes:
        """Read a blob that is there."""
        return self._archive.read(self._name(digest))

    def size(self, digest: str) -> int | None:
        """Size of a blob in bytes; None if it is not there."""
        return self._archive.size(self._name(digest))

    def chunks(self, digest: str) -> Iterator[bytes]:
        """Read a blob that is there in pieces, however large."""
        return self._archive.chunks(self._name(digest))

    def matches(self, digest: str) -> bool:
        """Tell whether the bytes of a blob that is there are those that its digest names."""
        return _hashes_to(self.chunks(digest), digest)

    def blobs(self) -> Mapping[str, int]:
        """Sizes in bytes of all blobs, by digest."""
        within = ((name.removeprefix(self._folder), size) for name, size in self._archive.sizes())
        matches = ((_BLOB.fullmatch(name), size) for name, size in within)
        return {f"{match[1]}:{match[2]}": size for match, size in matches if match}

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()

    def _name(self, digest: str) -> str:
        return f"{self._folder}blobs/" + "/".join(check_digest(digest))


def _hashes_to(chunks: Iterable[bytes], digest: str) -> bool:
    algorithm, digits = check_digest(digest)
    found = hashlib.new(algorithm)
    for chunk in chunks:
        found.update(chunk)
    return found.hexdigest() == digits
