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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cachegraph.errors import DecodeError, UnknownNameError, UsageError
from cachegraph.lint.bake_files import bake_file
from cachegraph.lint.found import ExpansionBudget, UnresolvedError, expand_variables
from cachegraph.lint.yaml_files import Tree, expand_expressions, step_environment, yaml_tree
from cachegraph.loaders.limits import DEFAULT, Limits
from cachegraph.loaders.paths import read_file
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


def _text(path: Path, limits: Limits) -> str:
    data = read_file(path, str(path), limit=limits.settings_bytes, name="settings_bytes", hint=_HINT)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DecodeError(f"{path}: not UTF-8") from None


def _chosen(path: Path, names: Sequence[str], found: Mapping[str, Definition], kind: str) -> list[Definition]:
    """Give the definitions of these names, or of all."""
    for name in names:
        if name not in found:
            raise UnknownNameError(f"{path}: no {kind} {name!r}", hint=did_you_mean(name, tuple(found), f"{kind}s"))
    if not found:
        raise UsageError(f"{path}: it builds nothing", hint=_HINT)
    return [found[name] for name in (names or found)]


def compose_definitions(path: Path, services: Sequence[str] = (), limits: Limits = DEFAULT) -> list[Definition]:
    """Read the builds of a compose file.

    Parameters
    ----------
    path : pathlib.Path
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
    found: dict[str, Definition] = {}
    with yaml_tree(str(path), _text(path, limits), limits) as (root, budget):
        for name, service in root.get("services").items():
            build = service.get("build")
            if build and (not services or name in services):
                where = f"{path}: services.{name}.build"
                found[name] = _service(name, build, _Variables(where, os.environ, budget), path.parent)
    return _chosen(path, services, found, "service")


@dataclass(frozen=True, slots=True)
class _Variables:
    """Fills in variables, and says where one has no value."""

    where: str
    environ: Mapping[str, str]
    budget: ExpansionBudget

    def __call__(self, text: str) -> str:
        try:
            return expand_variables(text, self.environ, self.budget)
        except UnresolvedError as error:
            raise UsageError(f"{self.where}: {error}", hint="set it in the environment") from None


def _service(name: str, build: Tree, fill: Callable[[str], str], folder: Path) -> Definition:
    if build.text:
        return Definition(name=name, context=_place(fill(build.text), folder))
    if build.get("dockerfile_inline"):
        raise UsageError(f"{name}: a Dockerfile within a compose file is not read", hint="put it into a file")
    args = _pairs(build.get("args"), fill)
    context = _place(fill(build.get("context").text or "."), folder)
    return Definition(
        name=name,
        context=context,
        dockerfile=_inside(context, fill(build.get("dockerfile").text)),
        target=fill(build.get("target").text),
        args={
            key: os.environ.get(key, "") if value is None else value
            for key, value in args.items()
            if value is not None or key in os.environ
        },
        contexts={
            key: _context(value or "", folder) for key, value in _pairs(build.get("additional_contexts"), fill).items()
        },
        platforms=_list(build.get("platforms"), fill),
        cache_from=_list(build.get("cache_from"), fill),
        secrets=tuple(one.get("source").text or one.text for one in build.get("secrets").elements()),
        ssh=tuple(text.partition("=")[0] for text in _list(build.get("ssh"), fill)),
        allow=_list(build.get("entitlements"), fill)
        + (("security.insecure",) if _is_true(fill(build.get("privileged").text)) else ()),
        no_cache=_is_true(fill(build.get("no_cache").text)),
        network=fill(build.get("network").text),
        hosts=_hosts(build.get("extra_hosts"), fill),
        shm_size=fill(build.get("shm_size").text),
        ulimits=_ulimits(build.get("ulimits"), fill),
    )


def _is_true(text: str) -> bool:
    return text.lower() in ("true", "yes", "on", "y", "1")


def _hosts(tree: Tree, fill: Callable[[str], str]) -> tuple[str, ...]:
    """Read a mapping, whose values may be lists of addresses, or a list."""
    named = [f"{name}={fill(one.text)}" for name, value in tree.items() for one in value.elements()]
    return (*named, *_list(tree, fill))


def _ulimits(tree: Tree, fill: Callable[[str], str]) -> tuple[str, ...]:
    """Read ``{nofile: 1024}`` and ``{nofile: {soft: 1024, hard: 2048}}``."""
    found = []
    for name, value in tree.items():
        soft, hard = fill(value.get("soft").text), fill(value.get("hard").text)
        found.append(f"{name}={soft}:{hard}" if soft or hard else f"{name}={fill(value.text)}")
    return tuple(found)


def _pairs(tree: Tree, fill: Callable[[str], str]) -> dict[str, str | None]:
    """Read a mapping, or a list of NAME=VALUE; None where there is no value."""
    found: dict[str, str | None] = {}
    for name, value in tree.items():
        found[name] = None if value.is_null else fill(value.text)
    for one in tree.elements():
        name, equals, value_text = fill(one.text).partition("=")
        found[name] = value_text if equals else None
    return found


def _list(tree: Tree, fill: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(fill(one.text) for one in tree.elements())


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


def bake_definitions(path: Path, targets: Sequence[str] = (), limits: Limits = DEFAULT) -> list[Definition]:
    """Read targets of a bake file.

    Parameters
    ----------
    path : pathlib.Path
        HCL or JSON. Relative paths start in the working directory, as bake has them.
    targets : sequence of str
        Targets or groups; by default the group ``default``, or all.
    limits : Limits

    Raises
    ------
    cachegraph.errors.UnknownNameError
        No such target.
    cachegraph.errors.UsageError
        What only bake works out: a function, a matrix.
    cachegraph.errors.SourceError
        The file cannot be read.
    """
    text = _text(path, limits)
    file = bake_file(str(path), text, os.environ, limits, is_json=path.suffix.lower() == ".json")
    names = list(_members(file.groups, targets or ("default",), set()))
    if not targets and names == ["default"] and "default" not in file.targets:
        names = list(file.targets)
    found = {}
    for name in names:
        try:
            merged = file.inherited(name)
            if merged is not None:
                found[name] = _target(name, merged, file.text)
        except UnresolvedError as error:
            raise UsageError(
                f"{path}: target.{name}: {error}", hint="docker buildx bake --print works it out"
            ) from None
    return _chosen(path, names, found, "target")


def _members(groups: Mapping[str, Sequence[str]], names: Sequence[str], seen: set[str]) -> Iterator[str]:
    """Replace groups by their targets."""
    for name in names:
        if name in seen:
            continue
        seen.add(name)
        if name in groups:
            yield from _members(groups, groups[name], seen)
        else:
            yield name


def _target(name: str, body: Mapping[str, object], text: Callable[[object], str]) -> Definition:
    for key in ("dockerfile-inline", "matrix"):
        if body.get(key):
            raise UnresolvedError(f"{key} is not read here")

    def texts(key: str) -> tuple[str, ...]:
        value = body.get(key)
        return tuple(text(one) for one in value) if isinstance(value, list) else ()

    def pairs(key: str) -> dict[str, str]:
        value = body.get(key)
        return {str(k): text(v) for k, v in value.items() if v is not None} if isinstance(value, Mapping) else {}

    def single(key: str, otherwise: str = "") -> str:
        return text(body[key]) if body.get(key) is not None else otherwise

    context = single("context", ".")
    return Definition(
        name=name,
        context=context,
        dockerfile=_inside(context, single("dockerfile")),
        target=single("target"),
        args=pairs("args"),
        contexts=pairs("contexts"),
        platforms=texts("platforms"),
        cache_from=texts("cache-from"),
        secrets=texts("secret"),
        ssh=tuple(one.partition("=")[0] for one in texts("ssh")),
        allow=texts("entitlements"),
        no_cache=body.get("no-cache") is True or single("no-cache").lower() == "true",
        no_cache_filter=texts("no-cache-filter"),
        network=single("network"),
        hosts=tuple(f"{host}={address}" for host, address in pairs("extra-hosts").items()),
        shm_size=single("shm-size"),
        ulimits=texts("ulimits"),
    )


def workflow_definitions(path: Path, jobs: Sequence[str] = (), limits: Limits = DEFAULT) -> list[Definition]:
    """Read the builds of a GitHub workflow: the steps with ``docker/build-push-action``.

    Parameters
    ----------
    path : pathlib.Path
    jobs : sequence of str
        By default all that build. Several builds of a job are called ``job``, ``job-2``, ...
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
    found: dict[str, Definition] = {}
    with yaml_tree(str(path), _text(path, limits), limits) as (root, budget):
        outer = step_environment(root, {}, budget)
        for job_name, job in root.get("jobs").items():
            env = step_environment(job, outer, budget)
            for step in job.get("steps").elements():
                if step.get("uses").text.partition("@")[0] != "docker/build-push-action":
                    continue
                if jobs and job_name not in jobs:
                    continue
                number = sum(one == job_name or one.startswith(f"{job_name}-") for one in found)
                name = f"{job_name}-{number + 1}" if number else job_name
                where = f"{path}: jobs.{job_name}"
                found[name] = _action(name, step, step_environment(step, env, budget), budget, where)
    missing = [name for name in jobs if name not in found]
    if missing:
        raise UnknownNameError(f"{path}: no job {missing[0]!r} that builds", hint="it needs docker/build-push-action")
    return _chosen(path, (), found, "job")


def _action(name: str, step: Tree, env: Mapping[str, str], budget: ExpansionBudget, where: str) -> Definition:
    given = step.get("with")

    def fill(key: str) -> str:
        try:
            return expand_expressions(given.get(key).text, env, budget)
        except UnresolvedError as error:
            raise UsageError(f"{where}.with.{key}: {error}", hint="give it with an option") from None

    def lines(key: str) -> tuple[str, ...]:
        return tuple(line.strip() for line in fill(key).splitlines() if line.strip())

    def listed(key: str) -> tuple[str, ...]:
        return tuple(part.strip() for line in lines(key) for part in line.split(",") if part.strip())

    def pairs(key: str) -> dict[str, str]:
        return dict(line.split("=", 1) for line in lines(key) if "=" in line)

    return Definition(
        name=name,
        # Without one the action builds the commit that GitHub checked out, which is what lies here.
        context=fill("context") or ".",
        dockerfile=fill("file"),
        target=fill("target"),
        args=pairs("build-args"),
        contexts=pairs("build-contexts"),
        platforms=listed("platforms"),
        cache_from=lines("cache-from"),
        secrets=tuple(line.partition("=")[0].removeprefix("id=") for line in lines("secrets")),
        ssh=tuple(line.partition("=")[0] for line in lines("ssh")),
        allow=listed("allow"),
        no_cache=fill("no-cache").lower() == "true",
        no_cache_filter=listed("no-cache-filters"),
        network=fill("network"),
        hosts=listed("add-hosts"),
        shm_size=fill("shm-size"),
        ulimits=listed("ulimit"),
    )
