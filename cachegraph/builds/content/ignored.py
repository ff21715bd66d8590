"""A tree without what ``.dockerignore`` leaves out: fsutil's ``filterFS``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.builds.content.nodes import UNREADABLE, Folder, LateChildren, Node
from cachegraph.builds.content.patterns import Matched, Patterns, compile_patterns

__all__ = ["without_ignored"]


def without_ignored(tree: Folder, patterns: tuple[str, ...]) -> Folder:
    """Leave out what patterns match. A folder that is left out is kept if something in it is.

    Parameters
    ----------
    tree : Folder
        Its folders are looked into when the answer's are.
    patterns : tuple of str
        As `cachegraph.builds.content.ignore` reads them.

    Raises
    ------
    BadPatternError
        A pattern that BuildKit refuses.
    """
    if not patterns:
        return tree
    return Folder(metadata=tree.metadata, children=_Kept(tree, "", compile_patterns(patterns), ()))


@dataclass(slots=True, eq=False)
class _Kept(LateChildren):
    """What is kept of a folder."""

    folder: Folder
    path: str
    patterns: Patterns
    matched: Matched

    def scan(self) -> Iterator[tuple[str, Node]]:
        """Leave out what the patterns match."""
        for name, node in self.folder.children.items():
            if name == UNREADABLE:
                yield name, node
                continue
            path = f"{self.path}/{name}" if self.path else name
            ignored, matched = self.patterns.match(path, self.matched)
            if not isinstance(node, Folder):
                if not ignored:
                    yield name, node
                continue
            if ignored and not (self.patterns.has_exceptions and self.patterns.may_match_in(path, negated=True)):
                continue
            kept = Folder(metadata=node.metadata, children=_Kept(node, path, self.patterns, matched))
            if not ignored or kept.children:
                yield name, kept
