"""Causes in the build's own files: changed since a commit, not known to git, with other modes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cachegraph.builds.content.ignore import NAME, find_ignore_file
from cachegraph.builds.content.ignored import without_ignored
from cachegraph.builds.content.nodes import File, Folder
from cachegraph.builds.content.selection import Selection
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.keys import content_record
from cachegraph.builds.operations import LocalOrigin, Operation
from cachegraph.builds.work import Work
from cachegraph.causes.changes import Changes, changed_files, selected_nodes
from cachegraph.causes.model import Cause, Commit, History
from cachegraph.causes.variants import UMASKS, content_with, local_origins, with_mode, with_modes
from cachegraph.causes.words import age, listed, mode_text
from cachegraph.errors import CacheGraphError

__all__ = ["ContentSearch"]

_COMMITS = 200
_FEW = 40
_MODES = (0o644, 0o755, 0o664, 0o775, 0o600, 0o640, 0o700, 0o750, 0o444, 0o555, 0o666, 0o777)

_IsWanted = Callable[[Mapping[str, Folder]], bool]
"""Tells whether the cache has the content that other folders of the client lead to."""


@dataclass(frozen=True, slots=True)
class ContentSearch:
    """Looks for the files that a cache was made with.

    Parameters
    ----------
    work : Work
    history : History or None
    deadline : float
        Of `time.monotonic`.
    """

    work: Work
    history: History | None
    deadline: float

    def cause(self, record: int, source: Operation, selections: Sequence[Selection], wanted: set[str]) -> Cause | None:
        """Find out what differs.

        Parameters
        ----------
        record : int
            Of the step.
        source : Operation
            Whose files it takes.
        selections : sequence of Selection
        wanted : set of str
            Records of the contents that the cache has for the step.
        """
        origins = local_origins(source)
        if not wanted or not origins:
            return None
        folders = {name: self._folder(origin) for name, origin in origins.items()}
        here = {name: folder for name, folder in folders.items() if isinstance(folder, Folder)}
        if len(here) < len(folders):
            return None

        def is_wanted(other: Mapping[str, Folder]) -> bool:
            found = content_with(self.work.trees, source, selections, other)
            return isinstance(found, str) and content_record(found) in wanted

        # Paths are named as the context has them: what a stage makes of them has other names.
        looked_at = selections if isinstance(source.origin, LocalOrigin) else (Selection(path="/"),)
        for remedy, change in UMASKS.items():
            other = {name: with_modes(folder, change) for name, folder in here.items()}
            if is_wanted(other):
                name = next(iter(here))
                return _modes(record, remedy, self._compare(other[name], here[name], looked_at))
        cause = self._single_mode(record, here, looked_at, is_wanted)
        if cause is not None:
            return cause
        if "context" in here and ".git" in selected_nodes(here["context"], looked_at):
            return _git_folder(record)
        if self.history is not None and "context" in here:
            try:
                return self._in_history(record, here, looked_at, is_wanted)
            except CacheGraphError:
                return _other(record, looked=False)
        return _other(record, looked=False)

    def _single_mode(
        self, record: int, here: dict[str, Folder], selections: Sequence[Selection], is_wanted: _IsWanted
    ) -> Cause | None:
        """Try usual modes on one file or folder after the other, where few are selected."""
        for name, folder in here.items():
            selected = selected_nodes(folder, selections)
            if len(selected) > _FEW:
                continue
            for path, node in selected.items():
                if not isinstance(node, File | Folder) or node.metadata is None:
                    continue
                for mode in _MODES:
                    if mode == node.metadata.mode:
                        continue
                    if time.monotonic() > self.deadline:
                        return None
                    if is_wanted(here | {name: with_mode(folder, path, mode)}):
                        now = node.metadata.mode
                        return Cause(
                            record=record,
                            kind="modes",
                            text=f"the mode of {path} is {mode_text(now)} here and {mode_text(mode)} in the cache",
                            remedy=f"chmod {mode_text(mode)} {path}",
                            paths=(path,),
                            was=mode_text(mode),
                        )
        return None

    def _folder(self, origin: LocalOrigin) -> Folder | Unknown:
        return self.work.trees.files.local(origin)

    def _compare(self, before: Folder, now: Folder, selections: Sequence[Selection]) -> Changes:
        return changed_files(before, now, selections, self.work.trees.hasher)

    def _in_history(
        self, record: int, here: dict[str, Folder], selections: Sequence[Selection], is_wanted: _IsWanted
    ) -> Cause:
        """Look for the newest commit whose files the cache has."""
        history = self.history
        assert history is not None
        newest: Folder | None = None
        for commit in history.commits(_COMMITS):
            if time.monotonic() > self.deadline:
                break
            whole = history.tree(commit.name)
            before = without_ignored(whole, self._ignored(whole))
            newest = newest or before
            if is_wanted(here | {"context": before}):
                changes = self._compare(before, here["context"], selections)
                return _since(record, commit, changes, before is newest)
        return _other(record)

    def _ignored(self, tree: Folder) -> tuple[str, ...]:
        """Read what a commit leaves out."""
        if self.work.patterns is not None:
            return self.work.patterns
        context, dockerfile = self.work.context, self.work.dockerfile
        name = ""
        if context is not None and dockerfile is not None and dockerfile.is_relative_to(context):
            name = dockerfile.relative_to(context).as_posix()
        return find_ignore_file(tree, name=name).patterns


def _modes(record: int, remedy: str, changes: Changes) -> Cause:
    path, (before, now) = next(iter(changes.modes.items()), ("", (0, 0)))
    if remedy.startswith("chmod"):
        where = path if len(changes.modes) == 1 else "."
        remedy = f"{remedy if where == '.' else remedy.replace(' -R', '')} {where}, or check out with a umask of 022"
    others = f" and {len(changes.modes) - 1} more" if len(changes.modes) > 1 else ""
    return Cause(
        record=record,
        kind="modes",
        text=f"the files are those of the cache, their modes are not: {path}{others} is {mode_text(now)} here and "
        f"{mode_text(before)} in the cache",
        remedy=remedy,
        paths=changes.paths,
        was=mode_text(before),
    )


def _git_folder(record: int) -> Cause:
    return Cause(
        record=record,
        kind="git-folder",
        text="the step takes .git, which every commit and every fetch changes",
        remedy=f"leave .git out with {NAME}",
        paths=(".git",),
    )


def _since(record: int, commit: Commit, changes: Changes, is_newest: bool) -> Cause:
    when = f"{commit.name[:7]} ({age(commit.seconds)})"
    if is_newest and changes.added and not (changes.changed or changes.removed or changes.modes):
        return Cause(
            record=record,
            kind="untracked",
            text=f"cached for commit {when}; {listed(changes.added)} {_verb(changes.added, 'is')} not in that commit",
            remedy=f"leave {'it' if len(changes.added) == 1 else 'them'} out with {NAME}, or commit",
            paths=changes.added,
            commit=commit.name,
        )
    said = [
        f"{listed(paths)} {_verb(paths, 'was')} {what}"
        for paths, what in ((changes.changed, "changed"), (changes.added, "added"), (changes.removed, "removed"))
        if paths
    ]
    if changes.modes:
        path, (before, now) = next(iter(changes.modes.items()))
        said.append(f"the mode of {path} went from {mode_text(before)} to {mode_text(now)}")
    return Cause(
        record=record,
        kind="files",
        text=f"cached for commit {when}; since then {', '.join(said) or 'nothing that can be named here changed'}",
        paths=changes.paths,
        commit=commit.name,
    )


def _verb(paths: Sequence[str], singular: str) -> str:
    return singular if len(paths) == 1 else {"is": "are", "was": "were"}[singular]


def _other(record: int, *, looked: bool = True) -> Cause:
    text = "the step is cached with other files than these"
    if looked:
        text += "; no commit that was looked at has them"
    return Cause(record=record, kind="other-files", text=text)
