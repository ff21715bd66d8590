"""Builds on command lines: ``docker buildx build``, ``docker buildx bake``, ``docker compose build``, ``buildctl``.

Their options are read in `cachegraph.lint.options`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from cachegraph.lint.drafts import BuildDraft
from cachegraph.lint.holes import Holes
from cachegraph.lint.model import Runner
from cachegraph.lint.options import Options
from cachegraph.lint.shell import Command, Word
from cachegraph.lint.values import Place

__all__ = ["builds_in"]

_GLOBAL_WITH_VALUE = frozenset({"--context", "-c", "--host", "-H", "--log-level", "-l", "--config", "--builder"})
_COMPOSE_WITH_VALUE = frozenset(
    {"-f", "--file", "-p", "--project-name", "--profile", "--env-file", "--project-directory"}
)
_TALK = frozenset({"echo", "printf", "grep", "sed", "alias", "which", "command", "#", "git", "cat", "type"})
_MOST_WORDS = 20_000


def builds_in(command: Command, holes: Holes, file: str, path: str) -> Iterator[BuildDraft]:
    """Find the build of a command.

    Parameters
    ----------
    command : Command
    holes : Holes
    file, path : str
        For places.
    """
    words = command.words[:_MOST_WORDS]
    if words[0].text in _TALK:
        return
    for at, word in enumerate(words[:12]):
        program = word.text.rpartition("/")[2]
        found = _Program(words, at).found(program)
        if found is not None:
            runner, rest, files = found
            place = Place(file=file, line=command.line, path=path)
            build = BuildDraft(
                runner,
                command.line,
                files=[holes.value(one.text, replace(place, line=one.line)) for one in files],
                conditions=command.conditions,
                ignores_failure=command.ignores_failure,
                env={name: holes.value(text, place) for name, text in command.env.items()},
            )
            Options(build, holes, file, path).read(words[rest:])
            yield build
            return


class _Program:
    """Reads what a program is asked to do, up to the arguments of its build."""

    def __init__(self, words: Sequence[Word], at: int) -> None:
        self._words = words
        self._at = at + 1
        self._files: list[Word] = []

    def found(self, program: str) -> tuple[Runner, int, list[Word]] | None:
        """Tell the build, where its arguments begin, and the files that come before."""
        if program in ("docker", "podman", "nerdctl"):
            return self._docker(program)
        if program in ("docker-compose", "podman-compose"):
            return self._compose(program)
        if program in ("buildx", "docker-buildx", "depot", "buildah", "buildctl"):
            self._past(_GLOBAL_WITH_VALUE | {"--addr"})
            if self._word() in ("build", "bud"):
                return self._made("build", f"{program} build")
            if self._word() == "bake" and program != "buildctl":
                return self._made("bake", f"{program} bake")
        if program == "buildctl-daemonless.sh" and self._word() == "build":
            return self._made("build", "buildctl build")
        return None

    def _docker(self, program: str) -> tuple[Runner, int, list[Word]] | None:
        self._past(_GLOBAL_WITH_VALUE)
        name = program
        if self._word() in ("buildx", "image", "builder"):
            name = f"{name} {self._word()}"
            self._at += 1
            self._past(_GLOBAL_WITH_VALUE)
        word = self._word()
        if word == "compose":
            self._at += 1
            return self._compose(f"{program} compose")
        if word == "build" or (word == "b" and "buildx" in name):
            return self._made("build", f"{name} build")
        if word in ("bake", "f") and "buildx" in name:
            return self._made("bake", f"{name} bake")
        return None

    def _compose(self, name: str) -> tuple[Runner, int, list[Word]] | None:
        self._past(_COMPOSE_WITH_VALUE)
        return self._made("compose", f"{name} build") if self._word() == "build" else None

    def _made(self, kind: Literal["build", "bake", "compose"], name: str) -> tuple[Runner, int, list[Word]]:
        return Runner(kind=kind, name=name), self._at + 1, self._files

    def _word(self) -> str:
        return self._words[self._at].text if self._at < len(self._words) else ""

    def _past(self, with_value: frozenset[str]) -> None:
        """Pass over options in front of a subcommand; files among them are kept."""
        while self._word().startswith("-"):
            option, equals, value = self._word().partition("=")
            if option in ("-f", "--file"):
                if equals:
                    self._files.append(Word(value, self._words[self._at].line))
                elif self._at + 1 < len(self._words):
                    self._files.append(self._words[self._at + 1])
            self._at += 2 if option in with_value and not equals else 1
