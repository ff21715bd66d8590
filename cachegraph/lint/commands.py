"""Builds on command lines: ``docker buildx build``, ``docker buildx bake``, ``docker compose build``, ``buildctl``.

Sources: buildx ``commands/build.go`` and ``commands/bake.go`` (flags), BuildKit ``cmd/buildctl/build.go``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cachegraph.lint.entries import alternatives, entries_of
from cachegraph.lint.holes import Holes, has_hole
from cachegraph.lint.model import Entry, Runner, Settings
from cachegraph.lint.shell import Command, Word
from cachegraph.lint.values import Condition, Direction, Place, Value

__all__ = ["FoundBuild", "SettingsDraft", "builds_in", "set_option"]

_GLOBAL_WITH_VALUE = frozenset({"--context", "-c", "--host", "-H", "--log-level", "-l", "--config", "--builder"})
_COMPOSE_WITH_VALUE = frozenset(
    {"-f", "--file", "-p", "--project-name", "--profile", "--env-file", "--project-directory"}
)
_FLAGS = frozenset(
    {
        *(
            "--push",
            "--load",
            "--no-cache",
            "--pull",
            "--rm",
            "--force-rm",
            "--quiet",
            "-q",
            "--debug",
            "-D",
            "--check",
        ),
        *(
            "--squash",
            "--compress",
            "--print",
            "--no-push",
            "--save",
            "--lint",
            "--with-dependencies",
            "--disable-content-trust",
        ),
        *("--layers", "--pull-always", "--no-progress"),
    }
)
_SHORT = {"-t": "--tag", "-f": "--file", "-o": "--output", "-m": "--memory", "-c": "--cpu-shares", "-q": "--quiet"}
_SINGLE = {
    "--file": "dockerfile",
    "--target": "target",
    "--builder": "builder",
    "--push": "push",
    "--load": "load",
    "--no-cache": "no_cache",
    "--pull": "pull",
    "--provenance": "provenance",
    "--sbom": "sbom",
    "--network": "network",
    "--shm-size": "shm_size",
}
_LISTED = {
    "--output": "outputs",
    "--tag": "tags",
    "--secret": "secrets",
    "--ssh": "ssh",
    "--allow": "allow",
    "--add-host": "hosts",
    "--ulimit": "ulimits",
    "--attest": "attests",
}
_SPLIT = {"--platform": "platforms", "--no-cache-filter": "no_cache_filter"}
_PAIRS = {"--build-arg": "args", "--build-context": "contexts"}
_SET = re.compile(r"([^=\s]*)\.([a-z-]+)(?:\.([^=\s+]+))?(\+?)=(.*)", re.DOTALL)
_TALK = frozenset({"echo", "printf", "grep", "sed", "alias", "which", "command", "#", "git", "cat", "type"})
_MOST_WORDS = 20_000


class SettingsDraft:
    """Settings that are being gathered."""

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def put(self, name: str, value: Value) -> None:
        """Set a single one; the last counts."""
        self._found[name] = value

    def add(self, name: str, value: Value) -> None:
        """Add to a list."""
        self._found.setdefault(name, []).append(value)

    def pair(self, name: str, key: str, value: Value) -> None:
        """Set an argument or a named context."""
        self._found.setdefault(name, {})[key] = value

    def made(self) -> Settings:
        """Give them."""
        found: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in self._found.items()}
        return Settings(**found)


@dataclass(slots=True)
class FoundBuild:
    """A build of a command line."""

    runner: Runner
    line: int
    entries: list[Entry] = field(default_factory=list)
    settings: SettingsDraft = field(default_factory=SettingsDraft)
    targets: list[Value] = field(default_factory=list)
    files: list[Value] = field(default_factory=list)
    conditions: tuple[Condition, ...] = ()
    ignores_failure: bool = False
    env: dict[str, Value] = field(default_factory=dict)
    unread: list[Value] = field(default_factory=list)


def builds_in(command: Command, holes: Holes, file: str, path: str) -> Iterator[FoundBuild]:
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
            reader = _Arguments(holes, file, path, runner, command, rest, files)
            yield reader.read()
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


class _Arguments:
    """Reads the arguments of a build."""

    def __init__(
        self, holes: Holes, file: str, path: str, runner: Runner, command: Command, rest: int, files: list[Word]
    ) -> None:
        self._holes = holes
        self._file = file
        self._path = path
        self._is_buildctl = runner.name.startswith("buildctl")
        self._words = list(command.words[rest:_MOST_WORDS])
        self._written = ""
        self.build = FoundBuild(
            runner,
            command.line,
            conditions=command.conditions,
            ignores_failure=command.ignores_failure,
            files=[self._value(word) for word in files],
            env={
                name: holes.value(text, Place(file=file, line=command.line, path=path))
                for name, text in command.env.items()
            },
        )

    def _value(self, word: Word) -> Value:
        return self._holes.value(word.text, Place(file=self._file, line=word.line, path=self._path))

    def read(self) -> FoundBuild:
        """Go through the words."""
        self._read(self._words)
        return self.build

    def _read(self, words: list[Word]) -> None:
        at = 0
        positional = False
        while at < len(words):
            word = words[at]
            at += 1
            text = word.text
            if text == "--":
                positional = True
            elif not positional and text.startswith("-") and len(text) > 1:
                option, equals, value = text.partition("=")
                option, value, equals = _long(option, value, equals)
                if equals or option in _FLAGS:
                    self._option(option, Word(value if equals else "true", word.line, word.conditions))
                elif at < len(words):
                    taken = words[at]
                    at += 1
                    self._option(option, Word(taken.text, taken.line, (*taken.conditions, *_new(word, taken))))
            elif not self._choices(word):
                if has_hole(text) and len(text) == 1 and at < len(words):
                    self.build.unread.append(self._value(word))  # `docker build $FLAGS .`
                else:
                    self._positional(word)

    def _choices(self, word: Word) -> bool:
        """Read a word that is one hole with known choices, such as ``$CACHE_ARGS``: each of them is a few words."""
        cases = alternatives(self._holes, word.text) if has_hole(word.text) else []
        if len(cases) < 2 or not any("-" in text for text, _ in cases):
            return False
        every: list[list[Entry]] = []
        entries = self.build.entries
        for text, conditions in cases:
            self.build.entries = []
            self._read([Word(part.strip("'\""), word.line, (*word.conditions, *conditions)) for part in text.split()])
            every.append(self.build.entries)
        self.build.entries = entries + _joined(every, word.conditions)
        return True

    def _positional(self, word: Word) -> None:
        if self.build.runner.kind == "build":
            if not self._is_buildctl and word.text.strip():
                self.build.settings.put("context", self._value(word))
        else:
            self.build.targets.append(self._value(word))

    def _option(self, option: str, word: Word) -> None:
        settings = self.build.settings
        kind = self.build.runner.kind
        if option in ("--cache-from", "--cache-to"):
            self._entry("from" if option == "--cache-from" else "to", word)
        elif option in ("--export-cache", "--import-cache") and self._is_buildctl:
            self._entry("from" if option == "--import-cache" else "to", word)
        elif option in ("--opt", "--local") and self._is_buildctl:
            self._buildctl(option, word)
        elif option == "--set":
            self._set(word)
        elif option == "--file" and kind != "build":
            self.build.files.append(self._value(word))
        elif option in _SINGLE:
            settings.put(_SINGLE[option], self._value(word))
        elif option in _LISTED:
            settings.add(_LISTED[option], self._value(word))
        elif option in _SPLIT:
            for part in word.text.split(","):
                settings.add(_SPLIT[option], self._value(Word(part, word.line)))
        elif option in _PAIRS:
            self._pair(_PAIRS[option], word)

    def _pair(self, name: str, word: Word) -> None:
        key, equals, text = word.text.partition("=")
        if not equals:
            known = self.build.env.get(key)
            text = self._holes.hole(key, f"{key} is taken from the environment", key) if known is None else ""
            if known is not None:
                self.build.settings.pair(name, key, known)
                return
        self.build.settings.pair(name, key, self._value(Word(text, word.line)))

    def _entry(self, direction: Direction, word: Word, *, is_addition: bool = False) -> None:
        self.build.entries += entries_of(
            self._holes,
            direction,
            word.text,
            Place(file=self._file, line=word.line, path=self._path),
            written=word.text,
            conditions=word.conditions,
            is_addition=is_addition,
        )

    def _set(self, word: Word) -> None:
        set_option(
            self.build, self._holes, word.text, Place(file=self._file, line=word.line, path=self._path), word.conditions
        )

    def _buildctl(self, option: str, word: Word) -> None:
        key, _, text = word.text.partition("=")
        value = self._value(Word(text, word.line))
        settings = self.build.settings
        if option == "--local":
            if key == "context":
                settings.put("context", value)
        elif key == "filename":
            settings.put("dockerfile", value)
        elif key == "target":
            settings.put("target", value)
        elif key == "platform":
            for part in text.split(","):
                settings.add("platforms", self._value(Word(part, word.line)))
        elif key.startswith("build-arg:"):
            settings.pair("args", key.removeprefix("build-arg:"), value)
        elif key == "no-cache":
            settings.put("no_cache", self._holes.value("true", value.place))


def set_option(
    build: FoundBuild, holes: Holes, text: str, place: Place, conditions: tuple[Condition, ...] = ()
) -> None:
    """Read one ``--set``: ``*.cache-to=type=gha``, ``web.args.VERSION=2``, ``web.platform+=linux/arm64``."""
    found = _SET.fullmatch(text)
    if found is None or has_hole(found[2]):
        if has_hole(text):
            build.unread.append(holes.value(text, place))
        return
    key, name, adds, value = found[2], found[3], bool(found[4]), found[5]
    if key in ("cache-from", "cache-to"):
        direction: Direction = "from" if key == "cache-from" else "to"
        build.entries += entries_of(
            holes, direction, value, place, written=text, conditions=conditions, is_addition=adds
        )
        return
    made = holes.value(value, place)
    if key in ("args", "contexts") and name:
        build.settings.pair(key, name, made)
    elif f"--{key}" in _SINGLE or key == "dockerfile":
        build.settings.put("dockerfile" if key == "dockerfile" else _SINGLE[f"--{key}"], made)
    elif key in ("platform", "output", "tags", "secret", "ssh", "no-cache-filter"):
        listed = {"platform": "platforms", "output": "outputs", "tags": "tags", "secret": "secrets", "ssh": "ssh"}
        build.settings.add(listed.get(key, "no_cache_filter"), made)


def _joined(every: list[list[Entry]], conditions: tuple[Condition, ...]) -> list[Entry]:
    """Join the entries of choices: what each choice has needs no condition."""
    found: dict[tuple[object, ...], list[Entry]] = {}
    for entries in every:
        for entry in entries:
            found.setdefault((entry.direction, entry.value.identity), []).append(entry)
    joined = []
    for entries in found.values():
        first = entries[0]
        if len(entries) == len(every):
            first = Entry(
                direction=first.direction,
                value=first.value,
                caches=first.caches,
                error=first.error,
                conditions=conditions,
                is_addition=first.is_addition,
                written=first.written,
            )
        joined.append(first)
    return joined


def _new(word: Word, taken: Word) -> tuple[Condition, ...]:
    return tuple(one for one in word.conditions if one not in taken.conditions)


def _long(option: str, value: str, equals: str) -> tuple[str, str, str]:
    """Write ``-t x`` and ``-tx`` as ``--tag``."""
    if option.startswith("--"):
        return option, value, equals
    short = option[:2]
    if short in _SHORT:
        attached = option[2:] + (equals + value if equals else "")
        if len(option) > 2:
            return _SHORT[short], attached, "="
        return _SHORT[short], value, equals
    return option, value, equals
