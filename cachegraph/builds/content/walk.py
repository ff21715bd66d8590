"""Finding paths in a tree as BuildKit's content hash does: ``cache/contenthash``, ``getFollowLinksCallback``."""

from __future__ import annotations

from cachegraph.builds.content.nodes import Folder, Link, Node, child
from cachegraph.builds.content.unknown import Unknown

__all__ = ["find", "look"]

_LINKS = 255


def look(tree: Folder, path: str) -> Node | None:
    """Look a clean path up, no links followed."""
    node: Node | None = tree
    for name in path.split("/"):
        if name:
            if not isinstance(node, Folder):
                return None
            node = child(node, name)
    return node


def find(tree: Folder, path: str, *, follow: bool) -> tuple[str, Node | None] | Unknown:
    """Find a path, links on the way followed; an absolute link begins at the top, and ``..`` never leaves it.

    Parameters
    ----------
    tree : Folder
    path : str
        Clean, from the top.
    follow : bool
        Follow a link at its end as well.

    Returns
    -------
    (str, Node or None) or Unknown
        The path without links (``""`` for the top) and what is there. Unknown where more than 255 links lead on, which
        BuildKit refuses.
    """
    node = look(tree, path)
    if node is not None and not (follow and isinstance(node, Link)):
        return path if path != "/" else "", node
    names: list[str] = []
    nodes: list[Node | None] = [tree]
    rest, walked = path, 0
    while rest:
        part, _, rest = rest.partition("/")
        if part == "..":
            del names[-1:], nodes[max(1, len(nodes) - 1) :]
        if part in ("", ".", ".."):
            continue
        above = nodes[-1]
        node = child(above, part) if isinstance(above, Folder) else None
        if not isinstance(node, Link) or (not follow and not rest):
            names.append(part)
            nodes.append(node)
            continue
        walked += 1
        if walked > _LINKS:
            return Unknown(because="refused", reason=f"{path}: more than {_LINKS} links lead on from it")
        rest = f"{node.target}/{rest}"
        if node.target.startswith("/"):
            names.clear()
            del nodes[1:]
    return "".join(f"/{name}" for name in names), nodes[-1]
