"""Which paths wildcards and patterns select: ``cache/contenthash``, ``includedPaths``."""

from __future__ import annotations

from dataclasses import dataclass

from cachegraph.builds.content.gomatch import matcher
from cachegraph.builds.content.nodes import Folder, Node, Unreadable, by_bytes
from cachegraph.builds.content.patterns import Matched, Patterns, compile_patterns
from cachegraph.builds.content.selection import Selection

__all__ = ["Included", "included_paths"]


@dataclass(slots=True, kw_only=True, eq=False)
class Included:
    """A path that a walk looked at; of a folder, its header alone.

    Parameters
    ----------
    path : str
        Under the name that the selection gives it, links not followed.
    node : Node
    parent : Included or None
        The folder above, if the walk looked at it.
    """

    path: str
    node: Node
    parent: Included | None
    listed: bool = False
    include_matched: Matched = ()
    exclude_matched: Matched = ()


def included_paths(top: Node, top_path: str, path: str, selection: Selection) -> list[Included]:
    """List what is selected, in BuildKit's order: a folder before what is in it, names by bytes.

    Parameters
    ----------
    top : Node
        What is at the part of the path before any wildcard, links followed.
    top_path : str
        That part; ``""`` for the top of the tree.
    path : str
        The whole path, with its wildcards; ``""`` for the top.
    selection : Selection
        Its patterns.

    Raises
    ------
    BadPatternError
        A pattern that BuildKit refuses.
    """
    include = compile_patterns(selection.include) if selection.include else None
    exclude = compile_patterns(selection.exclude) if selection.exclude else None
    wildcard = matcher(path).match if selection.wildcard else None
    # A wildcard stops at slashes, so nothing matches deeper than its own; a class can match one.
    deep = path.count("/") if "[" not in path else None
    listed: list[Included] = []
    waiting: list[tuple[str, Node, Included | None, str | None]] = [(top_path, top, None, None if wildcard else path)]
    while waiting:
        here, node, parent, matched = waiting.pop()
        if matched is None and wildcard is not None and wildcard(here):
            matched = here
        inside = node.children if isinstance(node, Folder) else {}
        if isinstance(node, Unreadable) and here.endswith("/"):
            # A folder that cannot be read may hold what is selected.
            listed.append(Included(path=here, node=node, parent=parent))
        elif matched is None:
            if deep is not None and here.count("/") >= deep:
                inside = {}
        elif here or not isinstance(node, Folder):
            parent = Included(path=here, node=node, parent=parent)
            below = f"{here}/".removeprefix(f"{matched}/").removesuffix("/")
            if _matches(parent, below, include, exclude):
                _list(parent, listed)
            elif not _may_hold(parent, below, include, exclude):
                inside = {}
        waiting.extend((f"{here}/{name}", inside[name], parent, matched) for name in reversed(by_bytes(inside)))
    return listed


def _matches(one: Included, below: str, include: Patterns | None, exclude: Patterns | None) -> bool:
    """Tell whether a path is selected (``shouldIncludePath``), and keep what each pattern made of it."""
    parent = one.parent
    if include is not None:
        matched, one.include_matched = include.match(below, parent.include_matched if parent else ())
        if not matched:
            return False
    if exclude is not None:
        matched, one.exclude_matched = exclude.match(below, parent.exclude_matched if parent else ())
        return not matched
    return True


def _may_hold(one: Included, below: str, include: Patterns | None, exclude: Patterns | None) -> bool:
    """Tell whether something in a folder that is not selected itself may be: without, its files are not looked at."""
    if any(one.exclude_matched) and exclude is not None and not exclude.has_exceptions:
        return False
    return include is None or any(one.include_matched) or include.may_match_in(below)


def _list(one: Included, listed: list[Included]) -> None:
    """List a path behind those of its folders that are not listed yet."""
    new: list[Included] = []
    above: Included | None = one
    while above is not None and not above.listed:
        above.listed = True
        new.append(above)
        above = above.parent
    listed.extend(reversed(new))
