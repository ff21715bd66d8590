"""What an operation takes from a tree: the selectors of ``solver/llbsolver/ops/opsutils``."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cachegraph.builds.llb import Copy, File

__all__ = ["Selection", "clean", "has_wildcards", "select_copies", "select_mounts", "without_repeats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One source path of an operation.

    Parameters
    ----------
    path : str
        As the operation says it; taken from the top of the tree.
    follow : bool
        Follow a link at its end; links on the way are always followed.
    wildcard : bool
        The path is a pattern (`has_wildcards` of it, where the operation allows wildcards).
    include, exclude : tuple of str
        Patterns below the path, as ``.dockerignore`` has them.
    required : tuple of str
        Paths of which each must be there (``COPY --parents``).
    """

    path: str
    follow: bool = False
    wildcard: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    required: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """No wildcard, no patterns."""
        return not (self.wildcard or self.include or self.exclude)


def has_wildcards(path: str) -> bool:
    """Tell whether a path is a pattern: an unescaped ``*``, ``?`` or ``[``."""
    characters = iter(path)
    for character in characters:
        if character == "\\":
            next(characters, None)
        elif character in "*?[":
            return True
    return False


def clean(path: str) -> str:
    """Mirror Go's ``path.Join("/", path)``."""
    joined = posixpath.normpath("/" + path)
    return "/" + joined.lstrip("/")  # POSIX keeps two leading slashes, Go does not


def select_mounts(paths: Iterable[str]) -> tuple[Selection, ...]:
    """Select what the mounts of one RUN take from one input (``ExecOp.CacheMap``): links followed, repeats dropped.

    Parameters
    ----------
    paths : iterable of str
        The mounts' ``selector`` fields.
    """
    return tuple(Selection(path=path, follow=True) for path in _outermost(clean(path) for path in paths))


def _outermost(paths: Iterable[str]) -> list[str]:
    """Mirror ``dedupePaths``: drop what is inside another path, and sort by bytes; one path alone stays as it is."""
    every = set(paths)
    kept = [path for path in every if not any(above in every for above in _above(path))]
    return sorted(kept, key=os.fsencode)


def _above(path: str) -> Iterator[str]:
    """Give what would hold `path`, with and without a slash at its end."""
    for place, character in enumerate(path):
        if character == "/":
            yield path[:place]
            if place + 1 < len(path):
                yield path[: place + 1]


def without_repeats(selections: Iterable[Selection]) -> tuple[Selection, ...]:
    """Drop paths inside other paths and sort, as a file operation does (``dedupeSelectors``)."""
    every = tuple(selections)
    plain = [
        Selection(path=path, follow=follow)
        for follow in (False, True)
        for path in _outermost(one.path for one in every if one.is_plain and one.follow is follow)
    ]
    patterns = [one for one in every if not one.is_plain]
    return tuple(sorted(plain + patterns, key=lambda one: os.fsencode(one.path)))


def select_copies(operation: File, place: int) -> tuple[Selection, ...]:
    """Select what a file operation takes from one of its inputs (``fileOp.CacheMap``).

    Parameters
    ----------
    operation : llb.File
    place : int
        Of the input. An input that an action writes on is not hashed by content: then there is no selection.
    """
    if any(action.input == place for action in operation.actions):
        return ()
    selections = []
    for action in operation.actions:
        copy = action.action.copy
        named = copy or action.action.mkfile or action.action.mkdir
        owner = named.owner if named else None
        for option, file in ((owner.user, "/etc/passwd"), (owner.group, "/etc/group")) if owner else ():
            if option and option.user.by_name and option.user.by_name.input == place:
                selections.append(Selection(path=file, follow=True))
        if copy and action.secondary_input == place:
            selections.append(_selection(copy))
    return tuple(selections)


def _selection(copy: Copy) -> Selection:
    """Select what one copy takes."""
    return Selection(
        path=copy.src,
        follow=copy.follow_symlink,
        wildcard=copy.allow_wildcard and has_wildcards(copy.src),
        include=copy.include_patterns,
        exclude=copy.exclude_patterns,
        required=copy.required_paths,
    )
