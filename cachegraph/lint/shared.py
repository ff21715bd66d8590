"""Who else writes a cache that was read: the builds of a repository that write the place which a line names."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from cachegraph.lint.model import Repository
from cachegraph.lint.rules.builds import title
from cachegraph.lint.rules.places import Use
from cachegraph.lint.rules.scene import Scene
from cachegraph.text.words import some_of

__all__ = ["Line", "shared_places"]

Line = tuple[str, int]
"""A file's real path, and a line from 1."""

_MOST_NAMED = 4


def shared_places(repository: Repository, root: Path, lines: Collection[Line]) -> Iterator[str]:
    """Say of places that lines name, and that several builds write, which these are: a sentence each.

    Parameters
    ----------
    repository : Repository
    root : pathlib.Path
        Where its files lie.
    lines : collection of Line
        Of the entries that were read.

    Notes
    -----
    Only what is certain counts: a place with something unknown in it (``app:cache-*``) is left out, and so is
    ``type=local``, which is another folder in each job. Whether a store keeps one of several caches is not asked.
    """
    scene = Scene(repository, root)
    named = {use.place.identity for use in scene.uses if use.place.is_known and _line(use, root) in lines}
    writers: dict[tuple[object, ...], dict[str, Use]] = {}
    for use in scene.writers:
        if use.place.identity in named:
            writers.setdefault(use.place.identity, {}).setdefault(_who(use, root), use)
    for uses in writers.values():
        if len(uses) < 2:
            continue
        who = list(uses)
        told = some_of(who[:_MOST_NAMED], len(who), "; ")
        place = next(iter(uses.values())).place.shown
        gets = "A build that reads it gets what the last of them wrote."
        yield f"{place} is written by {len(who)} builds: {told}. {gets}"


def _line(use: Use, root: Path) -> Line:
    return os.path.realpath(root / use.entry.place.file), use.entry.place.line


def _who(use: Use, root: Path) -> str:
    """Name a build with its line; combinations of a matrix that differ in nothing that is written are one."""
    file = os.path.relpath(root / use.entry.place.file)
    return (
        f"{title(use.build)} ({file}:{use.entry.place.line})"
        if use.entry.place.line
        else f"{title(use.build)} ({file})"
    )
