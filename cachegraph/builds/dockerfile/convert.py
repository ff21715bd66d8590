"""From stages to operations: what each instruction makes (BuildKit ``dockerfile2llb/convert.go``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cachegraph.builds import llb
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.dockerfile import instructions as read
from cachegraph.builds.dockerfile.checks import Checks, read_check_options
from cachegraph.builds.dockerfile.contexts import Contexts, Loaded
from cachegraph.builds.dockerfile.directives import check_directive, syntax_directive
from cachegraph.builds.dockerfile.dispatch import Dispatcher
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import parse_int
from cachegraph.builds.dockerfile.lines import Tree, read_nodes
from cachegraph.builds.dockerfile.options import BuildOptions
from cachegraph.builds.dockerfile.platforms import (
    default_platform,
    format_platform,
    normalize,
    parse_platform,
    short_platform,
)
from cachegraph.builds.dockerfile.reading import Source, read_stages
from cachegraph.builds.dockerfile.references import parse_reference
from cachegraph.builds.dockerfile.rules import check_bases, check_source
from cachegraph.builds.dockerfile.shell import Budget, Lexer
from cachegraph.builds.dockerfile.stages import StageState, Stages
from cachegraph.builds.dockerfile.vertices import Slot, SourceVertex, State, Vertex, settle
from cachegraph.builds.images import ImageConfig, Images
from cachegraph.builds.operations import ImageOrigin, Label, Operation

__all__ = ["Converted", "convert"]

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PATH_WINDOWS = "c:\\Windows\\System32;c:\\Windows;C:\\Windows\\System32\\WindowsPowerShell\\v1.0"
_EPOCH = "SOURCE_DATE_EPOCH"


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
    """

    targets: tuple[Operation | None, ...]
    platforms: tuple[llb.Platform, ...]
    frontend: str | None = None


def convert(
    data: bytes,
    options: BuildOptions,
    images: Images,
    folders: Mapping[str, str] | None = None,
    *,
    file: str = "Dockerfile",
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

    Raises
    ------
    DockerfileError
        What BuildKit refuses, with file and line.
    """
    text = data.decode(errors="surrogateescape")
    frontend = options.syntax if options.syntax is not None else syntax_directive(text)
    try:
        if options.syntax is not None and not options.syntax.strip():
            raise DockerfileError(
                f"failed with build-arg:BUILDKIT_SYNTAX = {options.syntax}: invalid reference format",
                hint="leave the argument out to build with the Dockerfile's own syntax",
            )
        tree = read_nodes(data, file)
        source = read_stages(tree)
        checks = Checks(
            options=read_check_options(check_directive(text) if options.check is None else options.check)
        )
        contexts = Contexts(options=options, images=images, folders=folders or {})
        targets: list[tuple[Vertex | None, llb.Platform]] = []
        for number, platform in enumerate(options.platforms or (None,)):
            conversion = _Conversion(tree, source, contexts, platform, checks if number == 0 else Checks(options=_quiet))
            targets.append((conversion.run(), conversion.target_platform))
        return Converted(
            targets=tuple(settle(targets)), platforms=tuple(platform for _, platform in targets), frontend=frontend
        )
    except DockerfileError as error:
        raise error.at(0, file) from None


_quiet = read_check_options("")


class _Conversion:
    """One platform of a build."""

    def __init__(
        self, tree: Tree, source: Source, contexts: Contexts, platform: llb.Platform | None, checks: Checks
    ) -> None:
        self.options = contexts.options
        self.contexts = contexts
        self.source = source
        self.tree = tree
        self.asked = platform
        self.target_platform = platform or self.options.builder
        self.checks = checks
        self.lexer = Lexer(escape=tree.escape, budget=Budget())
        self.stages = Stages()
        self.build_args = dict(self.options.build_args)
        self.unknown: Unknown | None = None
        self.epoch: int | None = None
        check_source(tree, source, checks)
        self.arguments = self._arguments()

    def run(self) -> Vertex | None:
        """Carry out the Dockerfile; give what the target stage makes."""
        self._open_stages()
        target = self.stages.target(self.options.target)
        self.stages.connect()
        needed = self.stages.settle(target, self._resolve)
        context = Slot(label=Label(name="[internal] load build context"))
        paths: set[str] = set()
        dispatcher = Dispatcher(
            stages=self.stages,
            options=self.options,
            build_args=self.build_args,
            arguments=self.arguments,
            lexer=self.lexer,
            context=context,
            target_platform=self.target_platform,
            epoch=self.epoch,
            checks=self.checks,
        )
        for state in self.stages.all:
            if state not in needed or state.is_ready:
                continue
            self._start(state)
            for command in state.commands:
                try:
                    dispatcher.dispatch(state, command)
                except DockerfileError as error:
                    raise error.at(command.instruction.place.start) from None
            paths |= state.context_paths
        target.paths.add("/")
        self.checks.raise_broken()
        context.source = self.contexts.main(paths)
        return target.state.output

    # --- Arguments ---------------------------------------------------------------------------------------------------

    def _arguments(self) -> dict[str, str]:
        """Give the ARGs of the whole file: automatic ones, and those above the first FROM."""
        target = self.options.target or self.source.stages[-1].name or "default"
        builder, here = self.options.builder, self.target_platform
        automatic = {
            "BUILDPLATFORM": short_platform(builder),
            "BUILDOS": builder.os,
            "BUILDOSVERSION": builder.os_version,
            "BUILDARCH": builder.architecture,
            "BUILDVARIANT": builder.variant,
            "TARGETPLATFORM": format_platform(here),
            "TARGETOS": here.os,
            "TARGETOSVERSION": here.os_version,
            "TARGETARCH": here.architecture,
            "TARGETVARIANT": here.variant,
            "TARGETSTAGE": target,
        }
        arguments = {name: self.build_args.get(name, value) for name, value in automatic.items()}
        check_bases(self.source, self.lexer, self._declared(dict(arguments), {}, quiet=True), self.checks)
        arguments = self._declared(arguments, self.build_args) or {}
        return self._with_epoch(arguments)

    def _declared(
        self, arguments: dict[str, str], given: Mapping[str, str], *, quiet: bool = False
    ) -> dict[str, str] | None:
        for instruction in self.source.arguments:
            for declaration in instruction.declarations:
                value = given.get(declaration.name)
                if value is None and declaration.value is not None:
                    try:
                        value = self.lexer.expand(declaration.value, arguments).text
                    except DockerfileError as error:
                        if quiet:
                            return None
                        raise error.at(instruction.place.start) from None
                if value is not None:
                    arguments.pop(declaration.name, None)
                    arguments[declaration.name] = value
        return arguments

    def _with_epoch(self, arguments: dict[str, str]) -> dict[str, str]:
        """Settle SOURCE_DATE_EPOCH, which WORKDIR writes into its key."""
        value = self.build_args.get(_EPOCH)
        if value is None:
            value = arguments.get(_EPOCH) or None
        if value is None:
            return arguments
        seconds = parse_int(value, signed=True) if value else None
        if value and seconds is None:
            if not self._is_source(value):
                raise DockerfileError(f"invalid {_EPOCH}: {value}", hint="give seconds since 1970")
            self.unknown = Unknown(
                because="remote",
                reason=f"{_EPOCH}={value} takes its time from a source, which is only known in a build; give a number",
            )
        self.epoch = seconds
        written = "" if seconds is None else str(seconds)
        for values in (self.build_args, arguments):
            if _EPOCH in values:
                if written:
                    values[_EPOCH] = written
                else:
                    del values[_EPOCH]
        return arguments

    def _is_source(self, name: str) -> bool:
        """Tell whether a name stands for something that has a time of its own: a context, or a stage of one ADD."""
        if name == "context" or self.contexts.find(name, None, None) is not None:
            return True
        return any(stage.name == name.lower() for stage in self.source.stages)

    # --- Stages ------------------------------------------------------------------------------------------------------

    def _open_stages(self) -> None:
        for number, stage in enumerate(self.source.stages):
            try:
                self._open_stage(number, stage)
            except DockerfileError as error:
                raise error.at(stage.place.start) from None

    def _open_stage(self, number: int, stage: read.Stage) -> None:
        checks = self.checks.above(stage.place.comments)
        base = self.lexer.expand(stage.base, self.arguments)
        known = self.arguments.keys() | {d.name for a in self.source.arguments for d in a.declarations}
        for _ in base.missing - known:
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
        for _ in expanded.missing - known:
            checks.report("UndefinedArgInFrom", line)
        if expanded.found == {"TARGETPLATFORM"} and not expanded.missing:
            if expanded.text == self.arguments["TARGETPLATFORM"]:
                checks.report("RedundantTargetPlatform", line)
        if not expanded.text:
            raise DockerfileError(f"empty platform value from expression {stage.platform}")
        platform = parse_platform(expanded.text)
        if not expanded.found | expanded.missing:
            if platform.os not in stage.name and platform.architecture not in stage.name:
                checks.report("FromPlatformFlagConstDisallowed", line)
        return platform

    def _resolve(self, state: StageState, needed: bool) -> None:  # noqa: FBT001
        """Resolve the base of a stage that stands on no other (``resolveBaseImage``)."""
        try:
            if state.base_name == "scratch" and state.context is None:
                state.platform = self.target_platform
                state.image = _empty_image(self.target_platform)
            elif needed:
                self._resolve_needed(state)
            else:
                parse_reference(state.base_name)
        except DockerfileError as error:
            raise error.at(state.line) from None
        if state.is_unnamed:
            state.is_ready = True

    def _resolve_needed(self, state: StageState) -> None:
        reference = parse_reference(state.base_name).with_tag()
        platform = state.platform or self.target_platform
        if state.context is not None:
            self._resolve_context(state, self.contexts.load(state.context, state.paths))
            return
        context = self.contexts.find(str(reference), platform, self.asked)
        if context is not None:
            loaded = self.contexts.load(context, state.paths)
            state.image = loaded.config or _empty_image(platform)
            state.state = replace(loaded.state, platform=normalize(platform))
            state.platform = platform
            return
        self._resolve_image(state, str(reference), platform)

    @staticmethod
    def _resolve_context(state: StageState, loaded: Loaded) -> None:
        """Put a context in the place of a stage."""
        state.is_ready = True
        state.state = loaded.state
        if loaded.config is not None:
            state.image = loaded.config
            if loaded.config.platform.os and loaded.config.platform.architecture:
                state.platform = loaded.config.platform

    def _resolve_image(self, state: StageState, reference: str, platform: llb.Platform) -> None:
        found = self.contexts.resolve(reference, platform)
        label = Label(name=f"FROM {state.base_name}", stage=state.title, start=state.line, end=state.stage.place.end)
        if isinstance(found, Unknown):
            vertex = SourceVertex(label=label, identifier=f"docker-image://{reference}", unknown=found)
            vertex.platform = normalize(platform)
            state.state = State(output=vertex, platform=normalize(platform), unknown=found)
            state.platform = platform
            return
        config = ImageConfig() if isinstance(found.config, Unknown) else found.config
        if state.platform is None and self.asked is None and not isinstance(found.config, Unknown):
            platform = self._detected(config, platform)
        if config.layers and (platform.os, platform.architecture) != (
            config.platform.os,
            config.platform.architecture,
        ):
            self.checks.report("InvalidBaseImagePlatform", state.line)
        pinned = str(parse_reference(reference).with_digest(found.digest))
        vertex = SourceVertex(
            label=label,
            identifier=f"docker-image://{pinned}",
            attributes={"image.resolvemode": self.options.resolve_mode} if self.options.resolve_mode else {},
            origin=ImageOrigin(reference=pinned, digest=found.digest, platform=normalize(platform)),
            platform=normalize(platform),
        )
        state.image = config
        state.platform = platform
        if isinstance(found.config, Unknown):
            state.state = State(output=vertex, platform=normalize(platform), unknown=found.config)
        elif config.layers:
            state.state = State(output=vertex, platform=normalize(platform))

    def _detected(self, config: ImageConfig, platform: llb.Platform) -> llb.Platform:
        """Take an image's own platform where none was asked for and the builder runs it."""
        own = (config.platform.os, config.platform.architecture)
        builder = self.options.builder
        return builder if own == (builder.os, builder.architecture) else platform

    def _start(self, state: StageState) -> None:
        """Begin a stage with what the config of its base says."""
        state.inherit()
        state.is_ready = True
        platform = state.platform = state.platform or self.target_platform
        if self.unknown is not None:
            state.state = replace(state.state, unknown=state.state.unknown or self.unknown)
        env = list(state.image.env)
        if not any(entry.partition("=")[0] == "PATH" for entry in env) and platform.os != "windows":
            env.append(f"PATH={_PATH}")
        state.image = replace(state.image, env=tuple(env))
        variables = (entry.partition("=") for entry in env)
        state.state = state.state.with_env((name, value) for name, _, value in variables)
        if self.options.hostname:
            state.state = replace(state.state, hostname=self.options.hostname)
        Dispatcher.start(state)
        state.state = replace(state.state, network=self.options.network)


def _empty_image(platform: llb.Platform) -> ImageConfig:
    env = () if platform.os == "windows" else (f"PATH={_PATH}",)
    return ImageConfig(platform=platform, env=env, working_dir="/")
