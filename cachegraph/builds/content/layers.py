"""Archives put on a tree: the layers of an image as containerd applies them, and what ADD unpacks."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import replace

from cachegraph.builds.content.archives import BadArchiveError, Entry, entries
from cachegraph.builds.content.editing import Editor, Stopped, refuse
from cachegraph.builds.content.nodes import Blob, Folder, Metadata, Node, Unreadable, scratch, with_metadata
from cachegraph.builds.content.owners import Ids
from cachegraph.builds.content.selection import clean
from cachegraph.builds.content.unknown import Unknown

__all__ = ["image_tree", "unpack"]

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_IMPLIED = Metadata(mode=0o755)


def image_tree(layers: Iterable[Blob]) -> Folder | Unknown:
    """Put layers on one another, bottom first (containerd: ``archive.Apply``).

    Parameters
    ----------
    layers : iterable of Blob

    Returns
    -------
    Folder or Unknown
        Its top has mode 0755 whatever the layers say of it.
    """
    tree = scratch()
    try:
        for layer in layers:
            tree = _apply(tree, layer)
    except BadArchiveError as error:
        return Unknown(because="unreadable", reason=f"a layer cannot be read: {error}")
    except Stopped as stopped:
        return stopped.unknown
    return tree


def _apply(tree: Folder, layer: Blob) -> Folder:
    """Put one layer on a tree; what it takes away is taken from the layers below alone."""
    read = list(entries(layer))
    editor = Editor(tree)
    for entry in read:
        folder, name = posixpath.split(clean(entry.name))
        if name.startswith(_WHITEOUT):
            _take_away(editor, folder, name)
    for entry in read:
        folder, name = posixpath.split(clean(entry.name))
        if name and not name.startswith(_WHITEOUT):
            parent = editor.make_folders(editor.resolve(folder)[0], _IMPLIED)
            _place(editor, parent, name, entry.node or _linked(editor, entry))
    return editor.tree


def _take_away(editor: Editor, path: str, name: str) -> None:
    """Hide a file of the layers below, or all of a folder."""
    path, folder = editor.resolve(path)
    if isinstance(folder, Folder):
        own = editor.open(path)
        if name == _OPAQUE:
            own.children = {}
        else:
            editor.drop(own, name.removeprefix(_WHITEOUT))


def _linked(editor: Editor, entry: Entry) -> Node:
    """Find what a hard link links to."""
    folder, name = posixpath.split(clean(entry.link))
    parent = editor.resolve(folder)[1]
    node = editor.get(parent, name) if isinstance(parent, Folder) else None
    if node is None or isinstance(node, Folder):
        raise refuse(f"{entry.name}: a hard link to {entry.link}, which is no file")
    return node


def _place(editor: Editor, parent: Folder, name: str, node: Node) -> None:
    """Put an entry in place of what is there; a folder keeps what is in it."""
    there = editor.get(parent, name)
    if isinstance(node, Folder) and isinstance(there, Folder):
        editor.own(parent, name).metadata = node.metadata
    elif isinstance(node, Folder):
        editor.add(parent, name, node.metadata or _IMPLIED)
    else:
        editor.put(parent, name, node)


def unpack(folder: Folder, archive: Blob, owner: Ids | None) -> Folder:
    """Unpack an archive into a folder as ADD does (github.com/moby/go-archive: ``Unpack``, with the folder as root).

    Parameters
    ----------
    folder : Folder
    archive : Blob
    owner : (int, int) or None
        None keeps who files belong to in the archive.

    Returns
    -------
    Folder
        What the folder becomes.

    Raises
    ------
    Stopped
        BuildKit ends the build at what is in the archive, or it cannot be read here.
    """
    editor = Editor(folder)
    try:
        for entry in entries(archive):
            _unpack_one(editor, entry, owner)
    except BadArchiveError as error:
        raise Stopped(Unknown(because="unpack", reason=f"ADD has to unpack an archive: {error}")) from None
    return editor.tree


def _unpack_one(editor: Editor, entry: Entry, owner: Ids | None) -> None:
    """Unpack one member; its path is followed within the folder."""
    cleaned = posixpath.normpath(entry.name)
    if cleaned == ".." or cleaned.startswith("../"):
        raise refuse(f"{entry.name}: an archive that leads out of where it is unpacked")
    above, name = posixpath.split(clean(entry.name))
    if not name:
        return
    parent = editor.make_folders(editor.resolve(above)[0], _IMPLIED)
    node = entry.node
    if node is None:
        editor.put(parent, name, _linked(editor, entry))
        return
    if owner is not None and not isinstance(node, Unreadable) and node.metadata:
        node = with_metadata(node, replace(node.metadata, uid=owner[0], gid=owner[1]))
    there = editor.get(parent, name)
    if isinstance(node, Folder) and isinstance(there, Folder) and node.metadata and there.metadata:
        kept = dict(there.metadata.xattrs) | dict(node.metadata.xattrs)
        editor.own(parent, name).metadata = replace(node.metadata, xattrs=tuple(kept.items()))
    else:
        _place(editor, parent, name, node)
