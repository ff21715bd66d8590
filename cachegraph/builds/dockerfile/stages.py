"""Stages and what they need of each other (BuildKit ``dockerfile2llb/convert.go``: ``dispatchState``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from cachegraph.builds import llb
from cachegraph.builds.dockerfile import instructions as read
from cachegraph.builds.dockerfile.contexts import NamedContext
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import parse_int
from cachegraph.builds.dockerfile.mounts import check_mount
from cachegraph.builds.dockerfile.reading import read_triggered
from cachegraph.builds.dockerfile.shell import Lexer
from cachegraph.builds.dockerfile.states import State
from cachegraph.builds.images import ImageConfig

__all__ = ["Command", "StageState", "Stages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """An instruction of a stage, and the stages that it takes files from, mount by mount."""

    instruction: read.Instruction
    sources: tuple[StageState, ...] = ()
    is_trigger: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class StageState:
    """A stage, or an image or context that an instruction takes files from, while the Dockerfile is carried out.

    Attributes
    ----------
    stage : read.Stage
    base_name : str
        What FROM names, with its variables substituted.
    base : StageState or None
        The stage it goes on from.
    title : str
        What BuildKit calls it.
    needs : dict of StageState to int
        What its instructions take files from, with the line.
    is_unnamed : bool
        It stands for what ``--from`` names and no stage is called.
    is_ready : bool
        It can be taken from.
    set_env : list of (str, str)
        What ENV set, in order; `config_env` has it in the image's config.
    context_paths, paths : set of str
        What it takes from the build context; what others take from it.
    """

    stage: read.Stage
    base_name: str
    base: StageState | None = None
    title: str = ""
    platform: llb.Platform | None = None
    context: NamedContext | None = None
    commands: list[Command] = field(default_factory=list)
    needs: dict[StageState, int] = field(default_factory=dict)
    is_unnamed: bool = False
    is_ready: bool = False
    is_resolved: bool = False
    has_triggers: bool = False
    no_cache: bool = False
    state: State = field(default_factory=State)
    image: ImageConfig = field(default_factory=ImageConfig)
    context_paths: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    declared: list[str] = field(default_factory=list)
    set_env: list[tuple[str, str]] = field(default_factory=list)
    has_workdir: bool = False
    has_command: bool = False
    has_entrypoint: bool = False
    has_healthcheck: bool = False

    @property
    def line(self) -> int:
        """The line of FROM."""
        return self.stage.place.start

    @property
    def config_env(self) -> tuple[str, ...]:
        """The variables in the image's config, where each keeps its place (``addEnv``)."""
        entries = list(self.image.env)
        places: dict[str, int] = {}
        for place, entry in enumerate(entries):
            places.setdefault(entry.partition("=")[0], place)
        for name, value in self.set_env:
            if name in places:
                entries[places[name]] = f"{name}={value}"
            else:
                places[name] = len(entries)
                entries.append(f"{name}={value}")
        return tuple(entries)

    def inherit(self) -> None:
        """Go on from the base."""
        if self.base is None:
            return
        self.state = self.base.state
        self.platform = self.base.platform
        self.image = replace(self.base.image, env=self.base.config_env)
        # What is taken from this stage is taken from the base below it as well.
        self.paths = self.base.paths
        self.has_workdir = self.base.has_workdir
        self.declared = [*self.declared, *self.base.declared]


@dataclass(slots=True)
class Stages:
    """All stages by name and number, with what stands beside them."""

    all: list[StageState] = field(default_factory=list)
    by_name: dict[str, StageState] = field(default_factory=dict)

    def add(self, state: StageState) -> None:
        """Add a stage, and find its base among those before."""
        self.all.append(state)
        state.base = self.by_name.get(state.base_name)
        if state.stage.name:
            self.by_name[state.stage.name.lower()] = state

    def find(self, name: str) -> StageState | None:
        """Find a stage by its name, in any case."""
        return self.by_name.get(name.lower())

    def names(self) -> list[str]:
        """List the names that stages have."""
        return [state.title for state in self.all if state.title]

    def target(self, name: str) -> StageState:
        """Find the stage that is built.

        Raises
        ------
        DockerfileError
        """
        if not name:
            return self.all[-1]
        found = self.find(name)
        if found is None:
            known = ", ".join(state.stage.name for state in self.all if state.stage.name)
            raise DockerfileError(
                f'target stage "{name}" could not be found', hint=f"stages with a name: {known or 'none'}"
            )
        return found

    def connect(self) -> None:
        """Find what each instruction takes files from.

        Raises
        ------
        DockerfileError
            A name that cannot be, or stages that need each other.
        """
        for state in list(self.all):
            state.commands = [self._command(state, instruction) for instruction in state.stage.instructions]
        self._refuse_circles()
        if len(self.all) == 1:
            self.all[0].title = ""

    def _command(self, state: StageState, instruction: read.Instruction, *, is_trigger: bool = False) -> Command:
        line = instruction.place.start
        try:
            sources = tuple(self._sources(instruction))
        except DockerfileError as error:
            raise error.at(line) from None
        for source in sources:
            state.needs[source] = line
            if source.is_unnamed:
                self.add(source)
        return Command(instruction=instruction, sources=sources, is_trigger=is_trigger)

    def _sources(self, instruction: read.Instruction) -> Iterator[StageState]:
        if isinstance(instruction, read.Run):
            for mount in instruction.mounts:
                name = check_mount(mount) or "scratch"
                yield self.find(name) or _unnamed(name, instruction.place)
        elif isinstance(instruction, read.Copy) and instruction.source:
            name = instruction.source
            if Lexer().expand(name, {}).text != name:
                raise DockerfileError(
                    "variable expansion is not supported for --from",
                    hint="define a new stage with FROM, using an ARG from above the first FROM",
                )
            number = parse_int(name, signed=True)
            if number is None:
                yield self.find(name) or _unnamed(name, instruction.place)
            elif 0 <= number < len(self.all):
                yield self.all[number]
            else:
                raise DockerfileError(f"invalid stage index {number}")

    def _refuse_circles(self) -> None:
        done: set[StageState] = set()
        for first in self.all:
            if first in done:
                continue
            # Depth first without recursion: the path that leads here, and what is left to look at of each stage on it.
            path: dict[StageState, Iterator[StageState]] = {first: iter(first.needs)}
            done.add(first)
            while path:
                state = next(reversed(path))
                need = next(path[state], None)
                if need is None:
                    path.popitem()
                elif need in path:
                    raise DockerfileError(
                        f"circular dependency detected on stage: {first.title}", line=state.needs[need]
                    )
                elif need not in done:
                    done.add(need)
                    path[need] = iter(need.needs)

    def reachable(self, target: StageState) -> set[StageState]:
        """Give what a target needs, itself included."""
        found: set[StageState] = set()
        waiting = [target]
        while waiting:
            state = waiting.pop()
            if state not in found:
                found.add(state)
                waiting += [*state.needs, *([state.base] if state.base else ())]
        return found

    def settle(self, target: StageState, resolve: Callable[[StageState, bool], None]) -> set[StageState]:
        """Resolve bases, and put the triggers of ONBUILD in front, which may need more stages.

        Parameters
        ----------
        target : StageState
        resolve : callable
            Resolves the base of a stage that stands on no other; told whether the target needs it.

        Returns
        -------
        set of StageState
            What the target needs.
        """
        while True:
            needed = self.reachable(target)
            for state in self.all:
                if state.base is None and not state.is_ready and not state.is_resolved:
                    state.is_resolved = state in needed
                    resolve(state, state.is_resolved)
            if not self._pull_triggers([state for state in self.all if state in needed]):
                return needed

    def _pull_triggers(self, needed: Iterable[StageState]) -> bool:
        """Tell whether a trigger takes from somewhere."""
        found = False
        for state in needed:
            state.inherit()
            triggers = list(state.image.on_build)
            if state.base is None:
                state.image = _without_triggers(state.image)
            else:
                # Those of a base image are for its direct children, and the base stage has used them up.
                triggers = []
                if not state.has_triggers:
                    state.has_triggers = True
                    triggers = [
                        command.instruction.trigger
                        for command in state.base.commands
                        if isinstance(command.instruction, read.OnBuild)
                    ]
            if triggers:
                commands = [
                    self._command(state, read_triggered(text, state.stage.place), is_trigger=True) for text in triggers
                ]
                state.commands = [*commands, *state.commands]
                found = found or any(command.sources for command in commands)
        return found


def _unnamed(name: str, place: read.Place) -> StageState:
    return StageState(stage=read.Stage(place=place, base=name), base_name=name, is_unnamed=True)


def _without_triggers(image: ImageConfig) -> ImageConfig:
    return replace(image, on_build=())
