"""Whom files belong to after ``--chown`` and USER: ``solver/llbsolver/ops``, ``readUser``."""

from __future__ import annotations

from collections.abc import Callable

from cachegraph.builds.content.editing import Stopped
from cachegraph.builds.content.nodes import File, Folder, read_blob
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.content.walk import find
from cachegraph.builds.llb import Owner, UserOpt

__all__ = ["Ids", "read_owner"]

Ids = tuple[int, int]

_SIZE = 10 << 20


def read_owner(owner: Owner | None, tree: Callable[[int], Folder | Unknown]) -> Ids | None:
    """Read user and group; a name that is not in the tree's ``/etc/passwd`` is user 0, as BuildKit has it.

    Parameters
    ----------
    owner : llb.Owner or None
    tree : callable
        Gives the tree of an input.

    Returns
    -------
    (int, int) or None
        None: who is not said.

    Raises
    ------
    Stopped
        The tree with the names is unknown.
    """
    if owner is None:
        return None
    uid = gid = 0
    if owner.user is not None:
        uid, gid = _user(owner.user, tree)
    if owner.group is not None:
        gid = _group(owner.group, tree, gid)
    return uid, gid


def _user(option: UserOpt, tree: Callable[[int], Folder | Unknown]) -> Ids:
    if option.user.by_name is None:
        return option.user.by_id, option.user.by_id
    for fields in _lines(tree(option.user.by_name.input), "/etc/passwd"):
        if fields[0] == option.user.by_name.name.encode():
            return _number(fields, 2), _number(fields, 3)
    return 0, 0


def _group(option: UserOpt, tree: Callable[[int], Folder | Unknown], otherwise: int) -> int:
    if option.user.by_name is None:
        return option.user.by_id
    for fields in _lines(tree(option.user.by_name.input), "/etc/group"):
        if fields[0] == option.user.by_name.name.encode():
            return _number(fields, 2)
    return otherwise


def _lines(tree: Folder | Unknown, path: str) -> list[list[bytes]]:
    """Read the lines of a file with names, cut at their colons."""
    found = tree if isinstance(tree, Unknown) else find(tree, path, follow=True)
    if not isinstance(found, Unknown):
        if not isinstance(found[1], File):
            return []
        data = read_blob(found[1].blob, _SIZE)
        if isinstance(data, bytes):
            return [line.strip().split(b":") for line in data.splitlines() if line.strip()]
        found = data
    raise Stopped(found)


def _number(fields: list[bytes], place: int) -> int:
    """Read a number; what is none counts as 0, as in Go's ``strconv.Atoi`` with its error dropped."""
    try:
        return int(fields[place])
    except (IndexError, ValueError):
        return 0
