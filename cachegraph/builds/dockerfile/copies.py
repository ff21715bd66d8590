"""COPY and ADD (BuildKit ``dockerfile2llb/convert_copy.go``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from cachegraph.builds import llb
from cachegraph.builds.content.selection import has_wildcards
from cachegraph.builds.dockerfile import instructions as read
from cachegraph.builds.dockerfile.contexts import git_vertex, http_vertex
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gitrefs import GitRef, parse_git
from cachegraph.builds.dockerfile.gotext import base, clean, join
from cachegraph.builds.dockerfile.owners import has_name, owner, parse_mode
from cachegraph.builds.dockerfile.paths import llb_path, normalize_path, without_drive
from cachegraph.builds.dockerfile.shell import Lexer
from cachegraph.builds.dockerfile.vertices import FileStep, FileVertex, MergeVertex, Vertex
from cachegraph.builds.operations import Label

if TYPE_CHECKING:
    from cachegraph.builds.dockerfile.dispatch import Dispatcher, Expand
    from cachegraph.builds.dockerfile.stages import Command, StageState

__all__ = ["copy_files"]

_DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}")
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_HTTP = ("http://", "https://")
_UNNAMED = "__unnamed__"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What all actions of one instruction share, with its variables substituted."""

    target: str
    owner: llb.Owner | None
    mode: int
    mode_text: str
    exclude: tuple[str, ...]

    def copy(
        self,
        src: str,
        *,
        from_tree: bool = False,
        include: tuple[str, ...] = (),
        required: tuple[str, ...] = (),
        unpack: bool = False,
    ) -> llb.AnyAction:
        """Make a copy; ``from_tree`` is how paths are copied, with links followed and wildcards."""
        copy = llb.Copy(
            src=llb_path("/", src),
            dest=self.target,
            owner=self.owner,
            mode=self.mode,
            mode_str=self.mode_text,
            follow_symlink=from_tree,
            dir_copy_contents=from_tree,
            attempt_unpack_docker_compatibility=unpack,
            create_dest_path=True,
            allow_wildcard=from_tree,
            allow_empty_wildcard=from_tree,
            timestamp=-1,
            include_patterns=include,
            exclude_patterns=self.exclude,
            required_paths=required,
        )
        return llb.AnyAction(copy=copy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A COPY or ADD, and where it takes files from."""

    instruction: read.Copy
    label: Label
    shared: _Shared
    system: str
    sources: tuple[str, ...]
    documents: tuple[tuple[str, str], ...]
    checksum: str
    from_vertex: Vertex | None

    @property
    def add(self) -> read.Add | None:
        """The instruction, if it is ADD."""
        return self.instruction if isinstance(self.instruction, read.Add) else None


def copy_files(
    dispatcher: Dispatcher, state: StageState, command: Command, instruction: read.Copy, expand: Expand
) -> None:
    """Carry out COPY or ADD.

    Raises
    ------
    DockerfileError
    """
    # What is taken out of a stage can be a link of its own, but not where modes are changed.
    chmod, chown = expand(instruction.chmod), expand(instruction.chown)
    linked = instruction.link and not chmod
    job = _job(dispatcher, state, command, instruction, expand, chmod, chown, linked=linked)
    before = state.state
    vertex = FileVertex(
        label=job.label,
        base=None if linked else before.output,
        steps=tuple(_steps(job, expand, dispatcher)),
        unknown=before.unknown,
        ignores_cache=state.no_cache,
    )
    output: Vertex = vertex
    if linked and before.output is not None:
        label = replace(job.label, name=f"LINK {job.label.name}")
        output = MergeVertex(
            label=label,
            parts=(before.output, vertex),
            unknown=before.unknown,
            ignores_cache=state.no_cache,
        )
    state.state = replace(before, output=output)
    paths = command.sources[0].paths if command.sources else state.context_paths
    paths |= {join("/", source) for source in job.sources if job.add is None or not source.startswith(_HTTP)}


def _job(
    dispatcher: Dispatcher,
    state: StageState,
    command: Command,
    instruction: read.Copy,
    expand: Expand,
    chmod: str,
    chown: str,
    *,
    linked: bool,
) -> _Job:
    checksum = expand(instruction.checksum) if isinstance(instruction, read.Add) else ""
    sources = tuple(expand(source) for source in instruction.sources)
    target = expand(instruction.target)
    documents = tuple(_documents(instruction, dispatcher, expand))
    if command.sources and not command.sources[0].is_ready:
        raise DockerfileError(
            f'cannot copy from stage "{instruction.source}", '
            f'it needs to be defined before current stage "{state.title}"'
        )
    if instruction.link and has_name(chown):
        raise DockerfileError(
            f"--chown={chown}: user and group names can't be resolved when used with --link",
            hint="use numeric uid[:gid] instead",
        )
    assert state.platform is not None
    mode, mode_text = parse_mode(chmod) if chmod else (-1, "")
    _check_checksum(checksum, sources)
    place = instruction.place
    return _Job(
        instruction=instruction,
        label=Label(name=place.text, stage=state.title, start=place.start, end=place.end),
        shared=_Shared(
            target=_target(state.state.folder, target, state.platform.os),
            owner=owner(chown, -1 if linked or state.state.output is None else 0) if chown else None,
            mode=mode,
            mode_text=mode_text,
            exclude=instruction.exclude,
        ),
        system=state.platform.os,
        sources=sources,
        documents=documents,
        checksum=checksum,
        from_vertex=command.sources[0].state.output if command.sources else dispatcher.context,
    )


def _documents(instruction: read.Copy, dispatcher: Dispatcher, expand: Expand) -> Iterator[tuple[str, str]]:
    """Give names and texts of heredocs; in their texts quotes mean nothing."""
    from cachegraph.builds.dockerfile.heredocs import without_tabs

    lexer = Lexer(plain_quotes=True, budget=dispatcher.lexer.budget)
    plain = replace(expand, lexer=lexer)
    for document in instruction.documents:
        text = without_tabs(document.text) if document.mark.chomps else document.text
        yield document.mark.name, plain(text) if document.mark.expands else text


def _target(folder: str, target: str, system: str) -> str:
    target = without_drive(target, system, keep_slash=True)
    if target in (".", ""):
        target = "./"
    return llb_path(folder, normalize_path(folder, target, system, keep_slash=True), keep_slash=True)


def _check_checksum(checksum: str, sources: tuple[str, ...]) -> None:
    if not checksum:
        return
    if len(sources) != 1:
        raise DockerfileError("checksum can't be specified for multiple sources")
    if not sources[0].startswith(_HTTP) and parse_git(sources[0]) is None:
        raise DockerfileError("checksum requires HTTP(S) or Git sources")


def _steps(job: _Job, expand: Expand, dispatcher: Dispatcher) -> Iterator[FileStep]:
    repositories = _Repositories(job)
    for source in job.sources:
        git = parse_git(source)
        if git is not None and not git.looks_local:
            yield FileStep(action=job.shared.copy("/"), source=repositories.vertex(git))
        elif git is None and source.startswith(_HTTP):
            yield _download(job, source)
        else:
            if not (job.instruction.source or dispatcher.is_ignored is None) and dispatcher.is_ignored(clean(source)):
                expand.checks.report("CopyIgnoredFile", job.label.start)
            yield FileStep(action=_from_tree(job, source), source=job.from_vertex)
    for name, text in job.documents:
        path = without_drive(name, job.system)
        mkfile = llb.Mkfile(
            path=llb_path("/", path), mode=0o644, data=text.encode(errors="surrogateescape"), timestamp=-1
        )
        document = FileVertex(
            label=replace(job.label, name="[internal] preparing inline document"),
            steps=(FileStep(action=llb.AnyAction(mkfile=mkfile)),),
        )
        yield FileStep(action=job.shared.copy(path), source=document)


class _Repositories:
    """The git sources of one ADD; what the address of one says of ``.git`` and the commit holds for the next too."""

    def __init__(self, job: _Job) -> None:
        self._label = job.label
        self._is_add = job.add is not None
        self._keep = job.add.keep_git_dir if job.add else None
        self._checksum = job.checksum

    def vertex(self, git: GitRef) -> Vertex:
        if not self._is_add:
            raise DockerfileError("source can't be a git ref for COPY", hint="use ADD")
        if self._keep is not None and git.keep_git_dir is not None and self._keep != git.keep_git_dir:
            raise DockerfileError("inconsistent keep-git-dir configuration")
        if self._checksum and git.checksum and self._checksum != git.checksum:
            raise DockerfileError(f'checksum mismatch "{self._checksum}" != "{git.checksum}"')
        self._keep = self._keep if git.keep_git_dir is None else git.keep_git_dir
        self._checksum = git.checksum or self._checksum
        # ADD does not look at what an address says of the time of files.
        return git_vertex(
            replace(git, mtime="", keep_git_dir=None), self._label, keep=bool(self._keep), checksum=self._checksum
        )


def _download(job: _Job, source: str) -> FileStep:
    if job.add is None:
        raise DockerfileError("source can't be a URL for COPY", hint="use ADD")
    if job.checksum and not _DIGEST.fullmatch(job.checksum):
        raise DockerfileError(f"invalid checksum digest format: {job.checksum}", hint="write sha256:...")
    try:
        path = urlsplit(source).path
    except ValueError:
        path = ""
    name = _UNNAMED if _BAD_ESCAPE.search(path) else base(unquote(path))
    name = _UNNAMED if name in (".", "/") else name
    vertex = http_vertex(source, name, job.label, job.checksum)
    return FileStep(action=job.shared.copy(name, unpack=bool(job.add.unpack)), source=vertex)


def _from_tree(job: _Job, source: str) -> llb.AnyAction:
    """Copy a path of the context, a stage or an image."""
    include: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    if job.instruction.parents:
        above, pivot, below = source.partition("/./")
        source, pattern = (above, below) if pivot else ("/", source)
        pattern = normalize_path("/", pattern, job.system)
        include = (pattern.removeprefix("/"),)
        if not has_wildcards(source) and not has_wildcards(pattern):
            required = (normalize_path("/", join(source, pattern), job.system),)
    unpack = job.add is not None and job.add.unpack is not False
    path = normalize_path("/", source, job.system)
    return job.shared.copy(path, from_tree=True, include=include, required=required, unpack=unpack)
