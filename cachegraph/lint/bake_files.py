"""Builds of bake files.

::

    variable "TAG" { default = "latest" }                 the environment's TAG comes first
    target "web" {
      matrix     = { arch = ["amd64", "arm64"] }           a target for each
      name       = "web-${arch}"
      cache-from = ["type=registry,ref=app:${TAG}",        a template
                    {type = "gha", scope = arch}]          the same as type=gha,scope=amd64
      cache-to   = TAG == "latest" ? ["type=inline"] : []
    }

The same in JSON: ``{"variable": {"TAG": {"default": "latest"}}, "target": {"web": {"cache-from": [..]}}}``.
Source: buildx ``bake/bake.go`` (``Target``, ``Merge``, ``ResolveTarget``).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cachegraph.lint.bake_runs import Given
from cachegraph.lint.bake_sources import BakeSource, Target
from cachegraph.lint.drafts import SettingsDraft
from cachegraph.lint.entries import entries_of
from cachegraph.lint.hcl import Node
from cachegraph.lint.hcl_types import UnresolvedError, number_text
from cachegraph.lint.hcl_values import Values
from cachegraph.lint.holes import has_hole
from cachegraph.lint.model import Build, Combination, Entry, Runner
from cachegraph.lint.session import Session
from cachegraph.lint.values import Condition, Direction, Place
from cachegraph.loaders.specs.parse import canonical

__all__ = ["read_bake"]

_ENTRIES: tuple[tuple[str, Direction], ...] = (("cache-from", "from"), ("cache-to", "to"))
_SINGLE = {
    "context": "context",
    "dockerfile": "dockerfile",
    "dockerfile-inline": "dockerfile_inline",
    "target": "target",
    "no-cache": "no_cache",
    "pull": "pull",
    "network": "network",
    "shm-size": "shm_size",
}
_LISTED = {
    "output": "outputs",
    "platforms": "platforms",
    "tags": "tags",
    "secret": "secrets",
    "ssh": "ssh",
    "entitlements": "allow",
    "no-cache-filter": "no_cache_filter",
    "ulimits": "ulimits",
    "attest": "attests",
}
_PAIRS = {"args": "args", "contexts": "contexts"}
_MOST_COMBINATIONS = 256
_MOST_TARGETS = 2_000
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class _Attribute:
    """An attribute of a target, to be worked out where it is defined."""

    file: str
    line: int
    node: Node
    target: str
    local: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Concrete:
    """A target with one combination of its matrix."""

    name: str
    source: str
    target: Target
    local: Mapping[str, object]
    combination: Combination


def read_bake(session: Session, source: BakeSource, files: Sequence[str]) -> None:
    """Read the targets of bake files that belong together, behind all that may run bake.

    Parameters
    ----------
    session : Session
    source : BakeSource
    files : sequence of str
        The first of them is what errors name.
    """
    _Bake(session, source, files[0], session.bake_runs.given(files, source.variables)).read()


class _Bake:
    def __init__(self, session: Session, source: BakeSource, file: str, given: Given) -> None:
        self._session = session
        self._source = source
        self._file = file
        self._given = given
        self._budget = session.budget(file)
        environ = session.around.environ
        self._values = Values(session.holes, self._budget, environ, source.variables, source.functions, given.variables)
        self._targets: dict[str, _Concrete] = {}
        self._parents: set[str] = set()

    def read(self) -> None:
        """Make a build of each target."""
        for name, target in itertools.islice(self._source.targets.items(), _MOST_TARGETS):
            try:
                for concrete in self._concrete(name, target):
                    self._targets[concrete.name] = concrete
            except UnresolvedError as why:
                self._session.pass_over(Place(file=target.file, line=target.line, path=f"target.{name}"), str(why))
        builds = [self._build(concrete) for concrete in self._targets.values()]
        named = self._grouped()
        for build in builds:
            abstract = build.name in self._parents and build.name not in named
            self._session.builds.append(build if not abstract else replace(build, is_abstract=True))

    def _concrete(self, name: str, target: Target) -> Iterator[_Concrete]:
        matrix = target.attributes.get("matrix")
        if matrix is None:
            yield _Concrete(name, name, target, {}, Combination())
            return
        dimensions = self._values.evaluate(matrix[2])
        if not isinstance(dimensions, dict) or any(not isinstance(one, list) for one in dimensions.values()):
            raise UnresolvedError("only bake works out its matrix")
        size = 1
        for values in dimensions.values():
            size *= len(values)
        if size > _MOST_COMBINATIONS:
            raise UnresolvedError("its matrix has more combinations than are read here")
        named = target.attributes.get("name")
        for position, values in enumerate(itertools.product(*dimensions.values())):
            local = dict(zip(dimensions, values, strict=True))
            own = self._values.text(named[2], local) if named else f"{name}-{position}"
            told = {key: _shown(value) for key, value in local.items()}
            yield _Concrete(own, name, target, local, Combination(values=told))

    def _grouped(self) -> set[str]:
        """Give the targets that groups name, matrix targets by all of theirs."""
        groups = self._session.groups.setdefault(self._file, {})
        for name, node in self._source.groups.items():
            try:
                members = self._values.evaluate(node)
            except UnresolvedError as why:
                self._session.pass_over(Place(file=self._file, line=node.line, path=f"group.{name}"), str(why))
                continue
            groups[name] = [str(one) for one in members if not has_hole(one)] if isinstance(members, list) else []
        return {one for members in groups.values() for one in members}

    def _inherited(self, concrete: _Concrete, depth: int = 0) -> dict[str, list[_Attribute]]:
        """Give the attributes of a target with what it inherits; the last of a list counts, maps are joined."""
        if depth > _DEEPEST:
            raise UnresolvedError(f"target {concrete.name} inherits itself")
        found: dict[str, list[_Attribute]] = {}
        parents = concrete.target.attributes.get("inherits")
        if parents is not None:
            names = self._values.evaluate(parents[2], concrete.local)
            for name in names if isinstance(names, list) else []:
                parent = self._targets.get(str(name))
                if parent is None:
                    if has_hole(name):
                        raise UnresolvedError("what it inherits is known only when bake runs")
                    continue
                self._parents.add(parent.name)
                for key, attributes in self._inherited(parent, depth + 1).items():
                    found[key] = [*found.get(key, []), *attributes] if key in _PAIRS else attributes
        for key, (file, line, node) in concrete.target.attributes.items():
            own = _Attribute(file, line, node, concrete.source, concrete.local)
            found[key] = [*found.get(key, []), own] if key in _PAIRS else [own]
        return found

    def _build(self, concrete: _Concrete) -> Build:
        place = Place(file=concrete.target.file, line=concrete.target.line, path=f"target.{concrete.source}")
        entries: list[Entry] = []
        settings = SettingsDraft()
        try:
            attributes = self._inherited(concrete)
        except UnresolvedError as why:
            self._session.pass_over(place, str(why))
            attributes = {
                key: [_Attribute(file, line, node, concrete.source, concrete.local)]
                for key, (file, line, node) in concrete.target.attributes.items()
            }
        for key, direction in _ENTRIES:
            for attribute in attributes.get(key, ()):
                entries += self._entries(direction, key, attribute)
        for key, found in attributes.items():
            for attribute in found:
                try:
                    self._setting(settings, key, attribute)
                except UnresolvedError as why:
                    at = Place(file=attribute.file, line=attribute.line, path=f"target.{attribute.target}.{key}")
                    self._session.pass_over(at, str(why))
        return Build(
            runner=Runner(kind="bake"),
            place=place,
            kind="bake",
            combination=concrete.combination,
            name=concrete.name,
            entries=tuple(entries),
            settings=settings.made(),
            directory=self._given.directory,
        )

    def _entries(self, direction: Direction, key: str, attribute: _Attribute) -> Iterator[Entry]:
        path = f"target.{attribute.target}.{key}"
        try:
            items = self._items(attribute.node, attribute.local, (), 0)
        except UnresolvedError as why:
            at = Place(file=attribute.file, line=attribute.node.line or attribute.line, path=path)
            self._session.pass_over(at, str(why), direction)
            return
        for position, (value, line, conditions) in enumerate(items):
            at = Place(file=attribute.file, line=line or attribute.line, path=f"{path}[{position}]")
            if isinstance(value, UnresolvedError):
                self._session.pass_over(at, str(value), direction)
                continue
            try:
                text = self._spec(value)
            except UnresolvedError as why:
                self._session.pass_over(at, str(why), direction)
                continue
            yield from entries_of(self._session.holes, direction, text, at, written=text, conditions=conditions)

    def _items(
        self, node: Node, local: Mapping[str, object], conditions: tuple[Condition, ...], depth: int
    ) -> list[tuple[object, int, tuple[Condition, ...]]]:
        """Work out a list, each element with the line that it is written on."""
        values = self._values
        if depth < _DEEPEST:
            if node.kind == "tuple":
                return [(self._one(part, local), part.line, conditions) for part in node.parts]
            if node.kind == "call" and node.value in ("concat", "flatten", "compact", "distinct"):
                parts = node.parts
                if len(parts) == 1 and parts[0].kind == "tuple" and node.value == "flatten":
                    parts = parts[0].parts
                if all(part.kind != "spread" for part in parts):
                    found = [one for part in parts for one in self._items(part, local, conditions, depth + 1)]
                    return [one for one in found if node.value != "compact" or one[0] != ""]
            if node.kind == "if":
                asked = values.evaluate(node, local)
                choices = values.holes.choices(asked)
                if choices:
                    sides = zip(node.parts[1:], choices, strict=False)
                    return [
                        one
                        for side, (_, when) in sides
                        for one in self._items(side, local, (*conditions, when) if when else conditions, depth + 1)
                    ]
                taken = values.evaluate(node.parts[0], local) in (True, "true", "1")
                return self._items(node.parts[1 if taken else 2], local, conditions, depth + 1)
            if node.kind == "name" and not any(
                node.value in known for known in (local, self._session.around.environ, self._given.variables)
            ):
                default = self._source.variables.get(str(node.value))
                if default is not None:
                    values.variable(str(node.value))  # refuses one that is defined by itself
                    return self._items(default, {}, conditions, depth + 1)
        found_value = values.evaluate(node, local)
        if isinstance(found_value, list):
            return [(one, node.line, conditions) for one in found_value]
        return [] if found_value is None else [(found_value, node.line, conditions)]

    def _one(self, node: Node, local: Mapping[str, object]) -> object:
        try:
            return self._values.evaluate(node, local)
        except UnresolvedError as why:
            return why

    def _spec(self, value: object) -> str:
        if isinstance(value, dict):
            attrs = {str(key): number_text(one) for key, one in value.items() if one is not None}
            kind = attrs.pop("type", "")
            return canonical(kind, attrs)
        return number_text(value)

    def _setting(self, settings: SettingsDraft, key: str, attribute: _Attribute) -> None:
        if key not in _SINGLE and key not in _LISTED and key not in _PAIRS and key != "extra-hosts":
            return
        value = self._values.evaluate(attribute.node, attribute.local)
        holes = self._session.holes
        at = Place(file=attribute.file, line=attribute.line, path=f"target.{attribute.target}.{key}")
        if value is None:
            return
        if key in _SINGLE:
            settings.put(_SINGLE[key], holes.value(number_text(value), at))
        elif key in _LISTED:
            for one in value if isinstance(value, list) else [value]:
                text = (
                    ",".join(f"{k}={number_text(v)}" for k, v in one.items())
                    if isinstance(one, dict)
                    else number_text(one)
                )
                settings.add(_LISTED[key], holes.value(text, at))
        elif isinstance(value, Mapping):
            for name, one in value.items():
                if one is None:
                    continue
                made = holes.value(number_text(one), at)
                if key == "extra-hosts":
                    settings.add("hosts", holes.value(f"{name}={number_text(one)}", at))
                else:
                    settings.pair(_PAIRS[key], str(name), made)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={_shown(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ",".join(map(_shown, value))
    return "" if value is None else number_text(value)
