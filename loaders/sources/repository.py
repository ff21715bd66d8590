"""A git repository on disk, by its objects: the files of a commit as a checkout makes them."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Self

from cachegraph.builds.content.nodes import (
    START,
    UNREADABLE,
    File,
    Folder,
    LateChildren,
    Link,
    Metadata,
    Node,
    Unreadable,
    digest_of,
)
from cachegraph.builds.content.unknown import Unknown
from cachegraph.errors import NotFoundError, SourceError
from cachegraph.loaders.sources.git import run_git
from cachegraph.loaders.sources.objects import GitObjects

__all__ = ["Repository", "fetched", "temporary_folder"]

_FOLDER, _LINK, _SUBMODULE = 0o40000, 0o120000, 0o160000
# What a checkout makes of bytes: only these words in .gitattributes change them on Linux.
_CONVERTS = re.compile(rb"eol=crlf|working-tree-encoding|\bident\b|\bfilter=")


class Repository:
    """A repository on disk. Close it after use; it is its own context manager.

    Parameters
    ----------
    git_dir : path-like
        The repository itself: ``.git``, or a bare one.
    """

    def __init__(self, git_dir: str | os.PathLike[str]) -> None:
        self.git_dir = Path(git_dir)
        self._nodes: dict[tuple[str, int], Node] = {}

    @classmethod
    def around(cls, folder: str | os.PathLike[str]) -> tuple[Self, str]:
        """Find the repository that a folder is in.

        Returns
        -------
        repository : Repository
        prefix : str
            The folder's path in there, ``""`` for the top.

        Raises
        ------
        NotFoundError
            No repository, or no git.
        SourceError
        """
        try:
            found = run_git("rev-parse", "--absolute-git-dir", "--show-prefix", folder=folder)
        except SourceError as error:
            raise NotFoundError(f"{folder}: not in a git repository ({error.message})") from None
        git_dir, _, prefix = os.fsdecode(found).rstrip("\n").partition("\n")
        return cls(git_dir), prefix.strip("/")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes that read objects."""
        for name in ("_objects", "_sizes"):
            objects = self.__dict__.pop(name, None)
            if objects is not None:
                objects.close()

    def run(self, *arguments: str, timeout: float = 60.0) -> bytes:
        """Run git in this repository."""
        return run_git(f"--git-dir={self.git_dir}", *arguments, timeout=timeout)

    @cached_property
    def _objects(self) -> GitObjects:
        return GitObjects(self.git_dir)

    @cached_property
    def _sizes(self) -> GitObjects:
        return GitObjects(self.git_dir, with_bytes=False)

    def resolve(self, revision: str) -> str:
        """Give the commit of a revision.

        Raises
        ------
        NotFoundError
            There is none of this name.
        """
        try:
            found = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except SourceError:
            raise NotFoundError(f"{revision}: no such revision", hint="git log lists them") from None
        return found.decode().strip()

    def read(self, name: str) -> bytes:
        """Read an object.

        Raises
        ------
        NotFoundError
        """
        found = self._objects.ask(name)
        if found is None:
            raise NotFoundError(f"{name}: no such object in {self.git_dir}", hint="is the clone shallow?")
        return found[2]

    def size(self, name: str) -> int:
        """Give the size of an object in bytes.

        Raises
        ------
        NotFoundError
        """
        found = self._sizes.ask(name)
        if found is None:
            raise NotFoundError(f"{name}: no such object in {self.git_dir}", hint="is the clone shallow?")
        return found[1]

    def tree(self, commit: str, folder: str = "", *, is_context: bool = False) -> Folder | Unknown:
        """Give the files of a commit as a checkout makes them: files 0644 or 0755, folders 0755.

        Parameters
        ----------
        commit : str
            Its whole hash.
        folder : str
            A folder in it.
        is_context : bool
            The client sends the checkout as a folder, whose own header is not known.

        Raises
        ------
        SourceError
        """
        found = self._objects.ask(f"{commit}:{folder}")
        if found is None or found[0] != "tree":
            return Unknown(because="refused", reason=f"commit {commit[:12]} has no folder {folder or '/'}")
        metadata = None if is_context else Metadata(mode=0o755)
        return Folder(metadata=metadata, children=_Children(self, found[2]))

    def node(self, identity: str, mode: int) -> Node:
        """Give the file, link or folder of an object; the same for all commits."""
        key = (identity, mode)
        if key not in self._nodes:
            self._nodes[key] = self._make(identity, mode)
        return self._nodes[key]

    def _make(self, identity: str, mode: int) -> Node:
        kind = mode & 0o170000
        if kind == _FOLDER:
            return Folder(metadata=Metadata(mode=0o755), children=_Children(self, None, identity))
        if kind == _SUBMODULE:
            return Unreadable(Unknown(because="remote", reason=f"the submodule at {identity[:12]} was not fetched"))
        if kind == _LINK:
            return Link(metadata=Metadata(mode=0o777), target=os.fsdecode(self.read(identity)))
        return File(metadata=Metadata(mode=0o755 if mode & 0o100 else 0o644), blob=_GitBlob(self, identity))


class _GitBlob:
    """A file's bytes in a repository."""

    def __init__(self, repository: Repository, object_name: str) -> None:
        self._repository = repository
        self.object_name = object_name

    @cached_property
    def size(self) -> int:
        """Length in bytes."""
        return self._repository.size(self.object_name)

    @property
    def identity(self) -> None:
        """Nothing is kept between runs."""
        return

    def digest(self, header: bytes) -> str:
        """Hash a header and the file."""
        return digest_of(header + self._repository.read(self.object_name))

    def open(self) -> BinaryIO:
        """Open it."""
        return BytesIO(self._repository.read(self.object_name))

    def start(self) -> bytes:
        """Read its first bytes."""
        return self._repository.read(self.object_name)[:START]


@dataclass(slots=True, eq=False)
class _Children(LateChildren):
    """What is in a folder of a commit."""

    repository: Repository
    data: bytes | None
    object_name: str = ""

    def scan(self) -> Iterator[tuple[str, Node]]:
        """Read the folder; where git converts files at checkout, what they become is not known."""
        data = self.repository.read(self.object_name) if self.data is None else self.data
        width = len(self.object_name) // 2 if self.object_name else _hash_width(data)
        for name, mode, identity in _entries(data, width):
            node = self.repository.node(identity, mode)
            yield name, node
            if name == ".gitattributes" and isinstance(node, File) and _CONVERTS.search(self.repository.read(identity)):
                reason = ".gitattributes has git convert files at checkout"
                yield UNREADABLE, Unreadable(Unknown(because="remote", reason=reason))


def _hash_width(data: bytes) -> int:
    """Tell SHA-1 from SHA-256 by which of them the entries of a folder add up with."""
    for width in (20, 32):
        try:
            if all(name for name, _, _ in _entries(data, width)):
                return width
        except ValueError:
            continue
    return 20


def _entries(data: bytes, width: int) -> Iterator[tuple[str, int, str]]:
    """Read a folder: name, mode and object of each entry.

    Raises
    ------
    ValueError
        It is no folder with hashes of this width.
    """
    place = 0
    while place < len(data):
        space = data.index(b" ", place)
        end = data.index(b"\0", space)
        stop = end + 1 + width
        if stop > len(data):
            raise ValueError("cut off")
        yield os.fsdecode(data[space + 1 : end]), int(data[place:space], 8), data[end + 1 : stop].hex()
        place = stop


def fetched(remote: str, commit: str, name: str, scratch: Path, *, timeout: float) -> Repository:
    """Fetch one commit into a new repository without its history.

    Parameters
    ----------
    remote : str
    commit : str
    name : str
        The reference that names it, which is asked for where the server does not give commits by their hash.
    scratch : pathlib.Path
        An empty folder.
    timeout : float
        Seconds.

    Raises
    ------
    SourceError
    """
    run_git("init", "--quiet", "--bare", os.fspath(scratch), timeout=timeout)
    repository = Repository(scratch)
    names = [commit, name] if name and name != commit else [commit]
    # A server of plain files knows no shallow clones, and some give no commits by their hash.
    tries = [(depth, what) for depth in (["--depth=1"], []) for what in names]
    for number, (depth, what) in enumerate(tries, 1):
        try:
            repository.run("fetch", "--quiet", *depth, "--no-tags", "--", remote, what, timeout=timeout)
            break
        except SourceError:
            if number == len(tries):
                raise
    return repository


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Make a folder for a fetched repository, which goes with the object."""
    return tempfile.TemporaryDirectory(prefix="cachegraph-git-", ignore_cleanup_errors=True)
