"""Files, folders and links as BuildKit hashes them, wherever they come from.

A tree is a `Folder`: its own header, and its children by name. Trees are never changed; what a file operation makes is
a new tree that shares what stayed the same. Names are text as `os.fsdecode` makes it, so that all bytes survive.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from types import MappingProxyType
from typing import BinaryIO, Protocol, TypeAlias

from cachegraph.builds.content.known import Identity
from cachegraph.builds.content.unknown import Unknown

__all__ = [
    "START",
    "UNREADABLE",
    "Blob",
    "Bytes",
    "File",
    "Folder",
    "Link",
    "Metadata",
    "Node",
    "Special",
    "Unreadable",
    "by_bytes",
    "child",
    "digest_of",
    "header",
    "read_blob",
    "read_start",
    "scratch",
    "with_metadata",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What stands in the header of every kind of node.

    Parameters
    ----------
    mode : int
        Permission bits with set-user-id (0o4000), set-group-id (0o2000) and sticky (0o1000).
    uid, gid : int
        0 for all that comes from a local folder: the client resets them.
    xattrs : tuple of (str, bytes)
        All that the file has; `header` leaves out those that BuildKit does not hash.
    """

    mode: int
    uid: int = 0
    gid: int = 0
    xattrs: tuple[tuple[str, bytes], ...] = ()


START = 4
"""As many bytes of a file tell what kind of program it is."""


class Blob(Protocol):
    """The bytes of a file, read when they are needed."""

    @property
    def size(self) -> int:
        """Length in bytes, as the header says it."""

    @property
    def identity(self) -> Identity | None:
        """By which a digest may be kept between runs, or None."""

    def digest(self, header: bytes) -> str | Unknown:
        """Hash a header and these bytes: ``sha256:...``, or why they cannot be read."""

    def open(self) -> BinaryIO | Unknown:
        """Open it to be read once, from its start."""

    def start(self) -> bytes | Unknown:
        """Read its first `START` bytes."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes at hand."""

    data: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)

    @property
    def identity(self) -> None:
        """Nothing is kept of bytes at hand."""
        return

    def digest(self, header: bytes) -> str:
        """Hash a header and these bytes."""
        return digest_of(header + self.data)

    def open(self) -> BinaryIO:
        """Open them."""
        return BytesIO(self.data)

    def start(self) -> bytes:
        """Give the first of them."""
        return self.data[:START]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class File:
    """A regular file; a hard link is one too, since BuildKit hashes it as what it links to."""

    metadata: Metadata
    blob: Blob


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Link:
    """A symbolic link."""

    metadata: Metadata
    target: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Special:
    """A FIFO (``6``) or a device (character ``3``, block ``4``), by its type flag in tar. A socket is an empty file."""

    metadata: Metadata
    flag: str
    major: int = 0
    minor: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Folder:
    """A folder. Only who made it and gave it to nobody yet may change it (`cachegraph.builds.content.editing`).

    Parameters
    ----------
    metadata : Metadata or None
        None for the top of a local source, whose own mode BuildKit does not know: its header is empty.
    children : mapping of str to Node
        In any order; may be read from disk when it is first used.
    """

    metadata: Metadata | None
    children: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Unreadable:
    """Something whose kind or content cannot be known; what selects it is unknown."""

    unknown: Unknown


UNREADABLE = ""
"""The name under which a folder that cannot be read holds the one `Unreadable` that is known of it."""

Node: TypeAlias = File | Link | Special | Folder | Unreadable

_EMPTY: Mapping[str, Node] = MappingProxyType({})
# Neither containers' own nor the kernel's: the one exception holds what setcap wrote.
_NOT_HASHED = ("security.", "system.")
_HASHED = "security.capability"


class LateChildren(Mapping[str, Node]):
    """What is in a folder, found out when it is first looked at."""

    __slots__ = ("_found",)

    _found: dict[str, Node]

    @abstractmethod
    def scan(self) -> Iterator[tuple[str, Node]]:
        """Find it out."""

    def _read(self) -> dict[str, Node]:
        try:
            return self._found
        except AttributeError:
            self._found = dict(self.scan())
            return self._found

    def __getitem__(self, name: str) -> Node:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def child(folder: Folder, name: str) -> Node | None:
    """Look a name up; in a folder that cannot be read, every name is `Unreadable`."""
    return folder.children.get(name) or folder.children.get(UNREADABLE)


def with_metadata(node: Node, metadata: Metadata) -> Node:
    """Give a node another header."""
    match node:
        case File():
            return File(metadata=metadata, blob=node.blob)
        case Link():
            return Link(metadata=metadata, target=node.target)
        case Special():
            return Special(metadata=metadata, flag=node.flag, major=node.major, minor=node.minor)
        case Folder():
            return Folder(metadata=metadata, children=node.children)
        case Unreadable():
            return node


def scratch() -> Folder:
    """Make the empty tree that operations on scratch begin with: the snapshotter's folder, mode 0755."""
    return Folder(metadata=Metadata(mode=0o755), children=_EMPTY)


def digest_of(data: bytes) -> str:
    """Write a digest as BuildKit does."""
    return "sha256:" + sha256(data).hexdigest()


def read_blob(blob: Blob, limit: int) -> bytes | Unknown:
    """Read the bytes of a file whole, if they are at most `limit`."""
    if blob.size > limit:
        return Unknown(because="budget", reason=f"{blob.size:,} bytes, and at most {limit:,} are read here")
    return _read(blob, limit)


def read_start(blob: Blob) -> bytes | Unknown:
    """Open a file to read its first `START` bytes."""
    return _read(blob, START)


def _read(blob: Blob, count: int) -> bytes | Unknown:
    opened = blob.open()
    if isinstance(opened, Unknown):
        return opened
    with opened:
        try:
            return opened.read(count)
        except OSError as error:
            return Unknown(because="unreadable", reason=error.strerror or str(error))


def by_bytes(names: Iterable[str]) -> list[str]:
    """Sort names as BuildKit does: by the bytes on disk."""
    return sorted(names, key=os.fsencode)


def header(node: File | Link | Special | Folder) -> bytes:
    """Write what BuildKit hashes before the bytes of a file (``cache/contenthash``: ``WriteV1TarsumHeaders``).

    The name is empty, and times are left out.
    """
    size, flag, linkname, major, minor = 0, "0", b"", 0, 0
    match node:
        case File():
            size = node.blob.size
        case Link():
            flag, linkname = "2", os.fsencode(node.target)
        case Special():
            flag, major, minor = node.flag, node.major, node.minor
        case Folder():
            flag = "5"
    metadata = node.metadata
    if metadata is None:
        return b""
    fields = (
        f"namemode{metadata.mode}uid{metadata.uid}gid{metadata.gid}size{size}typeflag{flag}linkname".encode()
        + linkname
        + f"unamegnamedevmajor{major}devminor{minor}".encode()
    )
    if not metadata.xattrs:
        return fields
    kept = sorted(
        (os.fsencode(name), value)
        for name, value in metadata.xattrs
        if name == _HASHED or not name.startswith(_NOT_HASHED)
    )
    return fields + b"".join(name + value for name, value in kept)
