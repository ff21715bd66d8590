"""What rules look at: the settings that were read, and the files beside them, read when a rule asks."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from cachegraph.lint.folders import folder_of, start_of
from cachegraph.lint.model import Build, Cache, Entry, Repository
from cachegraph.lint.rules.builds import target_of
from cachegraph.lint.rules.dockerfiles import ReadDockerfile, read_dockerfile
from cachegraph.lint.rules.editing import Fix
from cachegraph.lint.rules.facts import BACKENDS, SECRETS
from cachegraph.lint.rules.places import CachePlace, Use, places_of
from cachegraph.lint.values import Direction, Place

__all__ = ["Scene"]


class Scene:
    """A repository, as rules see it.

    Parameters
    ----------
    repository : Repository
    root : pathlib.Path or None
        Where its files lie; None for settings without files beside them.
    dockerfiles : sequence of str
        Dockerfiles that were found or named, from the root, besides those that builds name.
    is_whole : bool
        Whether all settings of the repository were read.
    """

    def __init__(
        self, repository: Repository, root: Path | None, dockerfiles: Sequence[str] = (), *, is_whole: bool = True
    ) -> None:
        self.is_whole = is_whole
        self.repository = repository
        self.root = root
        self.named = tuple(dockerfiles)
        self._read: dict[str, ReadDockerfile | None] = {}
        self._of: dict[int, ReadDockerfile | None] = {}
        self._lines: dict[str, list[str]] = {}

    @cached_property
    def caches(self) -> Sequence[tuple[Build, Entry, Cache]]:
        """Every cache of every entry."""
        return [(build, entry, cache) for build, entry in self.repository.entries for cache in entry.caches]

    @cached_property
    def uses(self) -> Sequence[Use]:
        """Every build that reads or writes a place, with the place."""
        return [
            Use(build=build, entry=entry, cache=cache, place=place)
            for build, entry, cache in self.caches
            for place in places_of(cache)
        ]

    @cached_property
    def writers(self) -> Sequence[Use]:
        """The uses that write."""
        return [use for use in self.uses if use.entry.direction == "to"]

    @cached_property
    def readers(self) -> Sequence[Use]:
        """The uses that read."""
        return [use for use in self.uses if use.entry.direction == "from"]

    @cached_property
    def _by_identity(self) -> Mapping[tuple[Direction, object], list[Use]]:
        found: dict[tuple[Direction, object], list[Use]] = {}
        for use in self.uses:
            found.setdefault((use.entry.direction, use.place.identity), []).append(use)
        return found

    @cached_property
    def _unknown(self) -> Mapping[tuple[Direction, str], list[Use]]:
        """One use of each place that is not known, by direction and type."""
        found: dict[tuple[Direction, str], dict[object, Use]] = {}
        for use in self.uses:
            if not use.place.is_known:
                found.setdefault((use.entry.direction, use.place.type), {}).setdefault(use.place.identity, use)
        return {key: list(uses.values()) for key, uses in found.items()}

    def same(self, place: CachePlace, direction: Direction) -> Sequence[Use]:
        """Give the uses of a place, as far as it is certainly the same."""
        return self._by_identity.get((direction, place.identity), [])

    def maybe(self, place: CachePlace, direction: Direction) -> bool:
        """Whether anything may use a place in a direction."""
        if self.same(place, direction):
            return True
        if not place.is_known:
            uses = self.writers if direction == "to" else self.readers
            return any(use.place.may_be(place) for use in uses)
        return any(use.place.may_be(place) for use in self._unknown.get((direction, place.type), []))

    @cached_property
    def _of_builds(self) -> Mapping[int, list[Use]]:
        found: dict[int, list[Use]] = {}
        for use in self.uses:
            found.setdefault(id(use.build), []).append(use)
        return found

    def uses_of(self, build: Build, direction: Direction) -> list[Use]:
        """Give what a build reads or writes."""
        return [use for use in self._of_builds.get(id(build), []) if use.entry.direction == direction]

    @cached_property
    def is_sound(self) -> bool:
        """Whether each entry can be read, and has a type and keys without blanks: else a place may be meant."""
        return all(entry.is_resolved and entry.error is None for _, entry in self.repository.entries) and all(
            cache.type.text in BACKENDS and all(key == key.strip() for key in cache.attrs)
            for _, _, cache in self.caches
        )

    def is_file(self, path: str) -> bool:
        """Whether a path from the root is a file."""
        return self.root is not None and (self.root / path).is_file()

    def exists(self, path: str) -> bool:
        """Whether there is something at a path from the root."""
        return self.root is not None and (self.root / path).exists()

    def dockerfile(self, path: str) -> ReadDockerfile | None:
        """Read a Dockerfile; None if it is not there, is no Dockerfile, or has a syntax of its own."""
        if self.root is None:
            return None
        path = posixpath.normpath(path)
        if path.startswith(("..", "/")):
            return None
        if path not in self._read:
            self._read[path] = read_dockerfile(self.root / path, path)
        return self._read[path]

    def context_of(self, build: Build) -> str | None:
        """Give the folder that a build has as its context, from the root; None if that cannot be told."""
        start = start_of(build)
        return None if start is None else folder_of(build.settings.context, start)

    def dockerfile_of(self, build: Build) -> ReadDockerfile | None:
        """Read the Dockerfile of a build; None if it cannot be told which one that is."""
        if id(build) not in self._of:
            self._of[id(build)] = self._dockerfile_of(build)
        return self._of[id(build)]

    def stage_of(self, build: Build) -> tuple[ReadDockerfile, int] | None:
        """Give the Dockerfile of a build and the stage that it asks for; None if one of them cannot be told."""
        dockerfile = self.dockerfile_of(build)
        number = None if dockerfile is None else dockerfile.stage_named(target_of(build))
        return None if dockerfile is None or number is None else (dockerfile, number)

    def _dockerfile_of(self, build: Build) -> ReadDockerfile | None:
        context = self.context_of(build)
        if context is None or build.settings.dockerfile_inline is not None or build.runner.reads_file:
            return None
        named = build.settings.dockerfile
        if named is None or named.is_empty:
            return self.dockerfile(posixpath.join(context, "Dockerfile"))
        path = folder_of(named, context if build.runner.kind in ("bake", "compose") else start_of(build) or "")
        return None if path is None else self.dockerfile(path)

    @cached_property
    def dockerfiles(self) -> Sequence[ReadDockerfile]:
        """Every Dockerfile that is named or that a build names."""
        found: dict[str, ReadDockerfile] = {}
        for read in [*(self.dockerfile(path) for path in self.named), *map(self.dockerfile_of, self.repository.builds)]:
            if read is not None:
                found.setdefault(read.path, read)
        return list(found.values())

    @cached_property
    def _builds(self) -> Mapping[str, list[Build]]:
        found: dict[str, list[Build]] = {}
        for build in self.repository.builds:
            read = self.dockerfile_of(build)
            if read is not None:
                found.setdefault(read.path, []).append(build)
        return found

    def builds_of(self, dockerfile: ReadDockerfile) -> Sequence[Build]:
        """Give the builds of a Dockerfile."""
        return self._builds.get(dockerfile.path, [])

    def line(self, place: Place) -> str:
        """Give a line of a file of settings; empty if there is none."""
        if place.file not in self._lines:
            text = next((file.text for file in self.repository.files if file.name == place.file), "")
            self._lines[place.file] = text.splitlines()
        lines = self._lines[place.file]
        return lines[place.line - 1] if 0 < place.line <= len(lines) else ""

    def fix(self, entry: Entry, after: str, *, is_safe: bool = True) -> Fix | None:
        """Replace the text of an entry; None without another, or if it does not stand in its line exactly once."""
        before = entry.written
        secrets = any(key in SECRETS for cache in entry.caches for key in cache.attrs)
        if (
            secrets
            or not before
            or not after
            or before == after
            or "\n" in before
            or self.line(entry.place).count(before) != 1
        ):
            return None
        return Fix(file=entry.place.file, line=entry.place.line, before=before, after=after, is_safe=is_safe)
