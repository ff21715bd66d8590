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

from collections.abc import Iterator
from pathlib import Path

from cachegraph.lint.commands import SettingsDraft
from cachegraph.lint.documents import Tree
from cachegraph.lint.entries import entries_of
from cachegraph.lint.found import ExpansionBudget
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
        match key:
            case "args" | "additional_contexts":
                for name, text, one in self._pairs(value):
                    where = "args" if key == "args" else "contexts"
                    settings.pair(where, name, self._value(text, one, f"{path}.{name}"))
            case "secrets":
                for one in value.elements():
                    settings.add("secrets", self._value(one.get("source").text or one.text, one, path))
            case "ssh":
                for name, text, one in self._pairs(value):
                    settings.add("ssh", self._value(f"{name}={text}" if text else name, one, path))
                for one in value.elements():
                    if "=" not in one.text:
                        settings.add("ssh", self._value(one.text, one, path))
            case "extra_hosts":
                for name, inner in value.items():
                    for one in inner.elements():
                        settings.add("hosts", self._value(f"{name}={one.text}", one, path))
                for one in value.elements():
                    settings.add("hosts", self._value(one.text, one, path))
            case "ulimits":
                for name, inner in value.items():
                    soft, hard = inner.get("soft").text, inner.get("hard").text
                    both = f"{name}={soft}:{hard}" if soft or hard else f"{name}={inner.text}"
                    settings.add("ulimits", self._value(both, inner, path))
            case "privileged" if self._fill(value.text).lower() in ("true", "yes", "on", "y", "1"):
                settings.add("allow", self._value("security.insecure", value, path))

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
