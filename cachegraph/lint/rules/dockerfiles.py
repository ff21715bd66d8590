"""Dockerfiles as rules see them: stages, what a RUN does, what COPY takes, what an ignore file hides."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cachegraph.builds.content.ignore import NAME, parse_ignore
from cachegraph.builds.content.patterns import Patterns, compile_patterns
from cachegraph.builds.dockerfile import instructions as read
from cachegraph.builds.dockerfile.directives import syntax_directive
from cachegraph.builds.dockerfile.lines import MAX_BYTES, read_nodes
from cachegraph.builds.dockerfile.reading import Source, read_stages
from cachegraph.errors import CacheGraphError
from cachegraph.lint.finding import files_below

__all__ = [
    "Ignored",
    "ReadDockerfile",
    "commands",
    "find_dockerfiles",
    "ignored",
    "is_dockerfile",
    "is_whole_context",
    "read_dockerfile",
    "script",
    "whole_copies",
]

_DOCKERS_OWN = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?::|@|$)")
_SEPARATORS = re.compile(r"&&|\|\||[;\n|]")
_WHOLE = frozenset({".", "./", "/", "./.", "*", "./*"})
_IGNORE_BYTES = 2**20
_MOST_STAGES = 200  # more than anybody writes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDockerfile:
    """A Dockerfile.

    Attributes
    ----------
    path : str
        From the root.
    source : Source
    bases : tuple of int or None
        For each stage the one that it begins with.
    """

    path: str
    source: Source
    bases: tuple[int | None, ...]

    @property
    def stages(self) -> tuple[read.Stage, ...]:
        """Its stages, in order."""
        return self.source.stages

    def base_of(self, number: int) -> int | None:
        """Give the number of the stage that a stage begins with; None if that is an image."""
        return self.bases[number]

    def chain(self, number: int) -> list[int]:
        """Give a stage and those that it begins with, the lowest first."""
        found = [number]
        while (below := self.base_of(found[0])) is not None:
            found.insert(0, below)
        return found

    def stage_named(self, name: str) -> int | None:
        """Find a stage by its name or number; the last for an empty name."""
        if not name:
            return len(self.stages) - 1
        found = [number for number, stage in enumerate(self.stages) if stage.name == name.lower()]
        if found:
            return found[-1]
        return int(name) if name.isascii() and name.isdigit() and int(name[:6]) < len(self.stages) else None

    def needed(self, number: int) -> set[int]:
        """Give the stages that a stage is made of, itself among them."""
        found: set[int] = set()
        todo = [number]
        while todo:
            one = todo.pop()
            if one in found:
                continue
            found.add(one)
            base = self.base_of(one)
            names = [*_sources(self.stages[one])]
            todo += [base] if base is not None else []
            todo += [n for n in map(self.stage_named, filter(None, names)) if n is not None and n < one]
        return found


def _sources(stage: read.Stage) -> Iterator[str]:
    for instruction in stage.instructions:
        if isinstance(instruction, read.Copy) and instruction.source:
            yield instruction.source
        elif isinstance(instruction, read.Run):
            for mount in instruction.mounts:
                yield from re.findall(r"(?:^|,)from=([^,]+)", mount)


def _bases(source: Source) -> tuple[int | None, ...]:
    seen: dict[str, int] = {}
    found = []
    for number, stage in enumerate(source.stages):
        found.append(seen.get(stage.base.lower()))
        if stage.name:
            seen[stage.name] = number
    return tuple(found)


def read_dockerfile(path: Path, name: str) -> ReadDockerfile | None:
    """Read a Dockerfile; None if it is not there, BuildKit would refuse it, or another frontend reads it."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        data = path.read_bytes()
        syntax = syntax_directive(data.decode("utf-8", "replace"))
        if syntax is not None and not _DOCKERS_OWN.match(syntax):
            return None
        source = read_stages(read_nodes(data, name))
        if len(source.stages) > _MOST_STAGES:
            return None
        return ReadDockerfile(path=name, source=source, bases=_bases(source))
    except (OSError, ValueError, CacheGraphError):
        return None


def is_whole_context(instruction: read.Instruction) -> bool:
    """Whether it copies all of the build context."""
    return (
        isinstance(instruction, read.Copy)
        and not instruction.source
        and not instruction.exclude
        and any(source in _WHOLE for source in instruction.sources)
    )


def script(run: read.Run) -> str:
    """Give what a RUN runs, heredocs with it."""
    return "\n".join([" ".join(run.arguments), *(document.text for document in run.heredocs)])


def commands(run: read.Run) -> list[str]:
    """Give the commands of a RUN, roughly: at ``&&``, ``;``, pipes and line ends."""
    return [part for text in _SEPARATORS.split(script(run)) if (part := " ".join(text.split()))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """An ignore file; without one, nothing is hidden."""

    name: str = ""
    patterns: Patterns

    def hides(self, path: str) -> bool:
        """Whether a path of the context is left out, with the folders that it lies in."""
        parts = path.split("/")
        parent: Sequence[bool] = ()
        hidden = False
        for end in range(1, len(parts) + 1):
            hidden, parent = self.patterns.match("/".join(parts[:end]), parent)
        return hidden

    def is_about(self, path: str) -> bool:
        """Whether it hides a path of the context's top, or takes it in explicitly."""
        return self.hides(path) or any(one.negated and one.match(path) for one in self.patterns.patterns)

    @property
    def is_a_choice(self) -> bool:
        """Whether it hides all but what it names: then ``COPY .`` takes a choice of files."""
        return any(pattern.text in ("*", "**", "**/*") and not pattern.negated for pattern in self.patterns.patterns)


def ignored(root: Path, context: str, dockerfile: str) -> Ignored | None:
    """Read the ignore file of a build; None if it cannot be read.

    Parameters
    ----------
    root : pathlib.Path
    context, dockerfile : str
        From the root.
    """
    for name in (f"{dockerfile}{NAME}", posixpath.join(context, NAME)):
        path = root / name
        try:
            if path.is_file():
                if path.stat().st_size > _IGNORE_BYTES:
                    return None
                return Ignored(name=name, patterns=compile_patterns(parse_ignore(path.read_bytes(), name)))
        except (OSError, ValueError, CacheGraphError):
            return None
    return Ignored(patterns=compile_patterns(()))


def whole_copies(stages: Sequence[read.Stage]) -> Iterator[tuple[int, read.Copy]]:
    """Give each COPY of the whole context, with the number of its stage."""
    for number, stage in enumerate(stages):
        for instruction in stage.instructions:
            if isinstance(instruction, read.Copy) and is_whole_context(instruction):
                yield number, instruction


_NAME = re.compile(r"(?:Dockerfile|Containerfile)(?:\..*)?|.*\.(?:[Dd]ockerfile|[Cc]ontainerfile)")


def find_dockerfiles(root: Path) -> list[str]:
    """Find the Dockerfiles of a repository by their names, from its root; bounded, links not followed.

    Parameters
    ----------
    root : pathlib.Path
    """
    every = files_below(root, frozenset({".devcontainer"}))
    return sorted(path.relative_to(root).as_posix() for path in every if is_dockerfile(path.name))


def is_dockerfile(name: str) -> bool:
    """Whether a file is called as Dockerfiles are; their ignore files are not."""
    return bool(_NAME.fullmatch(name)) and not name.endswith(".dockerignore")
