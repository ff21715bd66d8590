"""A local folder as the client sends it to BuildKit: ``session/filesync``, fsutil's ``filterFS`` and ``mkstat``.

Folders are read when they are first looked into, so what nothing copies is never walked. Nothing is followed out of the
folder: links are taken as links, and a file is only read if it is the very one that was found.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from cachegraph.builds.content.ignored import without_ignored
from cachegraph.builds.content.known import Identity
from cachegraph.builds.content.nodes import (
    UNREADABLE,
    Bytes,
    File,
    Folder,
    LateChildren,
    Link,
    Metadata,
    Node,
    Special,
    Unreadable,
    read_start,
)
from cachegraph.builds.content.unknown import Unknown
from cachegraph.errors import AccessError, NotFoundError, SourceError

__all__ = ["DiskFile", "local_tree"]

_CHUNK = 1 << 20
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_APPLE = "com.apple."


def local_tree(path: str | os.PathLike[str], ignore: tuple[str, ...] = ()) -> Folder:
    """Open a folder as a local source.

    Parameters
    ----------
    path : path-like
        The context; a link to a folder is followed here, and nowhere below.
    ignore : tuple of str
        Patterns, as `cachegraph.builds.content.ignore` reads them.

    Returns
    -------
    Folder
        Without a header of its own; its children are read from disk when they are first looked at.

    Raises
    ------
    NotFoundError, AccessError, SourceError
        There is no such folder.
    BadPatternError
        A pattern that BuildKit refuses.
    """
    top = Path(path)
    try:
        found = top.stat()
    except FileNotFoundError:
        raise NotFoundError(f"{top}: no such folder", hint="name the build context") from None
    except PermissionError as error:
        raise AccessError(f"{top}: {error.strerror}") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{top}: {getattr(error, 'strerror', error)}") from None
    if not stat.S_ISDIR(found.st_mode):
        raise SourceError(f"{top}: not a folder", hint="the build context is a folder")
    place = _Place(os.path.realpath(top), found.st_dev, found.st_ino)
    return without_ignored(Folder(metadata=None, children=_Children(place)), ignore)


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file on disk, as it was found."""

    path: str
    identity: Identity

    @property
    def size(self) -> int:
        """Length in bytes, when it was found."""
        return self.identity.size

    def digest(self, header: bytes) -> str | Unknown:
        """Hash a header and the file."""
        opened = self.open()
        if isinstance(opened, Unknown):
            return opened
        hashed, left = sha256(header), self.size
        with opened:
            try:
                while left > 0 and (chunk := opened.read(min(_CHUNK, left))):
                    hashed.update(chunk)
                    left -= len(chunk)
                if left or not self._is_same(os.fstat(opened.fileno())):
                    return self._unknown("it changed while it was read; ask again")
            except OSError as error:
                return self._unknown(error.strerror or str(error))
        return "sha256:" + hashed.hexdigest()

    def open(self) -> BinaryIO | Unknown:
        """Open it, if it is still the file that was found."""
        try:
            handle = os.open(self.path, _OPEN)
        except OSError as error:
            return self._unknown(error.strerror or str(error))
        if not self._is_same(os.fstat(handle)):
            os.close(handle)
            return self._unknown("it changed while the context was read; ask again")
        return open(handle, "rb", buffering=0)  # noqa: PTH123 - a handle has no path

    def start(self) -> bytes | Unknown:
        """Read its first bytes."""
        return read_start(self)

    def _is_same(self, found: os.stat_result) -> bool:
        return stat.S_ISREG(found.st_mode) and _identity(found) == self.identity

    def _unknown(self, why: str) -> Unknown:
        return Unknown(because="unreadable", reason=f"{shown(self.path)}: {why}")


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder on disk, as it was found."""

    path: str
    device: int
    inode: int

    def open(self) -> int:
        """Open it, if it is still the folder that was found and not a link that took its place."""
        handle = os.open(self.path, _OPEN | os.O_DIRECTORY)
        found = os.fstat(handle)
        if (found.st_dev, found.st_ino) != (self.device, self.inode):
            os.close(handle)
            raise OSError(errno.ESTALE, "it changed while the context was read; ask again")
        return handle


@dataclass(slots=True, eq=False)
class _Children(LateChildren):
    """What is in a folder on disk."""

    place: _Place

    def scan(self) -> Iterator[tuple[str, Node]]:
        """Read the folder; one that cannot be read makes all that takes it in unknown."""
        try:
            handle = self.place.open()
        except OSError as error:
            yield UNREADABLE, Unreadable(_cannot(self.place.path, error))
            return
        try:
            with os.scandir(handle) as entries:
                for entry in entries:
                    node = self._node(entry, handle)
                    if node is not None:
                        yield entry.name, node
        except OSError as error:
            yield UNREADABLE, Unreadable(_cannot(self.place.path, error))
        finally:
            os.close(handle)

    def _node(self, entry: os.DirEntry[str], handle: int) -> Node | None:
        """Look at one name."""
        disk = f"{self.place.path}/{entry.name}"
        try:
            found = entry.stat(follow_symlinks=False)
            metadata = Metadata(mode=stat.S_IMODE(found.st_mode), xattrs=_xattrs(disk))
            kind = stat.S_IFMT(found.st_mode)
            if kind == stat.S_IFREG:
                return File(metadata=metadata, blob=DiskFile(disk, _identity(found)))
            if kind == stat.S_IFDIR:
                place = _Place(disk, found.st_dev, found.st_ino)
                return Folder(metadata=metadata, children=_Children(place))
            if kind == stat.S_IFLNK:
                return Link(metadata=metadata, target=os.readlink(entry.name, dir_fd=handle))
        except FileNotFoundError:
            return None
        except OSError as error:
            return Unreadable(_cannot(disk, error))
        if kind == stat.S_IFSOCK:
            return File(metadata=metadata, blob=Bytes(b""))
        if kind == stat.S_IFIFO:
            return Special(metadata=metadata, flag="6")
        flag = "3" if kind == stat.S_IFCHR else "4"
        return Special(metadata=metadata, flag=flag, major=os.major(found.st_rdev), minor=os.minor(found.st_rdev))


def shown(path: str) -> str:
    """Write a path so that a terminal can show it."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _identity(found: os.stat_result) -> Identity:
    return Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _cannot(path: str, error: OSError) -> Unknown:
    return Unknown(because="unreadable", reason=f"{shown(path)}: {error.strerror or error}")


def _xattrs(path: str) -> tuple[tuple[str, bytes], ...]:
    """Read the extended attributes that the client sends (fsutil: ``loadXattr``)."""
    if not hasattr(os, "listxattr"):
        return ()
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return ()
        raise
    kept = (name for name in names if not name.startswith(_APPLE))
    return tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in kept)
