"""The trees that file operations and merges make: ``solver/llbsolver/ops/file.go`` and ``solver/llbsolver/file``."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence

from cachegraph.builds import llb
from cachegraph.builds.content.archives import is_archive
from cachegraph.builds.content.copying import Copier
from cachegraph.builds.content.editing import Editor, Stopped, refuse
from cachegraph.builds.content.gomatch import matcher
from cachegraph.builds.content.layers import unpack
from cachegraph.builds.content.modes import symbolic_mode
from cachegraph.builds.content.nodes import Bytes, File, Folder, Metadata, Node, Unreadable, by_bytes, scratch
from cachegraph.builds.content.owners import Ids, read_owner
from cachegraph.builds.content.patterns import compile_patterns
from cachegraph.builds.content.selection import clean, has_wildcards
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find

__all__ = ["apply_file", "merge_trees"]


Tree = Folder | Unknown


def apply_file(operation: llb.File, inputs: Sequence[Tree]) -> dict[int, Tree]:
    """Do a file operation.

    Parameters
    ----------
    operation : llb.File
    inputs : sequence of Folder or Unknown
        The trees of its inputs, in order.

    Returns
    -------
    dict of int to (Folder or Unknown)
        The trees by output. Unknown with ``refused`` if BuildKit would end the build.

    Raises
    ------
    UsageError
        A mode or pattern that BuildKit does not understand either.
    """
    trees: dict[int, Tree] = dict(enumerate(inputs))

    def tree(place: int) -> Tree:
        return scratch() if place == -1 else trees.get(place, _missing(place))

    outputs: dict[int, Tree] = {}
    for number, action in enumerate(operation.actions, len(inputs)):
        try:
            trees[number] = _act(action, tree)
        except Stopped as stopped:
            trees[number] = stopped.unknown
        if action.output != -1:
            outputs[action.output] = trees[number]
    return outputs


def _missing(place: int) -> Unknown:
    return Unknown(because="refused", reason=f"a file operation takes its input {place}, which it does not have")


def _act(action: llb.FileAction, tree: Callable[[int], Tree]) -> Folder:
    """Do one action."""
    base = tree(action.input)
    if isinstance(base, Unknown):
        raise Stopped(base)
    one = action.action
    editor = Editor(base)
    if one.copy:
        source = tree(action.secondary_input)
        if isinstance(source, Unknown):
            raise Stopped(source)
        _copy(editor, source, one.copy, read_owner(one.copy.owner, tree))
    elif one.mkfile:
        _mkfile(editor, one.mkfile, read_owner(one.mkfile.owner, tree))
    elif one.mkdir:
        _mkdir(editor, one.mkdir, read_owner(one.mkdir.owner, tree))
    elif one.rm:
        _rm(editor, one.rm)
    else:
        raise Stopped(Unknown(because="run", reason="a file operation of a kind that is not known here"))
    return editor.tree


def _metadata(mode: int, owner: Ids | None) -> Metadata:
    uid, gid = owner or (0, 0)
    return Metadata(mode=mode & 0o777, uid=uid, gid=gid)


def _mkdir(editor: Editor, action: llb.Mkdir, owner: Ids | None) -> None:
    path, node = editor.resolve(clean(action.path))
    metadata = _metadata(action.mode, owner)
    if action.make_parents:
        editor.make_folders(path, metadata)
    elif node is None and path:
        parent, name = posixpath.split(path)
        editor.add(editor.open(_folder(editor, parent)), name, metadata)


def _mkfile(editor: Editor, action: llb.Mkfile, owner: Ids | None) -> None:
    path, node = editor.resolve(clean(action.path))
    if isinstance(node, Folder):
        raise refuse(f"{action.path}: a file cannot take the place of a folder")
    parent, name = posixpath.split(path)
    file = File(metadata=_metadata(action.mode, owner), blob=Bytes(action.data))
    editor.put(editor.open(_folder(editor, parent)), name, file)


def _folder(editor: Editor, path: str) -> str:
    """Make sure that a folder is there."""
    path, node = editor.resolve(path or "/")
    if not isinstance(node, Folder):
        raise refuse(f"{path}: no such folder")
    return path


def _rm(editor: Editor, action: llb.Rm) -> None:
    paths = list(_matches(editor.tree, action.path, follow=False)) if action.allow_wildcard else [action.path]
    for path in paths:
        parent, name = posixpath.split(clean(path))
        if not name:
            raise refuse("the top of a tree cannot be removed")
        above, folder = editor.resolve(parent)
        there = editor.get(folder, name) if isinstance(folder, Folder) else None
        if there is not None:
            editor.drop(editor.open(above), name)
        elif not action.allow_not_found:
            raise refuse(f"{path}: no such file")


def _copy(editor: Editor, source: Folder, action: llb.Copy, owner: Ids | None) -> None:
    if not action.create_dest_path:
        _folder(editor, posixpath.dirname(editor.resolve(clean(action.dest))[0]))
    mode: Callable[[int, bool], int] | None = None
    parents = 0o755
    if action.mode_str:
        mode = symbolic_mode(action.mode_str)
    elif action.mode != -1:
        parents = number = action.mode & 0o7777
        mode = lambda _mode, _folder: number  # noqa: E731 - one of two ways to give the mode
    copier = Copier(
        editor=editor,
        owner=owner,
        mode=mode,
        include=compile_patterns(action.include_patterns) if action.include_patterns else None,
        exclude=compile_patterns(action.exclude_patterns) if action.exclude_patterns else None,
        replaces=action.always_replace_existing_dest_paths,
    )
    for path in _sources(source, action):
        _copy_one(copier, source, path, action, _metadata(parents, owner))


def _sources(source: Folder, action: llb.Copy) -> list[str]:
    """List what is copied (``docopy``)."""
    path = clean(action.src)
    if not (action.allow_wildcard and has_wildcards(path)):
        return [path]
    found = list(_matches(source, path, follow=action.follow_symlink))
    if not found and not action.allow_empty_wildcard:
        raise refuse(f"{path}: nothing matches")
    return found


def _matches(tree: Folder, pattern: str, *, follow: bool) -> Iterator[str]:
    """Find what a pattern matches, without links (``ResolveWildcards``); what is in a match is not looked at."""
    parts = clean(pattern).split("/")
    first = next((place for place, part in enumerate(parts) if has_wildcards(part)), None)
    if first is None:
        yield clean(pattern)
        return
    path, node = _base(tree, "/".join(parts[:first]) or "/", follow=follow)
    if node is None:
        raise refuse(f"{pattern}: {path or '/'} is not there")
    match = matcher("/".join(parts[first:])).match
    waiting: list[tuple[str, Node]] = [("", node)]
    while waiting:
        below, node = waiting.pop()
        if isinstance(node, Unreadable):
            raise Stopped(node.unknown)
        if below and match(below):
            yield f"{path}/{below}"
        elif isinstance(node, Folder):
            names = reversed(by_bytes(node.children))
            waiting.extend((f"{below}/{name}" if below else name, node.children[name]) for name in names)


def _base(tree: Folder, path: str, *, follow: bool) -> tuple[str, Node | None]:
    """Find a path, the link at its end followed or not (fsutil: ``rootPath``)."""
    found = find(tree, path, follow=follow)
    if isinstance(found, Unknown):
        raise Stopped(found)
    if isinstance(found[1], Unreadable):
        raise Stopped(found[1].unknown)
    return found


def _copy_one(copier: Copier, source: Folder, path: str, action: llb.Copy, parents: Metadata) -> None:
    """Copy one source (fsutil: ``Copy``)."""
    editor = copier.editor
    node = _base(source, path, follow=action.follow_symlink)[1]
    if action.attempt_unpack_docker_compatibility and _unpack(copier, source, path, action):
        return
    wanted = clean(action.dest)
    into = wanted if action.dest.endswith(("/", "/.")) else posixpath.dirname(wanted)
    editor.make_folders(editor.resolve(into)[0], parents)
    if node is None:
        raise refuse(f"{path}: not found")
    target, there = editor.resolve(wanted)
    is_folder = isinstance(node, Folder)
    if (is_folder and there is not None and not action.dir_copy_contents) or (
        not is_folder and isinstance(there, Folder)
    ):
        target, there = f"{target}/{posixpath.basename(path)}".rstrip("/"), None
    if is_folder and there is None and action.dir_copy_contents:
        editor.make_folders(target, parents)
        copier.copy(node, target, "")
        return
    folder, name = posixpath.split(target)
    editor.make_folders(folder, parents)
    copier.copy(node, folder, name)


def _unpack(copier: Copier, source: Folder, path: str, action: llb.Copy) -> bool:
    """Unpack the source if it is an archive (``unpack``)."""
    node = _base(source, path, follow=True)[1]
    if not isinstance(node, File):
        return False
    archive = is_archive(node.blob)
    if isinstance(archive, Unknown):
        raise Stopped(archive)
    if archive:
        editor = copier.editor
        target = editor.resolve(clean(action.dest))[0]
        uid, gid = copier.owner or (0, 0)
        folder = editor.make_folders(target, Metadata(mode=0o755, uid=uid, gid=gid))
        made = unpack(folder, node.blob, copier.owner)
        folder.metadata, folder.children = made.metadata, made.children
    return archive


def merge_trees(trees: Sequence[Tree]) -> Tree:
    """Merge trees, later ones over earlier ones (``snapshot/diffapply_linux.go``).

    A folder that several have takes its header from the last; the top keeps the first one's.
    """
    if not trees:
        return scratch()
    first, *others = trees
    if isinstance(first, Unknown):
        return first
    editor = Editor(first)
    try:
        for tree in others:
            if isinstance(tree, Unknown):
                return tree
            _merge(editor, tree)
    except Stopped as stopped:
        return stopped.unknown
    return editor.tree


def _merge(editor: Editor, tree: Folder) -> None:
    """Put a tree over what is there."""
    waiting: list[tuple[Folder, Folder]] = [(editor.tree, tree)]
    while waiting:
        target, source = waiting.pop()
        for name, node in source.children.items():
            there = editor.get(target, name)
            if isinstance(node, Folder) and isinstance(there, Folder):
                own = editor.own(target, name)
                own.metadata = node.metadata
                waiting.append((own, node))
            else:
                editor.put(target, name, node)
