"""What bake is run with: the variables that a job gives its file, and the folder that its paths start in.

::

    env: {TAG: "${{ github.sha }}"}            variable "TAG" { default = "latest" }
    steps:                                     target "app" { tags = ["app:${TAG}"] }
      - run: docker buildx bake                the commit's, not app:latest

Source: buildx ``bake/bake.go`` (``defaultFilenames``, ``ReadLocalFiles``).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cachegraph.lint.folders import folder_of, start_of
from cachegraph.lint.holes import Holes
from cachegraph.lint.interpolation import Find
from cachegraph.lint.model import Build, Runner
from cachegraph.lint.values import Condition, Place, Value

__all__ = ["BakeRuns", "Given"]

_USUAL = frozenset({"docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl"})
_MOST_RUNS = 100
_MOST_VARIABLES = 500
_OTHERWISE = Condition(text="others run bake")


@dataclass(frozen=True, slots=True)
class Given:
    """What a bake file is given.

    Attributes
    ----------
    variables : mapping of str to sequence of (str or None, Condition)
        All that a variable may be, with holes, and when; None for its default. What is not named has its default.
    directory : Value or None
        Where its paths start; None where no run is known: the root, as a rule.
    """

    variables: Mapping[str, Sequence[tuple[str | None, Condition]]] = field(default_factory=dict)
    directory: Value | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    when: Condition
    build: Build
    env: Mapping[str, str]

    def reads(self, files: Iterable[str]) -> bool | None:
        """Whether it reads one of these files; None if that is open."""
        return _any(self._reads(file) for file in files)

    def _reads(self, file: str) -> bool | None:
        source = "." if self.build.settings.context is None else self.build.settings.context.text
        if any(_is_remote(text) for text in (source or "", *(one.pattern for one in self.build.targets))):
            return False
        folder = start_of(self.build) if source in (".", "{{defaultContext}}") else None
        names = [value.text for value in self.build.files] or _USUAL
        return _any(_is_file(name, file, folder) for name in names)


def _any(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return True if True in found else None if None in found else False


def _is_remote(text: str) -> bool:
    return ("://" in text and not text.startswith("cwd://")) or text.startswith("git@")


def _is_file(name: str | None, file: str, folder: str | None) -> bool | None:
    if name is None or folder is None:
        return None if name is None or posixpath.basename(name) == posixpath.basename(file) else False
    return posixpath.normpath(posixpath.join(folder, name.removeprefix("cwd://"))) == file


class BakeRuns:
    """The runs of bake in files that are read together.

    Parameters
    ----------
    holes : Holes
    """

    def __init__(self, holes: Holes) -> None:
        self._holes = holes
        self._variables: dict[str, None] = {}
        self._runs: dict[object, _Run] = {}
        self._is_whole = True

    @property
    def _is_full(self) -> bool:
        return len(self._runs) >= _MOST_RUNS or len(self._variables) > _MOST_VARIABLES

    def declare(self, names: Iterable[str]) -> None:
        """Name variables of a bake file: what else runs give is not kept."""
        self._variables.update(dict.fromkeys(names))

    def env(self, runner: Runner, find: Find) -> Mapping[str, str]:
        """Give the variables of bake files that are set where something runs; none if it is not bake."""
        if not runner.runs_bake or self._is_full:
            return {}
        return {name: text for name in self._variables if (text := find(name)) is not None}

    def add(self, build: Build, env: Mapping[str, str], calls: Iterable[Place] = ()) -> None:
        """Remember a build, if it is a run of bake.

        Parameters
        ----------
        build : Build
        env : mapping of str to str
            See `env`.
        calls : iterable of Place
            What calls the action or the workflow that it stands in.
        """
        if not build.runner.runs_bake:
            return
        if self._is_full:
            self._is_whole = False
            return
        at = ", called by ".join(f"{place.file}:{place.line}" for place in (build.place, *calls))
        when = Condition(text=f"{at} runs bake" + (f" with {build.combination}" if build.combination.values else ""))
        self._runs.setdefault((when, tuple(env.items())), _Run(when, build, env))

    def given(self, files: Sequence[str], names: Iterable[str]) -> Given:
        """Tell what runs give to files that are read together, and to their variables."""
        runs = [(run, reads) for run in self._runs.values() if (reads := run.reads(files)) is not False]
        certain = [run for run, reads in runs if reads]
        variables = {}
        for name in names:
            found: dict[str | None, Condition] = {}
            for run, _ in runs:
                found.setdefault(run.env.get(name), run.when)
            if not certain:
                found.setdefault(None, _OTHERWISE)
            if not self._is_whole:
                found[self._holes.hole(name, "bake is run in more ways than are read here", name)] = _OTHERWISE
            if found.keys() != {None}:
                variables[name] = tuple(found.items())
        return Given(variables, self._directory(certain))

    def _directory(self, runs: Sequence[_Run]) -> Value | None:
        found = {folder_of(run.build.directory): run.build.directory for run in runs}
        if len(found) < 2:
            return next(iter(found.values()), None)
        return self._holes.value(self._holes.hole("folder", "bake is run in several folders"), Place(file=""))
