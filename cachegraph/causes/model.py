"""What a cause is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from cachegraph.builds.content.nodes import Folder

__all__ = ["Cause", "CauseKind", "Commit", "History"]

CauseKind = Literal[
    "files",
    "modes",
    "untracked",
    "git-folder",
    "base-image",
    "source",
    "platform",
    "frontend",
    "argument",
    "instruction",
    "other-files",
    "new",
]
"""What differs from what the cache was made with.

``files``: files changed since a commit. ``modes``: who may do what with files. ``untracked``: files that git does not
know. ``git-folder``: .git is copied. ``base-image``, ``source``: another image, commit or download. ``platform``: the
cache is for another one. ``frontend``: another ``# syntax=`` or version of it. ``argument``: values of variables.
``instruction``: the text of the instruction. ``other-files``: the step was cached with files that no commit looked at
has. ``new``: the cache has nothing like it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a step misses, proven by a digest wherever it names a commit, a value, a mode or a platform.

    Attributes
    ----------
    record : int
        Of the step, in the build's own records.
    kind : CauseKind
    text : str
        What is different, in one sentence.
    remedy : str or None
        What to do, if there is something to do.
    paths : tuple of str
        The files that make the difference, as the context names them.
    commit : str or None
        The newest commit that the cache holds this step for.
    was : str or None
        What stood there: an instruction, a value, a mode.
    """

    record: int
    kind: CauseKind
    text: str
    remedy: str | None = None
    paths: tuple[str, ...] = ()
    commit: str | None = None
    was: str | None = None


class Commit(Protocol):
    """A commit."""

    @property
    def name(self) -> str:
        """Its hash."""

    @property
    def seconds(self) -> int:
        """When it was made, in seconds since 1970."""


class History(Protocol):
    """The commits of the repository that a context is in."""

    def commits(self, limit: int) -> Iterable[Commit]:
        """Give the commits that changed something in the context, the newest first."""

    def tree(self, commit: str) -> Folder:
        """Give the context as a checkout of a commit has it."""

    def file(self, commit: str, path: str) -> bytes | None:
        """Read a file by its path on disk, as a commit has it."""
