"""The commits of the repository that a build context is in."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cachegraph.builds.content.nodes import Folder
from cachegraph.errors import CacheGraphError, NotFoundError
from cachegraph.loaders.sources.git import run_git
from cachegraph.loaders.sources.repository import Repository

__all__ = ["Commit", "GitHistory"]


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit and when it was made, in seconds since 1970."""

    name: str
    seconds: int


@dataclass(slots=True)
class GitHistory:
    """The history of a context. Close it after use.

    Parameters
    ----------
    repository : Repository
    top : pathlib.Path
        The folder of the work tree.
    prefix : str
        The context's path in there; ``""`` for the top.
    also : tuple of str
        Paths outside the context that count, such as the Dockerfile's.
    start : str
        The newest commit that counts.
    """

    repository: Repository
    top: Path
    prefix: str
    also: tuple[str, ...] = ()
    start: str = "HEAD"
    _commits: list[Commit] | None = None
    _trees: dict[str, Folder] = field(default_factory=dict)

    @classmethod
    def of(cls, context: str | os.PathLike[str], dockerfile: str | os.PathLike[str] | None = None) -> GitHistory | None:
        """Find the history of a context; None if it is in no repository, or there is no git."""
        try:
            repository, prefix = Repository.around(context)
            top = Path(os.fsdecode(run_git("rev-parse", "--show-toplevel", folder=context)).rstrip("\n"))
        except CacheGraphError:
            return None
        path = _inside(top, dockerfile) if dockerfile is not None else None
        return cls(repository, top, prefix, (path,) if path else ())

    def close(self) -> None:
        """End git's processes."""
        self.repository.close()

    def commits(self, limit: int) -> list[Commit]:
        """Give the commits that changed the context, the newest first."""
        if self._commits is None:
            paths = [f":(top){path}" for path in (self.prefix, *self.also)]
            command = ["rev-list", "--timestamp", f"--max-count={limit}", self.start, "--", *paths]
            lines = self.repository.run(*command).decode().splitlines()
            self._commits = [Commit(name, int(seconds)) for seconds, _, name in (line.partition(" ") for line in lines)]
        return self._commits[:limit]

    def tree(self, commit: str) -> Folder:
        """Give the context as a checkout of a commit has it."""
        if commit not in self._trees:
            found = self.repository.tree(commit, self.prefix, is_context=True)
            self._trees[commit] = found if isinstance(found, Folder) else Folder(metadata=None)
        return self._trees[commit]

    def file(self, commit: str, path: str) -> bytes | None:
        """Read a file by its path on disk, as a commit has it; None if it has none."""
        inside = _inside(self.top, path)
        if inside is None:
            return None
        try:
            return self.repository.read(f"{commit}:{inside}")
        except NotFoundError:
            return None


def _inside(top: Path, path: str | os.PathLike[str]) -> str | None:
    """Give a path below a folder, links followed."""
    real, real_top = Path(path).resolve(), top.resolve()
    return real.relative_to(real_top).as_posix() if real.is_relative_to(real_top) else None
