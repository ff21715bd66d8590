"""Builds of compose files.

::

    services:
      web:
        build:
          context: .
          cache_from: ["type=registry,ref=app:${TAG:-latest}"]
          x-bake: {cache-to: type=gha}

Sources: the Compose specification ("build", "interpolation", "extends"); buildx ``bake/compose.go``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.documents import Tree
from cachegraph.lint.drafts import SettingsDraft
from cachegraph.lint.entries import entries_of
from cachegraph.lint.interpolation import dotenv, interpolated
from cachegraph.lint.model import Build, Entry, Runner
from cachegraph.lint.session import Session
from cachegraph.lint.values import Direction, Place, Value

__all__ = ["read_compose"]

_ENTRIES: tuple[tuple[str, Direction], ...] = (("cache_from", "from"), ("cache_to", "to"))
_BAKE: tuple[tuple[str, Direction], ...] = (("cache-from", "from"), ("cache-to", "to"))
_SINGLE = {
    "context": "context",
    "dockerfile": "dockerfile",
    "dockerfile_inline": "dockerfile_inline",
    "target": "target",
    "no_cache": "no_cache",
    "pull": "pull",
    "network": "network",
    "shm_size": "shm_size",
    "provenance": "provenance",
    "sbom": "sbom",
}
_LISTED = {"platforms": "platforms", "tags": "tags", "entitlements": "allow"}
_BAKE_SINGLE = {"no-cache": "no_cache", "pull": "pull", "context": "context"}
_BAKE_LISTED = {
    "tags": "tags",
    "platforms": "platforms",
    "output": "outputs",
    "secret": "secrets",
    "ssh": "ssh",
    "no-cache-filter": "no_cache_filter",
}
_DEEPEST = 8


def read_compose(session: Session, file: str, tree: Tree, folder: Path | None) -> None:
    """Read the services that are built.

    Parameters
    ----------
    session : Session
    file : str
    tree : Tree
    folder : pathlib.Path or None
        Where its ``.env`` is.
    """
    beside = session.beside(".env", folder) if folder is not None else None
    variables = dict(dotenv(beside[1])) if beside else {}
    variables.update(session.around.environ)
    reader = _Compose(session, file, session.budget(file), variables)
    services = tree.get("services")
    for name, service in services.items():
        build = reader.build(services, service, 0)
        if build:
            session.builds.append(reader.made(name, build))


class _Compose:
    def __init__(self, session: Session, file: str, budget: ExpansionBudget, variables: dict[str, str]) -> None:
        self._session = session
        self._file = file
        self._budget = budget
        self._variables = variables

    def _fill(self, text: str) -> str:
        return interpolated(text, self._variables.get, self._session.holes, self._budget)

    def build(self, services: Tree, service: Tree, depth: int) -> dict[str, Tree]:
        """Give the keys of ``build:``, with those of the service that it extends."""
        build = service.get("build")
        found: dict[str, Tree] = {}
        extends = service.get("extends")
        parent = extends.text or ("" if extends.get("file") else extends.get("service").text)
        if parent and depth < _DEEPEST:
            found.update(self.build(services, services.get(parent), depth + 1))
        if build.is_mapping:
            found.update(build.items())
            found.setdefault("", build)
        elif build.text:
            found["context"] = build
        return found

    def made(self, name: str, build: dict[str, Tree]) -> Build:
        """Make the build of a service."""
        path = f"services.{name}.build"
        entries: list[Entry] = []
        settings = SettingsDraft()
        for key, direction in _ENTRIES:
            if key in build:
                entries += self._entries(direction, build[key], f"{path}.{key}")
        bake = build.get("x-bake")
        if bake:
            for key, direction in _BAKE:
                entries += self._entries(direction, bake.get(key), f"{path}.x-bake.{key}")
            for key, value in bake.items():
                self._set(settings, key, value, f"{path}.x-bake.{key}", _BAKE_SINGLE, _BAKE_LISTED)
        for key, value in build.items():
            if key:
                self._set(settings, key, value, f"{path}.{key}", _SINGLE, _LISTED)
                self._special(settings, key, value, f"{path}.{key}")
        line = (build.get("") or next(iter(build.values()))).line
        return Build(
            runner=Runner(kind="compose"),
            place=Place(file=self._file, line=line, path=path),
            kind="compose",
            name=name,
            entries=tuple(entries),
            settings=settings.made(),
        )

    def _entries(self, direction: Direction, tree: Tree, path: str) -> Iterator[Entry]:
        for position, one in enumerate(tree.elements()):
            place = Place(file=self._file, line=one.line, path=f"{path}[{position}]")
            yield from entries_of(self._session.holes, direction, self._fill(one.text), place, written=one.text)

    def _value(self, text: str, tree: Tree, path: str) -> Value:
        return self._session.holes.value(self._fill(text), Place(file=self._file, line=tree.line, path=path))

    def _set(
        self, settings: SettingsDraft, key: str, value: Tree, path: str, single: dict[str, str], listed: dict[str, str]
    ) -> None:
        if key in single and not value.is_null:
            settings.put(single[key], self._value(value.text, value, path))
        elif key in listed:
            for one in value.elements():
                settings.add(listed[key], self._value(one.text, one, path))

    def _special(self, settings: SettingsDraft, key: str, value: Tree, path: str) -> None:
        """Read what has several forms."""
        if key in ("args", "additional_contexts"):
            for name, text, one in self._pairs(value):
                settings.pair("args" if key == "args" else "contexts", name, self._value(text, one, f"{path}.{name}"))
        elif key == "privileged" and self._fill(value.text).lower() in ("true", "yes", "on", "y", "1"):
            settings.add("allow", self._value("security.insecure", value, path))
        elif key in _FORMS:
            for text, one in _FORMS[key](value):
                settings.add("hosts" if key == "extra_hosts" else key, self._value(text, one, path))

    def _pairs(self, tree: Tree) -> Iterator[tuple[str, str, Tree]]:
        """Read a mapping, or a list of NAME=VALUE; what has no value is taken from the environment."""
        for name, value in tree.items():
            if not value.is_null:
                yield name, value.text, value
            elif name in self._variables:
                yield name, self._variables[name].replace("$", "$$"), value
        for one in tree.elements():
            name, equals, text = one.text.partition("=")
            if equals:
                yield name, text, one
            elif name in self._variables:
                yield name, self._variables[name].replace("$", "$$"), one


def _secrets(value: Tree) -> Iterator[tuple[str, Tree]]:
    for one in value.elements():
        yield one.get("source").text or one.text, one


def _ssh(value: Tree) -> Iterator[tuple[str, Tree]]:
    for name, one in value.items():
        yield f"{name}={one.text}" if one.text else name, one
    for one in value.elements():
        yield one.text, one


def _hosts(value: Tree) -> Iterator[tuple[str, Tree]]:
    """Read a mapping, whose values may be lists of addresses, or a list."""
    for name, inner in value.items():
        for one in inner.elements():
            yield f"{name}={one.text}", one
    for one in value.elements():
        yield one.text, one


def _ulimits(value: Tree) -> Iterator[tuple[str, Tree]]:
    """Read ``{nofile: 1024}`` and ``{nofile: {soft: 1024, hard: 2048}}``."""
    for name, inner in value.items():
        soft, hard = inner.get("soft").text, inner.get("hard").text
        yield f"{name}={soft}:{hard}" if soft or hard else f"{name}={inner.text}", inner


_FORMS: Mapping[str, Callable[[Tree], Iterator[tuple[str, Tree]]]] = {
    "secrets": _secrets,
    "ssh": _ssh,
    "extra_hosts": _hosts,
    "ulimits": _ulimits,
}
