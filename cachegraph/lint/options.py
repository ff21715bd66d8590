"""Options of ``docker build``, ``bake``, ``compose build`` and ``buildctl build``: what a command line says of a build.

Sources: buildx ``commands/build.go`` and ``commands/bake.go`` (flags), BuildKit ``cmd/buildctl/build.go``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cachegraph.lint.drafts import BuildDraft
from cachegraph.lint.entries import alternatives, entries_of
from cachegraph.lint.holes import Holes, has_hole
from cachegraph.lint.model import Entry
from cachegraph.lint.shell import Word
from cachegraph.lint.values import Condition, Direction, Place, Value

__all__ = ["Options", "set_option"]

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
        *("--squash", "--compress", "--print", "--no-push", "--save", "--lint", "--with-dependencies"),
        *("--disable-content-trust", "--layers", "--pull-always", "--no-progress"),
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


class Options:
    """Reads the arguments of a build.

    Parameters
    ----------
    build : BuildDraft
        What they say is put in here.
    holes : Holes
    file, path : str
        For places.
    """

    def __init__(self, build: BuildDraft, holes: Holes, file: str, path: str) -> None:
        self.build = build
        self._holes = holes
        self._file = file
        self._path = path
        self._is_buildctl = build.runner.name.startswith("buildctl")

    def _place(self, word: Word) -> Place:
        return Place(file=self._file, line=word.line, path=self._path)

    def _value(self, word: Word) -> Value:
        return self._holes.value(word.text, self._place(word))

    def read(self, words: Sequence[Word]) -> None:
        """Go through words."""
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
            self.read([Word(part.strip("'\""), word.line, (*word.conditions, *conditions)) for part in text.split()])
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
            set_option(self.build, self._holes, word.text, self._place(word), word.conditions)
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

    def _entry(self, direction: Direction, word: Word) -> None:
        self.build.entries += entries_of(
            self._holes,
            direction,
            word.text,
            self._place(word),
            written=word.text,
            conditions=word.conditions,
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
    build: BuildDraft, holes: Holes, text: str, place: Place, conditions: tuple[Condition, ...] = ()
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
