"""What COPY and ADD make of a tree: github.com/tonistiigi/fsutil, ``copy``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from cachegraph.builds.content.editing import Editor, refuse
from cachegraph.builds.content.nodes import (
    File,
    Folder,
    Link,
    Metadata,
    Node,
    Special,
    Unreadable,
    by_bytes,
    with_metadata,
)
from cachegraph.builds.content.owners import Ids
from cachegraph.builds.content.patterns import Matched, Patterns
from cachegraph.builds.content.selection import clean

__all__ = ["FOLDER", "Copier"]

FOLDER = Metadata(mode=0o755)
"""What a new folder has by default."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Target:
    """A folder that is copied to, made when the first thing is put into it (``createParentDirs``)."""

    source: Folder
    above: _Target | None
    name: str
    made: Folder | None
    # Something else stands in its place, which may not be looked into.
    blocked: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    """Something to copy: below the source's top, to a name in a folder."""

    node: Node
    below: str
    target: _Target
    name: str
    include_matched: Matched
    exclude_matched: Matched


@dataclass(frozen=True, slots=True, kw_only=True)
class Copier:
    """A copy with its options.

    Parameters
    ----------
    editor : Editor
        The tree that is copied to.
    owner : (int, int) or None
        None keeps who files belong to.
    mode : callable or None
        Gives the new mode from the old one and whether it is a folder's; None keeps it.
    include, exclude : Patterns or None
    replaces : bool
        Something of another kind at the target is taken away first; else BuildKit ends the build.
    """

    editor: Editor
    owner: Ids | None
    mode: Callable[[int, bool], int] | None
    include: Patterns | None
    exclude: Patterns | None
    replaces: bool

    @property
    def is_plain(self) -> bool:
        """Whether all is copied as it is, so that new folders can be shared with the source."""
        return self.owner is None and self.mode is None and self.include is None and self.exclude is None

    def copy(self, node: Node, folder: str, name: str) -> None:
        """Copy a node to a name in a folder that is there; what a folder holds is added to what is there.

        Parameters
        ----------
        node : Node
        folder : str
            Path of the folder, without links; ``""`` for the top.
        name : str
            ``""`` for the folder itself.
        """
        editor = self.editor
        parent = editor.open(folder)
        if not isinstance(node, Folder):
            self._put(parent, name, node)
            return
        there = editor.get(parent, name) if name else parent
        if there is None:
            if self.is_plain:
                editor.put(parent, name, _with_header(node))
                return
            made = editor.add(parent, name, self._metadata(node))
        elif isinstance(there, Folder):
            made = editor.own(parent, name) if name else parent
        else:
            if not self.replaces:
                raise refuse(f"{clean(folder + '/' + name)}: a folder cannot take the place of a file")
            made = editor.add(parent, name, self._metadata(node))
        self._below(node, _Target(source=node, above=None, name=name, made=made))

    def _below(self, source: Folder, target: _Target) -> None:
        """Copy what is in a folder."""
        waiting = _items(source, "", target, (), ())
        while waiting:
            item = waiting.pop()
            included, excluded, include_matched, exclude_matched = self._look(item)
            if not isinstance(item.node, Folder):
                if included or isinstance(item.node, Unreadable):
                    self._put(self._open(item.target), item.name, item.node)
                continue
            if item.target.blocked:
                raise refuse(f"{item.below}: its folder cannot take the place of a file")
            made: Folder | None = None
            if included:
                parent = self._open(item.target)
                if self.is_plain and self.editor.get(parent, item.name) is None:
                    self.editor.put(parent, item.name, item.node)
                    continue
                made = self._make(parent, item.name, item.node)
            elif excluded and not (self.exclude and self.exclude.has_exceptions):
                continue
            blocked = made is None and self._is_blocked(item)
            inner = _Target(source=item.node, above=item.target, name=item.name, made=made, blocked=blocked)
            waiting += _items(item.node, item.below, inner, include_matched, exclude_matched)

    def _is_blocked(self, item: _Item) -> bool:
        """Tell whether a folder that is put off would stand where something else does."""
        names = [item.name]
        target: _Target | None = item.target
        while target is not None and target.made is None:
            names.append(target.name)
            target = target.above
        node: Node | None = target.made if target else None
        while names and isinstance(node, Folder):
            node = self.editor.get(node, names.pop())
        return isinstance(node, File | Special)

    def _look(self, item: _Item) -> tuple[bool, bool, Matched, Matched]:
        """Tell whether something is taken in, whether it is excluded, and what each pattern made of it."""
        included, excluded = True, False
        include_matched: Matched = ()
        exclude_matched: Matched = ()
        if self.include is not None:
            included, include_matched = self.include.match(item.below, item.include_matched)
        if self.exclude is not None:
            excluded, exclude_matched = self.exclude.match(item.below, item.exclude_matched)
        return included and not excluded, excluded, include_matched, exclude_matched

    def _make(self, parent: Folder, name: str, source: Folder) -> Folder:
        """Make a folder with the source's header, or give that to the one that is there; its xattrs are added."""
        there = self.editor.get(parent, name)
        if there is None or (self.replaces and not isinstance(there, Folder)):
            return self.editor.add(parent, name, self._metadata(source))
        made = self.editor.own(parent, name)
        metadata = self._metadata(source)
        old = dict(made.metadata.xattrs) if made.metadata else {}
        made.metadata = replace(metadata, xattrs=tuple((old | dict(metadata.xattrs)).items()))
        return made

    def _open(self, target: _Target) -> Folder:
        """Give a folder to put something into, made now if it was put off."""
        waiting = [target]
        while waiting[-1].made is None and waiting[-1].above is not None:
            waiting.append(waiting[-1].above)
        made = waiting.pop().made
        if made is None:
            raise TypeError("the top of a copy is made first")
        for one in reversed(waiting):
            if self.editor.get(made, one.name) is None:
                made = self.editor.add(made, one.name, self._metadata(one.source))
            else:
                made = self.editor.own(made, one.name)
                if made.metadata and one.source.metadata:
                    made.metadata = replace(made.metadata, mode=one.source.metadata.mode)
            one.made = made
        return made

    def _put(self, parent: Folder, name: str, node: Node) -> None:
        """Put something that is no folder."""
        if isinstance(self.editor.get(parent, name), Folder) and not self.replaces:
            raise refuse(f"{name}: a file cannot take the place of a folder")
        if self.owner is not None or self.mode is not None:
            node = node if isinstance(node, Unreadable) else with_metadata(node, self._metadata(node))
        self.editor.put(parent, name, node)

    def _metadata(self, node: File | Link | Special | Folder) -> Metadata:
        """Give what `node` has, with the copy's owner and mode."""
        metadata = node.metadata or FOLDER
        uid, gid = self.owner or (metadata.uid, metadata.gid)
        mode = metadata.mode
        if self.mode is not None and not isinstance(node, Link):
            mode = self.mode(mode, isinstance(node, Folder))
        return replace(metadata, uid=uid, gid=gid, mode=mode)


def _items(folder: Folder, below: str, target: _Target, include: Matched, exclude: Matched) -> list[_Item]:
    """List what is in a folder, last name first."""
    names = reversed(by_bytes(folder.children))
    return [
        _Item(folder.children[name], f"{below}/{name}" if below else name, target, name, include, exclude)
        for name in names
    ]


def _with_header(folder: Folder) -> Folder:
    """Give the top of a local source the header that its snapshot has."""
    return folder if folder.metadata else Folder(metadata=FOLDER, children=folder.children)
