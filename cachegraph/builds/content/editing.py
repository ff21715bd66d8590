"""Making a new tree from an old one: only the folders that change are made anew, all others are shared."""

from __future__ import annotations

from cachegraph.builds.content.nodes import Folder, Metadata, Node, Unreadable, child, scratch
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find

__all__ = ["Editor", "Stopped", "refuse"]


class Stopped(Exception):  # noqa: N818 - it never leaves this package
    """The tree that would come out cannot be known."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.reason)
        self.unknown = unknown


def refuse(reason: str) -> Stopped:
    """Say that BuildKit ends the build here."""
    return Stopped(Unknown(because="refused", reason=reason))


class Editor:
    """A tree that is being made.

    Parameters
    ----------
    tree : Folder
        Where it begins; it stays as it is.
    """

    def __init__(self, tree: Folder) -> None:
        metadata = tree.metadata or scratch().metadata
        self.tree = Folder(metadata=metadata, children=dict(tree.children))
        self._own = {id(self.tree): self.tree}

    def resolve(self, path: str) -> tuple[str, Node | None]:
        """Follow the links of a path; what is not there yet stays as it is said."""
        found = find(self.tree, path, follow=True)
        if isinstance(found, Unknown):
            raise Stopped(found)
        if isinstance(found[1], Unreadable):
            raise Stopped(found[1].unknown)
        return found

    def get(self, folder: Folder, name: str) -> Node | None:
        """Look up a name."""
        node = child(folder, name)
        if isinstance(node, Unreadable):
            raise Stopped(node.unknown)
        return node

    def put(self, folder: Folder, name: str, node: Node) -> None:
        """Put something into a folder of one's own, in place of what is there."""
        children = folder.children
        if not isinstance(children, dict) or id(folder) not in self._own:
            raise TypeError("only a folder of one's own can be changed")
        children[name] = node

    def drop(self, folder: Folder, name: str) -> None:
        """Take a name out of a folder of one's own."""
        kept = {other: node for other, node in folder.children.items() if other != name}
        folder.children = kept

    def own(self, folder: Folder, name: str) -> Folder:
        """Make the folder of this name, which is there, one's own."""
        node = self.get(folder, name)
        if not isinstance(node, Folder):
            raise refuse(f"{name}: not a folder")
        if id(node) not in self._own:
            node = Folder(metadata=node.metadata, children=dict(node.children))
            self._own[id(node)] = node
            self.put(folder, name, node)
        return node

    def add(self, folder: Folder, name: str, metadata: Metadata) -> Folder:
        """Make an empty folder."""
        made = Folder(metadata=metadata, children={})
        self._own[id(made)] = made
        self.put(folder, name, made)
        return made

    def open(self, path: str) -> Folder:
        """Make the folder of a path, which is there and has no links, one's own."""
        folder = self.tree
        for name in _names(path):
            folder = self.own(folder, name)
        return folder

    def make_folders(self, path: str, metadata: Metadata) -> Folder:
        """Make a folder and those above it that are not there (fsutil: ``MkdirAll``); `path` has no links."""
        folder = self.tree
        for name in _names(path):
            there = self.get(folder, name)
            if there is None:
                folder = self.add(folder, name, metadata)
            elif isinstance(there, Folder):
                folder = self.own(folder, name)
            else:
                raise refuse(f"{path}: {name} is not a folder")
        return folder


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name]
