"""Which of the selected files differ between two trees, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.included import included_paths
from cachegraph.builds.content.nodes import File, Folder, Node
from cachegraph.builds.content.selection import Selection, clean, has_wildcards
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find

__all__ = ["Changes", "changed_files", "selected_nodes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What differs, by path as the context names it.

    Attributes
    ----------
    added, removed, changed : tuple of str
    modes : mapping of str to (int, int)
        Before and now, of what differs in its mode alone.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    modes: Mapping[str, tuple[int, int]]

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.changed, *self.added, *self.removed, *self.modes)


def changed_files(before: Folder, now: Folder, selections: Sequence[Selection], hasher: Hasher) -> Changes:
    """Compare what is selected of two trees.

    Parameters
    ----------
    before, now : Folder
    selections : sequence of Selection
    hasher : Hasher
    """
    old, new = selected_nodes(before, selections), selected_nodes(now, selections)
    changed, modes = [], {}
    for path in old.keys() & new.keys():
        first, second = old[path], new[path]
        if first is second or _digest(hasher, first) == _digest(hasher, second):
            continue
        difference = _mode_alone(first, second)
        if difference is None:
            changed.append(path)
        else:
            modes[path] = difference
    return Changes(
        added=tuple(sorted(_files(new, new.keys() - old.keys()))),
        removed=tuple(sorted(_files(old, old.keys() - new.keys()))),
        changed=tuple(sorted(changed)),
        modes=dict(sorted(modes.items())),
    )


def _files(nodes: Mapping[str, Node], paths: set[str]) -> Iterator[str]:
    """Leave out the folders in which something else is named."""
    for path in paths:
        node = nodes[path]
        if not isinstance(node, Folder) or not node.children:
            yield path


def _digest(hasher: Hasher, node: Node) -> str | Unknown:
    return hasher.header(node) if isinstance(node, Folder) else hasher.digest(node)


def _mode_alone(first: Node, second: Node) -> tuple[int, int] | None:
    """Give both modes if nothing but the mode differs."""
    if isinstance(first, Folder) and isinstance(second, Folder) and first.metadata and second.metadata:
        return first.metadata.mode, second.metadata.mode
    if not isinstance(first, File) or not isinstance(second, File) or first.blob.size != second.blob.size:
        return None
    if first.metadata.mode == second.metadata.mode or first.blob.digest(b"") != second.blob.digest(b""):
        return None
    return first.metadata.mode, second.metadata.mode


def selected_nodes(tree: Folder, selections: Sequence[Selection]) -> dict[str, Node]:
    """List what is selected, by path without a slash in front."""
    found: dict[str, Node] = {}
    for selection in selections:
        path = clean(selection.path)
        prefix = path
        if selection.wildcard:
            parts = path.split("/")
            prefix = "/".join(parts[: next(n for n, part in enumerate(parts) if has_wildcards(part))]) or "/"
        there = find(tree, prefix, follow=selection.follow or selection.wildcard)
        if isinstance(there, Unknown) or there[1] is None:
            continue
        top = "" if prefix == "/" else prefix
        if selection.is_plain:
            found |= {where.lstrip("/") or ".": node for where, node in _below(top, there[1])}
        else:
            included = included_paths(there[1], top, "" if path == "/" else path, selection)
            found |= {one.path.lstrip("/"): one.node for one in included}
    return found


def _below(path: str, node: Node) -> Iterator[tuple[str, Node]]:
    """Give a node and all that is in it, with their paths."""
    waiting = [(path, node)]
    while waiting:
        path, node = waiting.pop()
        yield path, node
        if isinstance(node, Folder):
            waiting.extend((f"{path}/{name}", child) for name, child in node.children.items())
