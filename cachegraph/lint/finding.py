"""Which files of a repository are settings, by their names and folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from cachegraph.lint.model import Kind
from cachegraph.loaders.limits import DEFAULT, Limits

__all__ = ["files_below", "find_settings", "kind_by_name"]

_MOST_FILES = 20_000
_MOST_ENTRIES = 200_000  # of folders that are looked through
_DEEPEST = 12
_SKIPPED = frozenset({"node_modules", "vendor", "target", "dist", "__pycache__", "venv", "third_party", "testdata"})
_KEPT = frozenset({".github", ".gitlab", ".devcontainer", ".ci", ".docker", ".buildkite", ".circleci", ".jenkins"})
_NAMED: tuple[tuple[str, Kind], ...] = (
    (r"(?:.*[.-])?bake(?:[.-].*)?\.(?:hcl|json)|docker-bake.*\.(?:hcl|json)", "bake"),
    (r"(?:docker-)?compose(?:[.-].*)?\.ya?ml|(?:.*[.-])?(?:docker-)?compose\.ya?ml", "compose"),
    (r"(?:.*)\.gitlab-ci\.ya?ml", "gitlab"),
    (r"\.?devcontainer\.json", "devcontainer"),
    (r"(?:GNUm|M|m)akefile(?:\..*)?|.*\.mk|.*\.mak", "makefile"),
    (r"Jenkinsfile(?:[.-].*)?|.*\.[Jj]enkinsfile", "jenkinsfile"),
    (r".*\.(?:sh|bash|zsh)", "shell"),
    (r"skaffold.*\.ya?ml", "skaffold"),
    (r"action\.ya?ml", "action"),
)
_NAMES: tuple[tuple[re.Pattern[str], Kind], ...] = tuple((re.compile(pattern), kind) for pattern, kind in _NAMED)


def kind_by_name(path: Path) -> Kind | None:
    """Say what a file is by its name and folder; None for one that is none of these."""
    folders = path.parts[-3:-1]
    if path.suffix in (".yml", ".yaml"):
        if (
            folders == (".github", "workflows")
            or folders == (".gitea", "workflows")
            or folders == (".forgejo", "workflows")
        ):
            return "workflow"
        if folders[-1:] == (".gitlab",) or ".gitlab" in path.parts[:-1]:
            return "gitlab"
    return next((kind for pattern, kind in _NAMES if pattern.fullmatch(path.name)), None)


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
    every = files_below(root, _KEPT, min(_MOST_ENTRIES, limits.items))
    found = (path for path in every if kind_by_name(path) is not None and not path.is_symlink())
    return sorted(islice(found, _MOST_FILES))


def files_below(root: Path, hidden: frozenset[str], most: int = _MOST_ENTRIES) -> Iterator[Path]:
    """Go through the files of a repository, but for those of dependencies and what was built.

    Parameters
    ----------
    root : pathlib.Path
    hidden : frozenset of str
        Folders with a dot in front that are looked into; links to folders never are.
    most : int
        Entries of folders after which it ends.
    """
    looked = 0
    start = len(root.parts)
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        deep = len(here.parts) - start >= _DEEPEST
        folders[:] = sorted(
            name
            for name in folders
            if not deep and name not in _SKIPPED and (not name.startswith(".") or name in hidden)
        )
        looked += len(files) + len(folders)
        yield from (here / name for name in sorted(files))
        if looked > most:
            return
