"""From a Dockerfile to the operations that it asks for (BuildKit ``dockerfile2llb/convert.go``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cachegraph.builds import llb
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.dockerfile import instructions as read
from cachegraph.builds.dockerfile.arguments import EPOCH, automatic, declare, settle_epoch
from cachegraph.builds.dockerfile.bases import PATH, Bases
from cachegraph.builds.dockerfile.checks import CheckOptions, Checks, read_check_options
from cachegraph.builds.dockerfile.contexts import Contexts
from cachegraph.builds.dockerfile.directives import check_directive, syntax_directive
from cachegraph.builds.dockerfile.dispatch import Dispatcher
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.lines import Tree, read_nodes
from cachegraph.builds.dockerfile.options import BuildOptions
from cachegraph.builds.dockerfile.platforms import parse_platform
from cachegraph.builds.dockerfile.reading import Source, read_stages
from cachegraph.builds.dockerfile.rules import check_bases, check_source
from cachegraph.builds.dockerfile.settling import settle
from cachegraph.builds.dockerfile.shell import Lexer
from cachegraph.builds.dockerfile.stages import Stages, StageState
from cachegraph.builds.dockerfile.vertices import Slot, Vertex
from cachegraph.builds.images import Images
from cachegraph.builds.operations import Label, Operation

__all__ = ["Converted", "convert"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What a Dockerfile asks for.

    Attributes
    ----------
    targets : tuple of Operation or None
        One for each platform; None where the target is scratch.
    platforms : tuple of llb.Platform
    frontend : str or None
        Another frontend that the Dockerfile asks for: it would read the Dockerfile, not the rules here.
    ignoring : frozenset of str
        Identities of operations that run whatever is cached (``--no-cache``).
    """

    targets: tuple[Operation | None, ...]
    platforms: tuple[llb.Platform, ...]
    frontend: str | None = None
    ignoring: frozenset[str] = frozenset()


def convert(
    data: bytes,
    options: BuildOptions,
    images: Images,
    folders: Mapping[str, str] | None = None,
    *,
    file: str = "Dockerfile",
    is_ignored: Callable[[str], bool] | None = None,
) -> Converted:
    """Make the operations that a Dockerfile asks for.

    Parameters
    ----------
    data : bytes
        The Dockerfile.
    options : BuildOptions
    images : Images
    folders : mapping of str to str, optional
        Folders of the client by name: ``context``, and those of named contexts.
    file : str
        What errors call the Dockerfile.
    is_ignored : callable, optional
        Tells whether the ignore file hides a path for good; only ``# check=error=true`` asks.

    Raises
    ------
    DockerfileError
        What BuildKit refuses, with file and line.
    """
    text = data.decode(errors="surrogateescape")
    contexts = Contexts(options=options, images=images, folders=folders or {})
    try:
        frontend = _frontend(text, options)
        tree = read_nodes(data, file)
        source = read_stages(tree)
        checks = Checks(options=read_check_options(check_directive(text) if options.check is None else options.check))
        targets: list[tuple[Vertex | None, llb.Platform]] = []
        for platform in options.platforms or (None,):
            conversion = _Conversion(tree, source, contexts, platform, checks, is_ignored)
            targets.append((conversion.run(), conversion.target_platform))
            # BuildKit warns once, not for each platform.
            checks = Checks(options=CheckOptions())
        made = settle(targets)
    except DockerfileError as error:
        raise error.at(0, file) from None
    platforms = tuple(platform for _, platform in targets)
    return Converted(targets=made.targets, platforms=platforms, frontend=frontend, ignoring=made.ignoring)


def _frontend(text: str, options: BuildOptions) -> str | None:
    if options.syntax is None:
        return syntax_directive(text)
    if not options.syntax.strip():
        raise DockerfileError(
            f"failed with build-arg:BUILDKIT_SYNTAX = {options.syntax}: invalid reference format",
            hint="leave the argument out to build with the Dockerfile's own syntax",
        )
    return options.syntax


class _Conversion:
    """One platform of a build."""

    def __init__(
        self,
        tree: Tree,
        source: Source,
        contexts: Contexts,
        platform: llb.Platform | None,
        checks: Checks,
        is_ignored: Callable[[str], bool] | None,
    ) -> None:
        self.options = contexts.options
        self.contexts = contexts
        self.source = source
        self.asked = platform
        self.target_platform = platform or self.options.builder
        self.checks = checks
        self.is_ignored = is_ignored
        self.lexer = Lexer(escape=tree.escape)
        self.stages = Stages()
        self.build_args = dict(self.options.build_args)
        check_source(tree, source, checks)
        stage = self.options.target or source.stages[-1].name
        given = automatic(self.options.builder, self.target_platform, stage, self.build_args)
        check_bases(source, self.lexer, given, checks)
        self.arguments = declare(source.arguments, given, self.build_args, self.lexer)
        self.epoch, time_of = settle_epoch(self.arguments, self.build_args)
        self.unknown = self._unknown_time(time_of) if time_of else None

    def _unknown_time(self, name: str) -> Unknown:
        """Say that the time of a source is only known in a build; a name that is none is refused."""
        is_stage = any(stage.name == name.lower() for stage in self.source.stages)
        if name != "context" and not is_stage and self.contexts.find(name, None, None) is None:
            raise DockerfileError(f"invalid {EPOCH}: {name}", hint="give seconds since 1970")
        reason = f"{EPOCH}={name} takes its time from a source, which is only known in a build; give a number"
        return Unknown(because="remote", reason=reason)

    def run(self) -> Vertex | None:
        """Carry out the Dockerfile; give what the target stage makes."""
        for number, stage in enumerate(self.source.stages):
            try:
                self._open_stage(number, stage)
            except DockerfileError as error:
                raise error.at(stage.place.start) from None
        target = self.stages.target(self.options.target)
        self.stages.connect()
        bases = Bases(contexts=self.contexts, target=self.target_platform, asked=self.asked, checks=self.checks)
        needed = self.stages.settle(target, bases.resolve)
        context = Slot(label=Label(name="[internal] load build context"))
        self._dispatch([state for state in self.stages.all if state in needed], context)
        target.paths.add("/")
        self.checks.raise_broken()
        context.source = self.contexts.main({path for state in self.stages.all for path in state.context_paths})
        return target.state.output

    def _open_stage(self, number: int, stage: read.Stage) -> None:
        checks = self.checks.above(stage.place.comments)
        known = self.arguments.keys() | {d.name for a in self.source.arguments for d in a.declarations}
        base = self.lexer.expand(stage.base, self.arguments)
        if base.missing - known:
            checks.report("UndefinedArgInFrom", stage.place.start)
        if not base.text:
            raise DockerfileError(f"base name ({stage.base}) should not be blank")
        state = StageState(stage=stage, base_name=base.text, title=stage.name or f"stage-{number}")
        if stage.platform:
            state.platform = self._platform(stage, checks, known)
        if stage.name:
            state.context = self.contexts.find(stage.name, state.platform, self.asked)
        self.stages.add(state)
        if state.context is not None:
            state.base = None
        state.no_cache = self.options.is_no_cache(stage.name)

    def _platform(self, stage: read.Stage, checks: Checks, known: set[str]) -> llb.Platform:
        expanded = self.lexer.expand(stage.platform, self.arguments)
        line = stage.place.start
        if expanded.missing - known:
            checks.report("UndefinedArgInFrom", line)
        is_target = expanded.found == {"TARGETPLATFORM"} and not expanded.missing
        if is_target and expanded.text == self.arguments["TARGETPLATFORM"]:
            checks.report("RedundantTargetPlatform", line)
        if not expanded.text:
            raise DockerfileError(f"empty platform value from expression {stage.platform}")
        platform = parse_platform(expanded.text)
        is_constant = not expanded.found and not expanded.missing
        if is_constant and platform.os not in stage.name and platform.architecture not in stage.name:
            checks.report("FromPlatformFlagConstDisallowed", line)
        return platform

    def _dispatch(self, states: list[StageState], context: Vertex) -> None:
        dispatcher = Dispatcher(
            options=self.options,
            build_args=self.build_args,
            arguments=self.arguments,
            lexer=self.lexer,
            context=context,
            epoch=self.epoch,
            checks=self.checks,
            is_ignored=self.is_ignored,
        )
        for state in states:
            if state.is_ready:
                continue
            self._start(state)
            for command in state.commands:
                try:
                    dispatcher.dispatch(state, command)
                except DockerfileError as error:
                    raise error.at(command.instruction.place.start) from None

    def _start(self, state: StageState) -> None:
        """Begin a stage with what the config of its base says."""
        state.inherit()
        state.is_ready = True
        platform = state.platform = state.platform or self.target_platform
        entries = [entry.partition("=") for entry in state.image.env]
        if not any(name == "PATH" for name, _, _ in entries) and platform.os != "windows":
            entries.append(("PATH", "=", PATH))
            state.image = replace(state.image, env=(*state.image.env, f"PATH={PATH}"))
        state.state = replace(
            state.state.with_env((name, value) for name, _, value in entries),
            hostname=self.options.hostname or state.state.hostname,
            network=self.options.network,
            unknown=state.state.unknown or self.unknown,
        )
        Dispatcher.start(state)
