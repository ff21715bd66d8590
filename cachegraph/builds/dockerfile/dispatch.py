"""Carrying out one instruction after the other (BuildKit ``dockerfile2llb/convert.go``: ``dispatch``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cachegraph.builds import llb
from cachegraph.builds.dockerfile import instructions as read
from cachegraph.builds.dockerfile.checks import Checks
from cachegraph.builds.dockerfile.copies import copy_files
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.options import BuildOptions
from cachegraph.builds.dockerfile.owners import owner
from cachegraph.builds.dockerfile.paths import is_absolute_on, llb_path, normalize_workdir, to_slash
from cachegraph.builds.dockerfile.quantities import check_port, check_signal
from cachegraph.builds.dockerfile.runs import run
from cachegraph.builds.dockerfile.shell import Expanded, Lexer
from cachegraph.builds.dockerfile.stages import Command, StageState
from cachegraph.builds.dockerfile.vertices import FileStep, FileVertex, Vertex
from cachegraph.builds.operations import Label

__all__ = ["Dispatcher", "Expand", "label_of"]

_NOT_IN_ENV = frozenset({"BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"})
_SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)", re.IGNORECASE
)
_NO_SECRET = re.compile(r"(?:_|^)(?:public|file|version)(?:_|$)", re.IGNORECASE)
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """What instructions are carried out with.

    Attributes
    ----------
    build_args : mapping of str to str
        Given with the build.
    arguments : mapping of str to str
        Those of the whole file.
    context : Vertex
        The build context.
    epoch : int or None
        SOURCE_DATE_EPOCH in seconds.
    is_ignored : callable, optional
        Tells whether ``.dockerignore`` hides a path, where no pattern makes an exception.
    """

    options: BuildOptions
    build_args: Mapping[str, str]
    arguments: Mapping[str, str]
    lexer: Lexer
    context: Vertex
    epoch: int | None
    checks: Checks
    is_ignored: Callable[[str], bool] | None = None

    @staticmethod
    def start(state: StageState) -> None:
        """Set the folder and the user that the config of a base image says."""
        if state.image.working_dir:
            _set_folder(state, state.image.working_dir)
        if state.image.user:
            state.state = replace(state.state, user=state.image.user)

    def expander(self, state: StageState, command: Command, lexer: Lexer | None = None) -> Expand:
        """Give what substitutes the variables of an instruction."""
        checks = self.checks.above(command.instruction.place.comments)
        return Expand(lexer or self.lexer, state, command.instruction.place.start, checks)

    def dispatch(self, state: StageState, command: Command) -> None:
        """Carry out an instruction.

        Raises
        ------
        DockerfileError
            What BuildKit refuses.
        """
        expand = self.expander(state, command)
        match command.instruction:
            case read.Run() as instruction:
                run(self, state, command, instruction, expand)
            case read.Copy() as instruction:
                copy_files(self, state, command, instruction, expand)
            case read.Workdir() as instruction:
                self._workdir(state, instruction, expand)
            case read.Env() as instruction:
                self._env(state, instruction, expand)
            case read.Arg() as instruction:
                self._arg(state, instruction, expand)
            case read.User() as instruction:
                user = expand(instruction.user)
                state.state = replace(state.state, user=user)
                state.image = replace(state.image, user=user)
            case read.Shell() as instruction:
                state.image = replace(state.image, shell=instruction.arguments)
            case other:
                self._without_operation(state, other, expand)

    def _workdir(self, state: StageState, instruction: read.Workdir, expand: Expand) -> None:
        path = expand(instruction.path)
        assert state.platform is not None
        if not state.has_workdir and not is_absolute_on(path, state.platform.os):
            expand.checks.report("WorkdirRelativePath", instruction.place.start)
        state.has_workdir = True
        _set_folder(state, path)
        folder = state.state.folder
        if folder == "/":
            return
        mkdir = llb.Mkdir(
            path=llb_path(folder, folder),
            mode=0o755,
            make_parents=True,
            owner=owner(state.image.user, -1 if state.state.output is None else 0) if state.image.user else None,
            timestamp=-1 if self.epoch is None else self.epoch * _NANOSECONDS,
        )
        vertex = FileVertex(
            label=label_of(state, instruction),
            base=state.state.output,
            steps=(FileStep(action=llb.AnyAction(mkdir=mkdir)),),
            unknown=state.state.unknown,
        )
        state.state = replace(state.state, output=vertex)

    @staticmethod
    def _env(state: StageState, instruction: read.Env, expand: Expand) -> None:
        pairs = [(expand(pair.name), expand(pair.value), pair.old) for pair in instruction.pairs]
        for name, _, old in pairs:
            if old:
                expand.checks.report("LegacyKeyValueFormat", instruction.place.start)
            _refuse_secret(name, instruction.place.start, expand.checks)
        state.state = state.state.with_env((name, value) for name, value, _ in pairs)
        state.set_env += [(name, value) for name, value, _ in pairs]

    def _arg(self, state: StageState, instruction: read.Arg, expand: Expand) -> None:
        env = dict(state.state.env)
        for declaration in instruction.declarations:
            name = declaration.name
            _refuse_secret(name, instruction.place.start, expand.checks)
            value = self.build_args.get(name)
            if value is None and declaration.value is not None:
                value = expand(declaration.value, env)
            elif value is None:
                value = self.arguments.get(name)
            if value is not None and name not in _NOT_IN_ENV:
                env.pop(name, None)
                env[name] = value
            state.declared.append(name)
        state.state = replace(state.state, env=env)

    def _without_operation(self, state: StageState, instruction: read.Instruction, expand: Expand) -> None:
        """Check what makes no operation: BuildKit refuses some of it."""
        line = instruction.place.start
        match instruction:
            case read.Label():
                for pair in instruction.pairs:
                    expand(pair.name)
                    expand(pair.value)
                    if pair.old:
                        expand.checks.report("LegacyKeyValueFormat", line)
            case read.Volume():
                self._volume(instruction, expand)
            case read.StopSignal():
                check_signal(expand(instruction.signal))
            case read.Expose():
                self._expose(state, instruction, expand)
            case read.Launch():
                self._launch(state, instruction, expand)
            case read.Healthcheck():
                if state.has_healthcheck:
                    expand.checks.report("MultipleInstructionsDisallowed", line)
                state.has_healthcheck = True

    @staticmethod
    def _volume(instruction: read.Volume, expand: Expand) -> None:
        paths = [expand(path) for path in instruction.paths]
        if not all(paths):
            raise DockerfileError("VOLUME specified can not be an empty string")

    @staticmethod
    def _launch(state: StageState, instruction: read.Launch, expand: Expand) -> None:
        if state.has_entrypoint if instruction.is_entrypoint else state.has_command:
            expand.checks.report("MultipleInstructionsDisallowed", instruction.place.start)
        if instruction.in_shell and not state.image.shell:
            expand.checks.report("JSONArgsRecommended", instruction.place.start)
        state.has_entrypoint = state.has_entrypoint or instruction.is_entrypoint
        state.has_command = state.has_command or not instruction.is_entrypoint

    def _expose(self, state: StageState, instruction: read.Expose, expand: Expand) -> None:
        for text in instruction.ports:
            for port in self.lexer.expand(text, state.state.env).words:
                check_port(port)
                *before, inside = port.split(":")
                protocol = inside.partition("/")[2]
                if protocol != protocol.lower():
                    expand.checks.report("ExposeProtoCasing", instruction.place.start)
                if any(before):
                    expand.checks.report("ExposeInvalidFormat", instruction.place.start)


@dataclass(frozen=True, slots=True)
class Expand:
    """Substitutes the variables of one instruction."""

    lexer: Lexer
    state: StageState
    line: int
    checks: Checks

    def __call__(self, text: str, env: Mapping[str, str] | None = None) -> str:
        """Substitute the variables of a text, those of the stage by default."""
        expanded: Expanded = self.lexer.expand(text, self.state.state.env if env is None else env)
        if self.checks.counts and expanded.missing.difference(self.state.declared, _NOT_IN_ENV):
            self.checks.report("UndefinedVar", self.line)
        return expanded.text


def label_of(state: StageState, instruction: read.Instruction) -> Label:
    """Name what an instruction makes."""
    place = instruction.place
    return Label(name=place.text, stage=state.title, start=place.start, end=place.end)


def _set_folder(state: StageState, path: str) -> None:
    system = state.platform.os if state.platform else ""
    folder = normalize_workdir(state.image.working_dir, path, system)
    state.image = replace(state.image, working_dir=folder)
    state.state = replace(state.state, folder=to_slash(folder, system))


def _refuse_secret(name: str, line: int, checks: Checks) -> None:
    if _SECRET.search(name) and not _NO_SECRET.search(name):
        checks.report("SecretsUsedInArgOrEnv", line)
