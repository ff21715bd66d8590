"""Cache entries in compose files and in GitHub workflows.

::

    services:
      web:
        build:
          cache_from: ["type=registry,ref=app:${TAG:-latest}"]

    jobs:
      build:
        env: {IMAGE: ghcr.io/acme/app}
        steps:
          - uses: docker/build-push-action@v6
            with:
              cache-from: |
                type=gha,scope=web
                type=registry,ref=${{ env.IMAGE }}:cache
          - uses: docker/bake-action@v6
            with: {set: "*.cache-to=type=gha,mode=max"}
          - run: docker buildx build --cache-from type=local,src=cache .

Sources: the Compose specification ("build", "interpolation"); the two actions' ``action.yml``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from cachegraph.errors import DecodeError, MissingExtraError
from cachegraph.lint.found import Direction, FoundSpec, UnresolvedError, expand_variables

if TYPE_CHECKING:
    from yaml import SafeLoader
    from yaml.nodes import Node

__all__ = ["specs_in_yaml"]

_COMPOSE_KEYS: tuple[tuple[str, Direction], ...] = (("cache_from", "from"), ("cache_to", "to"))
_BAKE_KEYS: tuple[tuple[str, Direction], ...] = (("cache-from", "from"), ("cache-to", "to"))
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_ENV = re.compile(r"env\.([A-Za-z_]\w*)")
_SET = re.compile(r"[^=\s]*\.cache-(from|to)\+?=(.*)")
_WORD = r"""(?:\$\{\{.*?\}\}|'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"|;&<>()\\])+"""
_OPTION = re.compile(rf"--(?:cache-(from|to)|set)[ =]\s*({_WORD})", re.DOTALL)


def specs_in_yaml(file: str, text: str, environ: Mapping[str, str]) -> list[FoundSpec]:
    """Find the cache entries of a compose file, a workflow, or a composite action.

    Raises
    ------
    cachegraph.errors.MissingExtraError
        The reader of YAML is not installed.
    cachegraph.errors.DecodeError
        Not YAML, or none of these files.
    """
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError("Reading a YAML file", "files") from error
    loader = yaml.SafeLoader(text)
    try:
        root = _Tree(loader.get_single_node(), loader)
        if services := root.get("services"):
            return [found for name, service in services.items() for found in _service(file, name, service, environ)]
        if jobs := root.get("jobs"):
            env = _env(root, {})
            return [found for name, job in jobs.items() for found in _steps(file, f"jobs.{name}", job, _env(job, env))]
        if runs := root.get("runs"):
            return list(_steps(file, "runs", runs, {}))
    except (yaml.YAMLError, RecursionError) as error:
        # The reader's own words quote the file, and so what secrets it holds.
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark else ""
        raise DecodeError(f"{file}: not YAML{where}") from None
    finally:
        loader.dispose()
    raise DecodeError(
        f"{file}: neither a compose file, a workflow nor an action", hint="it has no services, jobs or runs"
    )


class _Tree:
    """A node of a YAML document that knows its line; what has another shape than asked for is empty."""

    def __init__(self, node: Node | None, loader: SafeLoader) -> None:
        self._node = node
        self._loader = loader

    def __bool__(self) -> bool:
        return self._node is not None

    @property
    def line(self) -> int:
        """The line that its text begins on: a block's is the one after its ``|``."""
        from yaml.nodes import ScalarNode

        block = isinstance(self._node, ScalarNode) and self._node.style in {"|", ">"}
        return self._node.start_mark.line + 1 + block if self._node else 0

    @property
    def text(self) -> str:
        from yaml.nodes import ScalarNode

        return str(self._node.value) if isinstance(self._node, ScalarNode) else ""

    def items(self) -> Iterator[tuple[str, _Tree]]:
        from yaml.nodes import MappingNode

        if isinstance(self._node, MappingNode):
            self._loader.flatten_mapping(self._node)  # puts in what `<<: *anchor` brings
            for key, value in self._node.value:
                yield str(key.value), _Tree(value, self._loader)

    def get(self, *keys: str) -> _Tree:
        tree = self
        for key in keys:
            tree = dict(tree.items()).get(key, _Tree(None, self._loader))
        return tree

    def elements(self) -> list[_Tree]:
        """Return the elements of a list; a single value is a list of one."""
        from yaml.nodes import SequenceNode

        if isinstance(self._node, SequenceNode):
            return [_Tree(node, self._loader) for node in self._node.value]
        return [self] if self.text else []


def _service(file: str, name: str, service: _Tree, environ: Mapping[str, str]) -> Iterator[FoundSpec]:
    build = service.get("build")
    places = [(f"build.{key}", build.get(key), direction) for key, direction in _COMPOSE_KEYS]
    places += [(f"build.x-bake.{key}", build.get("x-bake", key), direction) for key, direction in _BAKE_KEYS]
    for path, entries, direction in places:
        for position, entry in enumerate(entries.elements()):
            where = f"services.{name}.{path}[{position}]"
            yield _found(file, entry.line, where, direction, entry.text, lambda text: expand_variables(text, environ))


def _steps(file: str, path: str, owner: _Tree, env: Mapping[str, str]) -> Iterator[FoundSpec]:
    for position, step in enumerate(owner.get("steps").elements()):
        here = f"{path}.steps[{position}]"
        yield from _step(file, here, step, _env(step, env))


def _step(file: str, path: str, step: _Tree, env: Mapping[str, str]) -> Iterator[FoundSpec]:
    action = step.get("uses").text.partition("@")[0]

    def known(text: str) -> str:
        return _expand_expressions(text, env)

    if action == "docker/build-push-action":
        for key, direction in _BAKE_KEYS:
            for line, text in _lines(step.get("with", key)):
                yield _found(file, line, f"{path}.with.{key}", direction, text, known)
    elif action == "docker/bake-action":
        for line, text in _lines(step.get("with", "set")):
            if setting := _SET.fullmatch(text):
                yield _found(file, line, f"{path}.with.set", _direction(setting[1]), setting[2], known)
    yield from _commands(file, f"{path}.run", step.get("run"), env)


def _commands(file: str, path: str, run: _Tree, env: Mapping[str, str]) -> Iterator[FoundSpec]:
    """Find ``--cache-from``, ``--cache-to`` and ``--set`` in a shell script, comments apart."""
    # Comments become blanks, so that offsets and lines stay.
    script = re.sub(r"(?m)^[ \t]*#.*$", lambda comment: " " * len(comment[0]), run.text)

    def known(text: str) -> str:
        return expand_variables(_expand_expressions(text, env), env)

    for option in _OPTION.finditer(script):
        word = re.sub(r"\\(.)", r"\1", re.sub(r"""['"]""", "", option[2]))
        direction = option[1]
        if direction is None:
            setting = _SET.fullmatch(word)
            if setting is None:
                continue
            direction, word = setting[1], setting[2]
        line = run.line + script.count("\n", 0, option.start())
        yield _found(file, line, path, _direction(direction), word, known)


def _lines(value: _Tree) -> Iterator[tuple[int, str]]:
    """Split an action's input, which lists one entry a line; ``#`` begins a comment."""
    for offset, line in enumerate(value.text.splitlines()):
        if (text := line.strip()) and not text.startswith("#"):
            yield value.line + offset, text


def _direction(word: str) -> Direction:
    return "from" if word == "from" else "to"


def _found(file: str, line: int, path: str, direction: Direction, text: str, known: Callable[[str], str]) -> FoundSpec:
    try:
        return FoundSpec(file=file, line=line, path=path, direction=direction, text=known(text))
    except UnresolvedError as why:
        return FoundSpec(file=file, line=line, path=path, direction=direction, reason=str(why))


def _env(owner: _Tree, outer: Mapping[str, str]) -> dict[str, str]:
    """Add the ``env:`` of a workflow, job or step to those around it, as far as it is known."""
    env = dict(outer)
    for name, value in owner.get("env").items():
        env.pop(name, None)
        try:
            env[name] = _expand_expressions(value.text, outer)
        except UnresolvedError:
            continue
    return env


def _expand_expressions(text: str, env: Mapping[str, str]) -> str:
    """Replace ``${{ env.NAME }}``; every other expression is known only in a run."""

    def value(found: re.Match[str]) -> str:
        name = _ENV.fullmatch(found[1])
        if name is None or name[1] not in env:
            first = re.match(r"[A-Za-z_][\w.-]*", found[1])  # a name, not the literals that may follow
            shown = (first[0] if first else "") + ("" if first and first[0] == found[1] else "..")
            raise UnresolvedError(f"${{{{ {shown} }}}} is known only while the workflow runs")
        return env[name[1]]

    return _EXPRESSION.sub(value, text)
