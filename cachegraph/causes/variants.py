"""What else a build could have been: its files under another umask, its content with other folders of the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cachegraph.builds.content.nodes import File, Folder, Metadata, Node, with_metadata
from cachegraph.builds.content.selection import Selection
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.operations import LocalOrigin, Operation
from cachegraph.builds.trees import FilesOver, Tree, Trees

__all__ = ["UMASKS", "content_with", "local_origins", "with_mode", "with_modes"]

UMASKS: Mapping[str, Callable[[int], int]] = {
    "chmod -R g-w": lambda mode: mode & ~0o020,
    "chmod -R go-w": lambda mode: mode & ~0o022,
    "chmod -R g+w": lambda mode: mode | (mode & 0o200) >> 3,
    "chmod -R go+rX": lambda mode: mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6,
    "git's own modes, 644 and 755": lambda mode: 0o755 if mode & 0o100 else 0o644,
}
"""What files may have been checked out with, by what brings it about."""


def with_modes(tree: Folder, change: Callable[[int], int]) -> Folder:
    """Change the modes of all that is in a tree."""
    return Folder(metadata=tree.metadata and _changed(tree.metadata, change), children=_Children(tree, change))


def with_mode(tree: Folder, path: str, mode: int) -> Folder:
    """Change the mode of one file or folder.

    Parameters
    ----------
    tree : Folder
    path : str
        Without a slash in front; what is not there, or lies behind a link, is left alone.
    mode : int
    """
    name, _, rest = path.partition("/")
    node = tree.children.get(name)
    if rest and isinstance(node, Folder):
        node = with_mode(node, rest, mode)
    elif not rest and isinstance(node, File | Folder) and node.metadata is not None:
        node = with_metadata(node, replace(node.metadata, mode=mode))
    else:
        return tree
    return Folder(metadata=tree.metadata, children={**tree.children, name: node})


def _changed(metadata: Metadata, change: Callable[[int], int]) -> Metadata:
    return replace(metadata, mode=change(metadata.mode))


@dataclass(slots=True, eq=False)
class _Children(Mapping[str, Node]):
    """What is in a folder, with other modes."""

    folder: Folder
    change: Callable[[int], int]
    _found: dict[str, Node] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Node:
        if name not in self._found:
            node = self.folder.children[name]
            if isinstance(node, Folder):
                node = with_modes(node, self.change)
            elif isinstance(node, File):
                node = with_metadata(node, _changed(node.metadata, self.change))
            self._found[name] = node
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.folder.children)

    def __len__(self) -> int:
        return len(self.folder.children)


@dataclass(slots=True, kw_only=True)
class _Instead(FilesOver):
    """Files, with other trees for some folders of the client."""

    trees: Mapping[str, Folder]

    def local(self, origin: LocalOrigin) -> Tree:
        return self.trees[origin.name] if origin.name in self.trees else self.files.local(origin)


def content_with(
    trees: Trees, operation: Operation, selections: Sequence[Selection], folders: Mapping[str, Folder]
) -> str | Unknown:
    """Hash what is selected of an operation's files, had the client other folders.

    Parameters
    ----------
    trees : Trees
        The build's own.
    operation : Operation
    selections : sequence of Selection
    folders : mapping of str to Folder
        By the name of the local source.
    """
    other = Trees(files=_Instead(files=trees.files, trees=folders), hasher=trees.hasher)
    return other.content(operation, selections)


def local_origins(operation: Operation) -> dict[str, LocalOrigin]:
    """Find the folders of the client that an operation's files come from."""
    found: dict[str, LocalOrigin] = {}
    seen: set[str] = set()
    waiting = [operation]
    while waiting:
        one = waiting.pop()
        if one.identity in seen:
            continue
        seen.add(one.identity)
        if isinstance(one.origin, LocalOrigin):
            found[one.origin.name] = one.origin
        elif one.op.file or one.op.merge:
            waiting += one.inputs
    return found
