"""A revision of a repository as files on disk, as ``git checkout`` with a umask of 022 makes them."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cachegraph.errors import NotFoundError, SourceError
from cachegraph.loaders.sources.git import run_git
from cachegraph.loaders.sources.history import GitHistory
from cachegraph.loaders.sources.repository import Repository

__all__ = ["CheckedOut", "checked_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedOut:
    """A revision on disk.

    Attributes
    ----------
    top : pathlib.Path
    context : pathlib.Path
        The folder in it that stands for the one that was asked for.
    history : GitHistory
        Of the context up to this revision.
    """

    top: Path
    context: Path
    history: GitHistory
    _original: Path

    def path(self, given: str | os.PathLike[str]) -> Path:
        """Give the path that stands for one of the work tree."""
        for base in (Path.cwd(), self._original):
            real = (base / given).resolve()
            if real.is_relative_to(self._original):
                return self.top / real.relative_to(self._original)
        raise NotFoundError(f"{given}: not in the repository", hint="name a file of the repository")


@contextmanager
def checked_out(folder: str | os.PathLike[str], revision: str) -> Iterator[CheckedOut]:
    """Write the files of a revision into a temporary folder; the repository and its index stay as they are.

    Parameters
    ----------
    folder : path-like
        In a work tree.
    revision : str

    Raises
    ------
    NotFoundError
        No repository, or no such revision.
    SourceError
        git failed.
    """
    repository, prefix = Repository.around(folder)
    with repository, tempfile.TemporaryDirectory(prefix="cachegraph-", ignore_cleanup_errors=True) as place:
        commit = repository.resolve(revision)
        original = Path(os.fsdecode(run_git("rev-parse", "--show-toplevel", folder=folder)).rstrip("\n")).resolve()
        top = Path(place).resolve() / "files"
        top.mkdir(mode=0o755)
        _write(repository, commit, top, Path(place) / "index")
        context = top / prefix if prefix else top
        if not context.is_dir():
            raise NotFoundError(f"{prefix}: not in {revision}", hint="the folder was added or moved since")
        history = GitHistory(repository, top, prefix, start=commit)
        yield CheckedOut(top=top, context=context, history=history, _original=original)


def _write(repository: Repository, commit: str, top: Path, index: Path) -> None:
    """Let git write the files by an index of its own."""
    environment = os.environ | {"GIT_INDEX_FILE": str(index), "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    base = ["git", "-c", "core.hooksPath=/dev/null", f"--git-dir={repository.git_dir}", f"--work-tree={top}"]
    for arguments in (["read-tree", commit], ["checkout-index", "--all", "--force", "--quiet"]):
        done = subprocess.run(  # noqa: S603 - git, with what it was asked for itself
            [*base, *arguments], env=environment, capture_output=True, cwd=top, umask=0o022, timeout=600, check=False
        )
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise SourceError(f"git {arguments[0]}: {said[-1] if said else done.returncode}")
