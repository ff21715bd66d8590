"""Reading settings: the files of a repository, or those that are named, together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cachegraph.lint.model import Repository
from cachegraph.loaders.limits import DEFAULT, Limits

__all__ = ["find_settings", "read_settings"]


def find_settings(root: Path, limits: Limits = DEFAULT) -> list[Path]:
    """Find the files of a repository that can name caches, by their names; bounded, links not followed.

    Parameters
    ----------
    root : pathlib.Path
    limits : Limits

    Returns
    -------
    list of pathlib.Path
        Sorted.
    """
    raise NotImplementedError


def read_settings(
    paths: Sequence[Path],
    *,
    root: Path | None = None,
    environ: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT,
) -> Repository:
    """Read settings, and join what belongs together: callers and called workflows, actions, includes, overrides.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files; what they include and call is read from beside them.
    root : pathlib.Path, optional
        The repository: places are told from here, and its remote names ``github.repository``. By default the nearest
        folder above the first file with a ``.git``.
    environ : mapping of str to str, optional
        Variables of bake and compose files; by default none, so that findings do not depend on who asks.
    limits : Limits

    Returns
    -------
    Repository
        A file that cannot be read is in its ``failures``; nothing is raised for it.
    """
    raise NotImplementedError
