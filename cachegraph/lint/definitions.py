"""Build definitions: what compose files, bake files and workflows say of the builds whose caches they name.

::

    services: {web: {build: {context: ., target: app, args: {V: 1}, cache_from: ["type=gha"]}}}
    target "web" { context = "."  inherits = ["base"]  args = {V = "1"} }
    - uses: docker/build-push-action@v6
      with: {context: ., file: docker/Dockerfile, build-args: "V=1", cache-from: "type=gha"}

Sources: the Compose specification ("build"); buildx ``bake/bake.go``; the action's ``action.yml``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cachegraph.errors import UnknownNameError, UsageError
from cachegraph.lint.model import Build, Repository
from cachegraph.lint.reader import read_one
from cachegraph.lint.values import Value
from cachegraph.loaders.limits import DEFAULT, Limits
from cachegraph.text.nearest import did_you_mean

__all__ = ["Definition", "bake_definitions", "compose_definitions", "workflow_definitions"]

_HINT = "give a docker-bake.hcl or .json, a compose file or a workflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A build.

    Attributes
    ----------
    name : str
        Of the service, target or job.
    inline : str or None
        The Dockerfile itself, where the file holds it; it comes before ``dockerfile``.
    context, dockerfile, target : str
        ``""`` where nothing is said. The context is a path, relative ones from where the file has them start.
    args, contexts : mapping of str to str
    platforms, cache_from, secrets, ssh, allow : tuple of str
    no_cache : bool
    no_cache_filter, hosts, ulimits : tuple of str
    network, shm_size : str
        As ``docker buildx build`` takes them.
    """

    name: str
    context: str = "."
    dockerfile: str = ""
    inline: str | None = None
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    cache_from: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()
    network: str = ""
    hosts: tuple[str, ...] = ()
    shm_size: str = ""
    ulimits: tuple[str, ...] = ()


def _chosen(path: Path, names: Sequence[str], found: Mapping[str, Build], kind: str) -> dict[str, Build]:
    """Give the builds of these names, or all."""
    for name in names:
        if name not in found:
            raise UnknownNameError(f"{path}: no {kind} {name!r}", hint=did_you_mean(name, tuple(found), f"{kind}s"))
    if not found:
        raise UsageError(f"{path}: it builds nothing", hint=_HINT)
    return {name: found[name] for name in (names or found)}


def compose_definitions(path: Path, services: Sequence[str] = (), limits: Limits = DEFAULT) -> list[Definition]:
    """Read the builds of a compose file.

    Parameters
    ----------
    path : pathlib.Path
        Variables come from the environment, then from the ``.env`` beside it.
    services : sequence of str
        By default all that are built.
    limits : Limits

    Raises
    ------
    cachegraph.errors.UnknownNameError
        No such service, or it is not built.
    cachegraph.errors.UsageError
        A variable without a value.
    cachegraph.errors.SourceError
        The file cannot be read.
    """
    read = read_one(path, environ=os.environ, limits=limits, kind="compose")
    chosen = _chosen(path, services, {build.name: build for build in read.builds}, "service")
    return [_compose(name, build, path.parent) for name, build in chosen.items()]


def bake_definitions(
    path: Path, targets: Sequence[str] = (), limits: Limits = DEFAULT, *, text: str | None = None
) -> list[Definition]:
    """Read targets of a bake file.

    Parameters
    ----------
    path : pathlib.Path
        HCL or JSON. Relative paths start in the working directory, as bake has them.
    targets : sequence of str
        Targets or groups; by default the group ``default``, or all. One with a matrix stands for all that it makes.
    limits : Limits
    text : str, optional
        What stands in it, where it is no file: what ``docker buildx bake --print`` says.

    Raises
    ------
    cachegraph.errors.UnknownNameError
        No such target.
    cachegraph.errors.UsageError
        What only bake works out: a time, a function that is not known.
    cachegraph.errors.SourceError
        The file cannot be read.
    """
    if text is not None:
        path = Path("standard input")
    read = read_one(path, environ=os.environ, limits=limits, kind="bake", text=text)
    groups = next(iter(read.groups.values()), {})
    found = {build.name: build for build in read.builds}
    made: dict[str, list[str]] = {}  # of a target with a matrix
    for build in read.builds:
        made.setdefault(build.place.path.removeprefix("target."), []).append(build.name)
    names = list(_members({**made, **groups}, targets or ("default",), set()))
    if not targets and names == ["default"] and "default" not in found:
        names = [build.name for build in read.builds if not build.is_abstract] or list(found)
    return [_target(name, build, read) for name, build in _chosen(path, names, found, "target").items()]


def _members(groups: Mapping[str, Sequence[str]], names: Sequence[str], seen: set[str]) -> Iterator[str]:
    """Replace groups by their targets."""
    for name in names:
        if groups.get(name, [name]) == [name]:
            yield name
        elif name not in seen:
            seen.add(name)
            yield from _members(groups, groups[name], seen)


def workflow_definitions(path: Path, jobs: Sequence[str] = (), limits: Limits = DEFAULT) -> list[Definition]:
    """Read the builds of a GitHub workflow: the steps with ``docker/build-push-action``.

    Parameters
    ----------
    path : pathlib.Path
    jobs : sequence of str
        By default all that build. Several builds of a job, in steps or in a matrix, are called ``job``, ``job-2``, ...
    limits : Limits

    Raises
    ------
    cachegraph.errors.UnknownNameError
        No such job, or it builds nothing.
    cachegraph.errors.UsageError
        An expression that only GitHub works out.
    cachegraph.errors.SourceError
        The file cannot be read.
    """
    read = read_one(path, environ=os.environ, limits=limits, kind="workflow")
    found: dict[str, list[Build]] = {}
    for build in read.builds:
        if build.job is not None and build.runner.name.endswith("build-push-action"):
            found.setdefault(build.job.name, []).append(build)
    missing = [name for name in jobs if name not in found]
    if missing:
        raise UnknownNameError(f"{path}: no job {missing[0]!r} that builds", hint="it needs docker/build-push-action")
    named = {
        f"{job}-{position + 1}" if position else job: build
        for job, builds in found.items()
        if not jobs or job in jobs
        for position, build in enumerate(builds)
    }
    return [_action(name, build) for name, build in _chosen(path, (), named, "job").items()]


class _Texts:
    """Gives the texts of a build's settings, all of which must be known.

    Parameters
    ----------
    build : Build
    hint : str
        What to do about one that is not.
    """

    def __init__(self, build: Build, hint: str) -> None:
        self._settings = build.settings
        self._hint = hint
        self.cache_from = self.several(tuple(entry.value for entry in build.reads if not entry.value.is_empty))

    def known(self, value: Value | None) -> str:
        """Give a text; empty where nothing is said."""
        if value is None:
            return ""
        if value.text is None:
            place = value.place
            raise UsageError(f"{place.file}: {place.path}: {value.reason}", hint=self._hint)
        return value.text

    def one(self, name: str) -> str:
        """Give a single setting."""
        return self.known(getattr(self._settings, name))

    def several(self, values: tuple[Value, ...]) -> tuple[str, ...]:
        """Give texts of a list."""
        return tuple(self.known(value) for value in values)

    def listed(self, name: str) -> tuple[str, ...]:
        """Give a setting that is a list."""
        return self.several(getattr(self._settings, name))

    def pairs(self, name: str) -> dict[str, str]:
        """Give arguments or named contexts."""
        return {key: self.known(value) for key, value in getattr(self._settings, name).items()}

    def definition(self, name: str, context: str, dockerfile: str) -> Definition:
        """Make the definition, as far as it is alike for all kinds."""
        return Definition(
            name=name,
            context=context,
            dockerfile=dockerfile,
            target=self.one("target"),
            args=self.pairs("args"),
            inline=None if self._settings.dockerfile_inline is None else self.one("dockerfile_inline"),
            contexts=self.pairs("contexts"),
            platforms=self.listed("platforms"),
            cache_from=self.cache_from,
            secrets=self.listed("secrets"),
            ssh=tuple(text.partition("=")[0] for text in self.listed("ssh")),
            allow=self.listed("allow"),
            no_cache=self.one("no_cache").lower() in ("true", "yes", "on", "y", "1"),
            no_cache_filter=self.listed("no_cache_filter"),
            network=self.one("network"),
            hosts=self.listed("hosts"),
            shm_size=self.one("shm_size"),
            ulimits=self.listed("ulimits"),
        )


def _compose(name: str, build: Build, folder: Path) -> Definition:
    texts = _Texts(build, "set it in the environment")
    context = _place(texts.one("context") or ".", folder)
    made = texts.definition(name, context, _inside(context, texts.one("dockerfile")))
    return replace(made, contexts={key: _context(text, folder) for key, text in made.contexts.items()})


def _target(name: str, build: Build, read: Repository) -> Definition:
    hint = "docker buildx bake --print works it out"
    path = build.place.path
    for one in read.unresolved:
        if one.place.path == path or one.place.path.startswith(f"{path}."):
            raise UsageError(f"{one.place.file}: {one.place.path}: {one.reason}", hint=hint)
    texts = _Texts(build, hint)
    context = texts.one("context") or "."
    return texts.definition(name, context, _inside(context, texts.one("dockerfile")))


def _action(name: str, build: Build) -> Definition:
    texts = _Texts(build, "give it with an option")
    # Without one the action builds the commit that GitHub checked out, which is what lies here.
    made = texts.definition(name, texts.one("context") or ".", texts.one("dockerfile"))
    return replace(made, secrets=tuple(line.partition("=")[0].removeprefix("id=") for line in made.secrets))


def _place(text: str, folder: Path) -> str:
    """Let a relative path start at a folder."""
    return text if "://" in text or text.startswith(("/", "git@", "~")) else str(folder / text)


def _inside(context: str, dockerfile: str) -> str:
    """Let a Dockerfile's path start at its context, as compose and bake have it; of a repository it stays as it is."""
    if not dockerfile or "://" in context or context.startswith("git@"):
        return dockerfile
    return str(Path(context) / dockerfile)


def _context(text: str, folder: Path) -> str:
    """Let a named context that is a path start at a folder."""
    return text if ":" in text.partition("/")[0] else _place(text, folder)
