"""The files behind each operation, as far as they can be known without running anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from cachegraph.builds.content.commands import is_simple, run_commands
from cachegraph.builds.content.digests import content_digest
from cachegraph.builds.content.fileops import apply_file, merge_trees
from cachegraph.builds.content.hashing import Hasher
from cachegraph.builds.content.nodes import Folder, digest_of, scratch
from cachegraph.builds.content.selection import Selection, clean, has_wildcards
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.llb import Exec
from cachegraph.builds.operations import GitOrigin, HttpOrigin, ImageOrigin, LocalOrigin, Operation
from cachegraph.core.untrusted import known_json

__all__ = ["Files", "FilesOver", "Tree", "Trees"]

Tree = Folder | Unknown

_NOTHING = digest_of(digest_of(b"").encode())
"""The content of a wildcard that matches nothing."""


class Files(Protocol):
    """Reads the files of sources."""

    def local(self, origin: LocalOrigin) -> Tree:
        """Open a folder of the client, what ``.dockerignore`` hides left out."""

    def image(self, origin: ImageOrigin) -> Tree:
        """Open an image."""

    def is_near(self, origin: ImageOrigin) -> bool:
        """Tell whether an image's files are read without a download."""

    def repository(self, origin: GitOrigin) -> Tree:
        """Open a commit."""

    def download(self, origin: HttpOrigin) -> Tree:
        """Open a file behind an address."""


@dataclass(slots=True, kw_only=True)
class FilesOver:
    """Files of sources that others read, for what makes some of them another's."""

    files: Files

    def local(self, origin: LocalOrigin) -> Tree:
        """Open a folder of the client."""
        return self.files.local(origin)

    def image(self, origin: ImageOrigin) -> Tree:
        """Open an image."""
        return self.files.image(origin)

    def is_near(self, origin: ImageOrigin) -> bool:
        """Tell whether an image's files are read without a download."""
        return self.files.is_near(origin)

    def repository(self, origin: GitOrigin) -> Tree:
        """Open a commit."""
        return self.files.repository(origin)

    def download(self, origin: HttpOrigin) -> Tree:
        """Open a file behind an address."""
        return self.files.download(origin)


@dataclass(slots=True, kw_only=True)
class Trees:
    """The trees of a build, each made once and only if something asks for it.

    Attributes
    ----------
    files : Files
    hasher : Hasher
    commands : bool
        Work out what a RUN of simple commands leaves, where the files that it begins with are at hand.
    followed : dict of str to Operation
        By identity, each RUN whose files were worked out and hashed.
    """

    files: Files
    hasher: Hasher = field(default_factory=Hasher)
    commands: bool = True
    followed: dict[str, Operation] = field(default_factory=dict)
    _made: dict[str, Tree] = field(default_factory=dict)
    _behind: dict[str, dict[str, Operation]] = field(default_factory=dict)
    _near: dict[str, bool] = field(default_factory=dict)

    def tree(self, operation: Operation) -> Tree:
        """Give the files that an operation makes."""
        waiting = [operation]
        while waiting:
            current = waiting[-1]
            if current.identity in self._made:
                waiting.pop()
                continue
            missing = [source for source in self._needed(current) if source.identity not in self._made]
            if missing:
                waiting += missing
                continue
            self._made[current.identity] = self._make(current)
            waiting.pop()
        return self._made[operation.identity]

    def _needed(self, operation: Operation) -> Sequence[Operation]:
        if operation.unknown is not None:
            return ()
        made = operation.op.file or operation.op.merge or self._is_followed(operation)
        return operation.inputs if made else ()

    def _is_followed(self, operation: Operation) -> bool:
        """Tell whether what a RUN leaves can be worked out without a download."""
        return (
            self.commands
            and operation.op.exec is not None
            and operation.unknown is None
            and is_simple(operation.op.exec)
            and self._is_near(operation)
        )

    def _is_near(self, operation: Operation) -> bool:
        """Tell whether all files behind an operation are at hand."""
        waiting = [operation]
        while waiting:
            current = waiting[-1]
            missing = [source for source in current.inputs if source.identity not in self._near]
            if current.identity in self._near or not missing:
                waiting.pop()
                origin = current.origin
                # What git and http sources hold is asked for in any case: a step takes them by their content.
                here = not isinstance(origin, ImageOrigin) or self.files.is_near(origin)
                run = current.op.exec is None or is_simple(current.op.exec)
                self._near[current.identity] = (
                    here
                    and run
                    and current.unknown is None
                    and all(self._near[source.identity] for source in current.inputs)
                )
            else:
                waiting += missing
        return self._near[operation.identity]

    def _make(self, operation: Operation) -> Tree:
        if operation.unknown is not None:
            return operation.unknown
        needed = self._needed(operation)
        inputs = [self._made[source.identity] for source in needed]
        if behind := {name: one for source in needed for name, one in self._behind.get(source.identity, {}).items()}:
            self._behind[operation.identity] = behind
        if operation.op.file:
            return apply_file(operation.op.file, inputs)[0]
        if operation.op.merge:
            return merge_trees(inputs)
        if operation.op.exec:
            return self._run(operation, operation.op.exec, inputs)
        if operation.op.diff:
            return Unknown(because="run", reason=f"{place(operation)} makes a difference, which is not worked out here")
        return self._open(operation)

    def _run(self, operation: Operation, run: Exec, inputs: Sequence[Tree]) -> Tree:
        """Work out what a RUN leaves, where that can be known."""
        made = run_commands(run, inputs) if inputs else None
        if isinstance(made, Folder):
            self._behind[operation.identity] = {
                **self._behind.get(operation.identity, {}),
                operation.identity: operation,
            }
            return made
        return Unknown(because="run", reason=f"{place(operation)} has to run first")

    def _open(self, operation: Operation) -> Tree:
        readers: dict[type, Callable[..., Tree]] = {
            LocalOrigin: self.files.local,
            ImageOrigin: self.files.image,
            GitOrigin: self.files.repository,
            HttpOrigin: self.files.download,
        }
        return readers[type(operation.origin)](operation.origin)

    def content(self, operation: Operation, selections: Sequence[Selection]) -> str | Unknown:
        """Hash what is selected of the files that an operation makes."""
        found = content_digest(self.tree(operation), selections, self.hasher)
        behind = self._behind.get(operation.identity, {})
        if isinstance(found, str):
            self.followed |= behind
        elif behind:
            # What a RUN leaves was worked out: on that alone no build is refused.
            return Unknown(because="run", reason=f"{place(next(reversed(behind.values())))} has to run first")
        return found

    def refusal(self, operation: Operation) -> Unknown | None:
        """Say why BuildKit would end the build when it carries out a file operation; None as far as is known."""
        file = operation.op.file
        if not file or operation.unknown is not None:
            return None
        if any(self.tree(source) and source.identity in self._behind for source in operation.inputs):
            return self._not_sent(operation)
        trees = [self.tree(source) for source in operation.inputs]
        base = file.actions[0].input
        if base >= 0 and isinstance(trees[base], Unknown):
            if any(action.secondary_input == base for action in file.actions):
                return None
            # What is not there to be copied is missing whatever it is copied onto.
            trees[base] = scratch()
        made = apply_file(file, trees)[0]
        if isinstance(made, Unknown) and made.because == "refused":
            return made
        return self._not_sent(operation)

    def _not_sent(self, operation: Operation) -> Unknown | None:
        """Find a wildcard that matches nothing in a folder which the client then does not send at all."""
        for action in operation.op.file.actions if operation.op.file else ():
            copy = action.action.copy
            if copy is None or not copy.allow_wildcard or not has_wildcards(copy.src):
                continue
            source = operation.inputs[action.secondary_input]
            sent = _sent(source)
            folder = _folder_of(copy.src)
            if sent is not None and folder and not any(self._sends(source, path, folder) for path in sent):
                return Unknown(because="refused", reason=f"lstat {folder}: no such file or directory")
        return None

    def _sends(self, source: Operation, path: str, folder: str) -> bool:
        """Tell whether a path that is sent takes a folder along."""
        inside = path == folder or path.startswith(f"{folder}/")
        if not inside:
            return folder.startswith(f"{path}/")
        selection = Selection(path=path, follow=True, wildcard=has_wildcards(path))
        found = self.content(source, [selection])
        return isinstance(found, str) and found != _NOTHING


_PATHS = msgspec.json.Decoder(list[str])


def _sent(operation: Operation) -> list[str] | None:
    """List the paths that a client is asked for; None if that is all it has, or it is no client."""
    text = operation.op.source.attrs.get("local.followpaths") if operation.op.source else None
    if text is None or not isinstance(operation.origin, LocalOrigin):
        return None
    paths = known_json(text.encode("utf-8", "replace"), _PATHS)
    return None if paths is None else [clean(path) for path in paths]


def _folder_of(pattern: str) -> str:
    """Give the folder in front of the first wildcard; empty at the top."""
    parts = clean(pattern).split("/")
    first = next(place for place, part in enumerate(parts) if has_wildcards(part))
    return "/".join(parts[:first])


def place(operation: Operation) -> str:
    """Name an operation and its line."""
    label = operation.label
    return f"line {label.start}: {label.name}" if label.start else label.name
