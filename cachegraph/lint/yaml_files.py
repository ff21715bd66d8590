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
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cachegraph.errors import DecodeError, MissingExtraError
from cachegraph.lint.found import Direction, ExpansionBudget, FoundSpec, UnresolvedError, expand_variables
from cachegraph.loaders.limits import Limits

if TYPE_CHECKING:
    from yaml import SafeLoader
    from yaml.nodes import Node

__all__ = ["Tree", "expand_expressions", "specs_in_yaml", "step_environment", "yaml_tree"]

_DEEPEST_MERGE = 100
_ELEMENT = 16  # characters that an element of a list counts as
_COMPOSE_KEYS: tuple[tuple[str, Direction], ...] = (("cache_from", "from"), ("cache_to", "to"))
_BAKE_KEYS: tuple[tuple[str, Direction], ...] = (("cache-from", "from"), ("cache-to", "to"))
_ENV = re.compile(r"env\.([A-Za-z_]\w*)")
_SET = re.compile(r"[^=\s]*\.cache-(from|to)\+?=(.*)")
_LONGEST = 2000  # characters of an expression or a quoted text in a command
_WORD = (
    rf"""(?:\$\{{\{{(?:[^}}]|\}}(?!\}})){{0,{_LONGEST}}}+\}}\}}|'[^']{{0,{_LONGEST}}}+'"""
    rf"""|"(?:\\.|[^"\\]){{0,{_LONGEST}}}+"|\\.|[^\s'"|;&<>()\\])++"""
)
_OPTION = re.compile(rf"--(?:cache-(from|to)|set)[ =]\s{{0,100}}+({_WORD})", re.DOTALL)


def specs_in_yaml(file: str, text: str, environ: Mapping[str, str], limits: Limits) -> list[FoundSpec]:
    """Find the cache entries of a compose file, a workflow, or a composite action.

    Raises
    ------
    cachegraph.errors.MissingExtraError
        The reader of YAML is not installed.
    cachegraph.errors.DecodeError
        Not YAML, or none of these files.
    """
    with yaml_tree(file, text, limits) as (root, budget):
        if services := root.get("services"):
            return [
                found for name, service in services.items() for found in _service(file, name, service, environ, budget)
            ]
        if jobs := root.get("jobs"):
            env = step_environment(root, {}, budget)
            return [
                found
                for name, job in jobs.items()
                for found in _steps(file, f"jobs.{name}", job, step_environment(job, env, budget), budget)
            ]
        if runs := root.get("runs"):
            return list(_steps(file, "runs", runs, {}, budget))
    raise DecodeError(
        f"{file}: neither a compose file, a workflow nor an action", hint="it has no services, jobs or runs"
    )


@contextmanager
def yaml_tree(file: str, text: str, limits: Limits) -> Iterator[tuple[Tree, ExpansionBudget]]:
    """Open a YAML document; what goes wrong while it is looked at is told without its text, which may hold secrets.

    Raises
    ------
    cachegraph.errors.MissingExtraError
        The reader of YAML is not installed.
    cachegraph.errors.DecodeError
        Not YAML, or of another shape than asked for.
    """
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError("Reading a YAML file", "files") from error
    budget = ExpansionBudget(file, limits)
    loader: SafeLoader | None = None
    try:
        loader = yaml.SafeLoader(text)
        yield Tree(loader.get_single_node(), loader, budget), budget
    except (yaml.YAMLError, RecursionError) as error:
        # The reader's own words quote the file, and so what secrets it holds.
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark else ""
        raise DecodeError(f"{file}: not YAML{where}") from None
    except (ValueError, TypeError, AttributeError, KeyError) as error:  # a key that is a list, a tag that is none
        raise DecodeError(f"{file}: not YAML ({type(error).__name__})") from None
    finally:
        if loader is not None:
            loader.dispose()


class Tree:
    """A node of a YAML document that knows its line; what has another shape than asked for is empty."""

    def __init__(self, node: Node | None, loader: SafeLoader, budget: ExpansionBudget) -> None:
        self._node = node
        self._loader = loader
        self._budget = budget

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
        """The text of a single value; empty for anything else."""
        from yaml.nodes import ScalarNode

        return str(self._node.value) if isinstance(self._node, ScalarNode) else ""

    @property
    def is_null(self) -> bool:
        """Whether nothing stands there: ``NAME:`` alone, or ``null``."""
        return self._node is None or self._node.tag == "tag:yaml.org,2002:null"

    def items(self) -> Iterator[tuple[str, Tree]]:
        """Give the entries of a mapping."""
        from yaml.nodes import MappingNode

        if isinstance(self._node, MappingNode):
            self._budget.count(_merged_size(self._node))
            self._loader.flatten_mapping(self._node)  # puts in what `<<: *anchor` brings
            for key, value in self._node.value:
                yield str(key.value), Tree(value, self._loader, self._budget)

    def get(self, *keys: str) -> Tree:
        """Go down mappings, key by key."""
        tree = self
        for key in keys:
            tree = dict(tree.items()).get(key, Tree(None, self._loader, self._budget))
        return tree

    def elements(self) -> list[Tree]:
        """Return the elements of a list; a single value is a list of one."""
        from yaml.nodes import SequenceNode

        if isinstance(self._node, SequenceNode):
            self._budget.count(_ELEMENT * len(self._node.value))  # an anchor may be used often
            return [Tree(node, self._loader, self._budget) for node in self._node.value]
        return [self] if self.text else []


def _merged_size(node: Node) -> int:
    """Count the keys that a mapping has once all that ``<<`` brings is put in, without putting it in."""
    sizes: dict[int, int] = {}

    def size(of: Node, depth: int) -> int:
        from yaml.nodes import MappingNode, SequenceNode

        if id(of) in sizes or depth > _DEEPEST_MERGE:
            return sizes.get(id(of), 0)
        sizes[id(of)] = 0  # one that merges itself
        if isinstance(of, SequenceNode):
            total = sum(size(part, depth + 1) for part in of.value)
        elif isinstance(of, MappingNode):
            total = sum(
                size(value, depth + 1) if key.tag == "tag:yaml.org,2002:merge" else 1 for key, value in of.value
            )
        else:
            total = 1
        sizes[id(of)] = total
        return total

    return size(node, 0)


def _service(
    file: str, name: str, service: Tree, environ: Mapping[str, str], budget: ExpansionBudget
) -> Iterator[FoundSpec]:
    build = service.get("build")
    places = [(f"build.{key}", build.get(key), direction) for key, direction in _COMPOSE_KEYS]
    places += [(f"build.x-bake.{key}", build.get("x-bake", key), direction) for key, direction in _BAKE_KEYS]
    for path, entries, direction in places:
        for position, entry in enumerate(entries.elements()):
            where = f"services.{name}.{path}[{position}]"
            yield _found(
                file, entry.line, where, direction, entry.text, lambda text: expand_variables(text, environ, budget)
            )


def _steps(file: str, path: str, owner: Tree, env: Mapping[str, str], budget: ExpansionBudget) -> Iterator[FoundSpec]:
    for position, step in enumerate(owner.get("steps").elements()):
        here = f"{path}.steps[{position}]"
        yield from _step(file, here, step, step_environment(step, env, budget), budget)


def _step(file: str, path: str, step: Tree, env: Mapping[str, str], budget: ExpansionBudget) -> Iterator[FoundSpec]:
    action = step.get("uses").text.partition("@")[0]

    def known(text: str) -> str:
        return expand_expressions(text, env, budget)

    if action == "docker/build-push-action":
        for key, direction in _BAKE_KEYS:
            for line, text in _lines(step.get("with", key)):
                yield _found(file, line, f"{path}.with.{key}", direction, text, known)
    elif action == "docker/bake-action":
        for line, text in _lines(step.get("with", "set")):
            if setting := _SET.fullmatch(text):
                yield _found(file, line, f"{path}.with.set", _direction(setting[1]), setting[2], known)
    yield from _commands(file, f"{path}.run", step.get("run"), env, budget)


def _commands(file: str, path: str, run: Tree, env: Mapping[str, str], budget: ExpansionBudget) -> Iterator[FoundSpec]:
    """Find ``--cache-from``, ``--cache-to`` and ``--set`` in a shell script, comments apart."""
    # Comments become blanks, so that offsets and lines stay.
    script = re.sub(r"(?m)^[ \t]*#.*$", lambda comment: " " * len(comment[0]), run.text)

    def known(text: str) -> str:
        return expand_variables(expand_expressions(text, env, budget), env, budget)

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


def _lines(value: Tree) -> Iterator[tuple[int, str]]:
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


def step_environment(owner: Tree, outer: Mapping[str, str], budget: ExpansionBudget) -> dict[str, str]:
    """Add the ``env:`` of a workflow, job or step to those around it, as far as it is known."""
    env = dict(outer)
    for name, value in owner.get("env").items():
        env.pop(name, None)
        try:
            env[name] = expand_expressions(value.text, outer, budget)
        except UnresolvedError:
            continue
    return env


def expand_expressions(text: str, env: Mapping[str, str], budget: ExpansionBudget) -> str:
    """Replace ``${{ env.NAME }}``; every other expression is known only in a run.

    What is between the braces is cut out by searching, not matched: a pattern for it takes time that grows with the
    cube of the blanks behind an opening without an end.
    """
    parts: list[str] = []
    end = 0
    while (start := text.find("${{", end)) >= 0 and (close := text.find("}}", start)) >= 0:
        parts += [text[end:start], budget.spent(_value(text[start + 3 : close].strip(), env))]
        end = close + 2
    return budget.spent("".join([*parts, text[end:]]))


def _value(expression: str, env: Mapping[str, str]) -> str:
    name = _ENV.fullmatch(expression)
    if name is not None and name[1] in env:
        return env[name[1]]
    first = re.match(r"[A-Za-z_][\w.-]*", expression)  # a name, not the literals that may follow
    shown = (first[0] if first else "") + ("" if first and first[0] == expression else "..")
    raise UnresolvedError(f"${{{{ {shown} }}}} is known only while the workflow runs")
