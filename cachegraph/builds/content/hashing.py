"""Digests of files and folders, each computed once: in parallel, and kept between runs for files on disk."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from cachegraph.builds.content.known import KnownFiles
from cachegraph.builds.content.nodes import File, Folder, Node, Unreadable, by_bytes, digest_of, header
from cachegraph.builds.content.unknown import Unknown

__all__ = ["Hasher", "Limits", "everything"]

# Below this many bytes a file is hashed sooner than it is handed to a thread.
_LARGE = 64 * 1024
_WORKERS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be spent on content before it is unknown.

    Parameters
    ----------
    size : int
        Bytes hashed in all.
    files : int
        Files and folders looked at in all.
    seconds : float
        From the making of a `Hasher`.
    """

    size: int = 64 * 2**30
    files: int = 2_000_000
    seconds: float = 600.0


@dataclass(slots=True, kw_only=True)
class Hasher:
    """The digests of one build's trees.

    Parameters
    ----------
    known : KnownFiles
        Where digests of files on disk are kept between runs.
    limits : Limits
    """

    known: KnownFiles = field(default_factory=KnownFiles)
    limits: Limits = field(default_factory=Limits)
    _started: float = field(default_factory=time.monotonic)
    _size: int = 0
    _seen: int = 0
    # By identity of the node, which is kept beside its digest so that no other node gets the same identity.
    _digests: dict[int, tuple[Node, str | Unknown]] = field(default_factory=dict)

    def digest(self, node: Node) -> str | Unknown:
        """Hash a node with all that is in it."""
        kept = self._digests.get(id(node))
        if kept is not None:
            return kept[1]
        below: list[Node] = []
        for one in everything(node):
            below.append(one)
            if (spent := self._spent(1)) is not None:
                return spent
        self.prepare(below)
        for folder in reversed([one for one in below if isinstance(one, Folder)]):
            self._keep(folder, self._fold(folder))
        return self._digests[id(node)][1]

    def header(self, folder: Folder) -> str:
        """Hash the header of a folder alone."""
        return digest_of(header(folder))

    def prepare(self, nodes: Iterable[Node]) -> None:
        """Hash all of these that are no folders: large files in parallel, those known from before not at all."""
        read: list[tuple[File, bytes]] = []
        for node in nodes:
            if id(node) in self._digests or isinstance(node, Folder):
                continue
            if isinstance(node, Unreadable):
                self._keep(node, node.unknown)
            elif isinstance(node, File):
                read.append((node, header(node)))
            else:
                self._keep(node, digest_of(header(node)))
        wanted = []
        for node, head in read:
            digest = self.known.get(node.blob.identity, head)
            if digest is None:
                wanted.append((node, head))
            else:
                self._keep(node, digest)
        self._read(wanted)

    def _read(self, wanted: Sequence[tuple[File, bytes]]) -> None:
        """Hash bytes."""
        large = [one for one in wanted if one[0].blob.size >= _LARGE]
        with ThreadPoolExecutor(_WORKERS) as pool:
            answers = pool.map(self._hash, large)
            for node, head in wanted:
                if node.blob.size < _LARGE:
                    self._learn(node, head, self._hash((node, head)))
            for (node, head), digest in zip(large, answers, strict=True):
                self._learn(node, head, digest)
        self.known.write()

    def _hash(self, one: tuple[File, bytes]) -> str | Unknown:
        """Hash one file, if that is still within the limits."""
        node, head = one
        self._size += node.blob.size
        return self._spent(0) or node.blob.digest(head)

    def _learn(self, node: File, head: bytes, digest: str | Unknown) -> None:
        """Keep what was computed, for later runs as well."""
        self._keep(node, digest)
        if isinstance(digest, str):
            self.known.add(node.blob.identity, head, digest)

    def _keep(self, node: Node, digest: str | Unknown) -> None:
        self._digests[id(node)] = (node, digest)

    def _spent(self, more: int) -> Unknown | None:
        """Tell which limit is passed, if any."""
        self._seen += more
        if self._seen > self.limits.files:
            reason = f"more than {self.limits.files:,} files and folders would have to be hashed"
        elif self._size > self.limits.size:
            reason = f"more than {self.limits.size:,} bytes would have to be hashed"
        elif time.monotonic() - self._started > self.limits.seconds:
            reason = f"hashing took more than {self.limits.seconds:g} seconds"
        else:
            return None
        return Unknown(because="budget", reason=f"{reason}; leave files out with .dockerignore, or raise the limit")

    def _fold(self, folder: Folder) -> str | Unknown:
        """Hash a folder whose children are done: its header, then each child's name and digest."""
        listed = bytearray(b"\0" + self.header(folder).encode())
        for name, child in _listed(folder):
            digest = self._digests[id(child)][1]
            if isinstance(digest, Unknown):
                return digest
            listed += name + digest.encode()
        return digest_of(bytes(listed))


def everything(top: Node) -> Iterator[Node]:
    """Give a node and all that is in it, each folder before what is in it."""
    waiting = [top]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Folder):
            waiting.extend(node.children.values())


def _listed(folder: Folder) -> Iterator[tuple[bytes, Node]]:
    """Give the children by name in BuildKit's order.

    BuildKit passes over what is in a child folder by jumping to the first key behind the folder's, a zero and a byte
    255, so that a name in there that begins with that byte is listed once more, beside its folder.
    """
    waiting = [(b"\0" + os.fsencode(name), folder.children[name]) for name in reversed(by_bytes(folder.children))]
    while waiting:
        name, child = waiting.pop()
        yield name, child
        if isinstance(child, Folder):
            again = reversed(by_bytes(below for below in child.children if below.startswith("\udcff")))
            waiting.extend((name + b"\0" + os.fsencode(below), child.children[below]) for below in again)
