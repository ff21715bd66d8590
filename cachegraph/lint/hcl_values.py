"""Expressions of bake files, worked out as far as the file tells.

A variable is its default, or what the environment gives it, as bake has it; without either it is a hole.
Source: buildx ``bake/hclparser/hclparser.go`` (``resolveValue``, ``resolveFunction``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cachegraph.lint.budget import ExpansionBudget
from cachegraph.lint.hcl import Node
from cachegraph.lint.hcl_functions import STRUCTURAL, TEXTUAL, formatted
from cachegraph.lint.hcl_types import UnresolvedError, arithmetic, as_type_of, is_true, number, number_text
from cachegraph.lint.holes import Holes, has_hole
from cachegraph.lint.values import Condition, Place

__all__ = ["Function", "Values", "shown_source"]

_DEEPEST = 40
_MOST_STEPS = 200_000
_BUILT_IN = frozenset({"BAKE_CMD_CONTEXT", "BAKE_LOCAL_PLATFORM"})
_NOWHERE = Place(file="")


class Function:
    """A function of the file."""

    def __init__(self, parameters: Sequence[str], rest: str, result: Node) -> None:
        self.parameters = tuple(parameters)
        self.rest = rest
        self.result = result


class Values:
    """Works out the expressions of one set of bake files.

    Parameters
    ----------
    holes : Holes
    budget : ExpansionBudget
    environ : mapping of str to str
    variables : mapping of str to Node or None
        With their defaults; None has none.
    functions : mapping of str to Function
    given : mapping of str to sequence of (str or None, Condition), optional
        What runs of bake give variables (`cachegraph.lint.bake_runs.Given`); ``environ`` comes first.
    """

    def __init__(
        self,
        holes: Holes,
        budget: ExpansionBudget,
        environ: Mapping[str, str],
        variables: Mapping[str, Node | None],
        functions: Mapping[str, Function],
        given: Mapping[str, Sequence[tuple[str | None, Condition]]] | None = None,
    ) -> None:
        self.holes = holes
        self._budget = budget
        self._environ = environ
        self._given = given or {}
        self._variables = variables
        self._functions = functions
        self._known: dict[str, object] = {}
        self._open: set[str] = set()
        self._steps = 0

    def evaluate(self, node: Node, local: Mapping[str, object] | None = None, depth: int = 0) -> object:
        """Work out an expression: a text with holes, a number, true, false, None, a list or a dict.

        Raises
        ------
        UnresolvedError
            It is none that bake takes, or has no end.
        """
        self._steps += 1
        if depth > _DEEPEST or self._steps > _MOST_STEPS:
            raise UnresolvedError("it takes too many steps to work out")
        local = local or {}

        def inner(part: Node) -> object:
            return self.evaluate(part, local, depth + 1)

        match node.kind:
            case "literal":
                return node.value
            case "name":
                return local[str(node.value)] if str(node.value) in local else self.variable(str(node.value), depth)
            case "for":
                return self._for(node, local, depth)
            case "call":
                return self._call(node, local, depth)
            case "if":
                return self._if(node, inner)
            case "unary":
                return self._unary(node, inner(node.parts[0]))
            case "binary":
                return self._binary(node, inner)
        return self._made(node, [inner(part) for part in node.parts])

    def _made(self, node: Node, values: list[object]) -> object:
        """Make a value of those in it."""
        match node.kind:
            case "template":
                return self._budget.spent("".join(map(self._text, values)))
            case "tuple":
                self._budget.count(len(values))
                return values
            case "object":
                return dict(zip(map(self._text, values[::2]), values[1::2], strict=True))
            case "get":
                return self._get(values[0], values[1], node)
            case "splat":
                return values[0] if isinstance(values[0], list) or has_hole(values[0]) else [values[0]]
        raise UnresolvedError("only bake works it out")

    def text(self, node: Node, local: Mapping[str, object] | None = None) -> str:
        """Work out an expression that is a text."""
        return self._text(self.evaluate(node, local))

    def _text(self, value: object) -> str:
        return value if isinstance(value, str) else number_text(value)

    def variable(self, name: str, depth: int = 0) -> object:
        """Give the value of a variable."""
        if name in self._known:
            return self._known[name]
        if name not in self._variables:
            if name in _BUILT_IN:
                return self.holes.hole(name, f"{name} is known only when bake runs", name)
            raise UnresolvedError(f"{name} is not a variable of this file")
        if name in self._open:
            raise UnresolvedError(f"variable {name} is defined by itself")
        default = self._variables[name]
        self._open.add(name)
        try:
            value = None if default is None else self.evaluate(default, {}, depth + 1)
        finally:
            self._open.discard(name)
        if name in self._environ:
            value = as_type_of(value, self._environ[name])
        else:
            if value is None:
                value = self.holes.hole(name, f"variable {name} has no default and is not set", name)
            value = self._of_runs(name, value)
        self._known[name] = value
        return value

    def _of_runs(self, name: str, default: object) -> object:
        """Give what those who run bake make of a variable."""
        choices = [
            (default if text is None else as_type_of(default, text), when) for text, when in self._given.get(name, ())
        ]
        if len(choices) < 2:
            return choices[0][0] if choices else default
        are_texts = all(isinstance(value, str | bool | float) for value, _ in choices)
        why = f"{name} depends on who runs bake"
        return self.holes.hole(name, why, name, choices if are_texts else ())

    def _get(self, of: object, key: object, node: Node) -> object:
        if has_hole(of) or has_hole(key):
            return self._unknown(node)
        if isinstance(of, dict) and self._text(key) in of:
            return of[self._text(key)]
        if isinstance(of, list) and isinstance(key, float | int) and 0 <= key < len(of):
            return of[int(key)]
        raise UnresolvedError("an attribute or element is not there")

    def _if(self, node: Node, inner: Callable[[Node], object]) -> object:
        asked = inner(node.parts[0])
        if has_hole(asked):
            yes, no = inner(node.parts[1]), inner(node.parts[2])
            if repr(yes) == repr(no):
                return yes
            said = shown_source(node.parts[0])
            choices = [(yes, Condition(text=said)), (no, Condition(text=f"!({said})"))]
            return self.holes.hole(said, f"it depends on {said}", f"{said} at {node.line}", choices)
        return inner(node.parts[1] if is_true(asked) else node.parts[2])

    def _unary(self, node: Node, value: object) -> object:
        if has_hole(value):
            return self._unknown(node)
        return not is_true(value) if node.value == "!" else -number(value)

    def _binary(self, node: Node, inner: Callable[[Node], object]) -> object:
        sign = str(node.value)
        left = inner(node.parts[0])
        if sign in ("&&", "||"):
            right = inner(node.parts[1])
            decides = sign == "||"
            for one, other in ((left, right), (right, left)):
                if not has_hole(one):
                    return decides if is_true(one) is decides else (other if has_hole(other) else is_true(other))
            return self._unknown(node)
        right = inner(node.parts[1])
        if sign in ("==", "!="):
            answer = self._equal(left, right)
            return self._unknown(node) if answer is None else answer is (sign == "==")
        if has_hole(left) or has_hole(right):
            return self._unknown(node)
        return arithmetic(sign, number(left), number(right))

    def _equal(self, one: object, other: object) -> bool | None:
        if has_hole(one) or has_hole(other):
            if not isinstance(one, str) or not isinstance(other, str):
                return None
            if one == other:
                return True
            first, second = self.holes.value(one, _NOWHERE), self.holes.value(other, _NOWHERE)
            return None if first.may_equal(second) else False
        if isinstance(one, bool | int | float) and isinstance(other, str):
            return number_text(one) == other
        if isinstance(other, bool | int | float) and isinstance(one, str):
            return number_text(other) == one
        return one == other

    def _for(self, node: Node, local: Mapping[str, object], depth: int) -> object:
        close, *names = node.value if isinstance(node.value, tuple) else ("]", "")
        of = self.evaluate(node.parts[0], local, depth + 1)
        if has_hole(of):
            return self._unknown(node)
        pairs: list[tuple[object, object]]
        if isinstance(of, dict):
            pairs = [(key, of[key]) for key in sorted(of)]
        elif isinstance(of, list):
            pairs = [(float(at), one) for at, one in enumerate(of)]
        else:
            raise UnresolvedError("`for` goes through a list or an object")
        self._budget.count(len(pairs))
        groups = "..." in names
        names = [name for name in names if name != "..."]
        made: list[object] = []
        named: dict[str, Any] = {}
        for key, value in pairs:
            own = {**local, names[-1]: value}
            if len(names) == 2:
                own[names[0]] = key
            holds = self.evaluate(node.parts[-1], own, depth + 1)
            if has_hole(holds):
                return self._unknown(node)
            if not is_true(holds):
                continue
            result = self.evaluate(node.parts[-2], own, depth + 1)
            if close == "]":
                made.append(result)
            else:
                name = self._text(self.evaluate(node.parts[1], own, depth + 1))
                named[name] = [*named.get(name, []), result] if groups else result
        return made if close == "]" else named

    def _call(self, node: Node, local: Mapping[str, object], depth: int) -> object:
        name = str(node.value)
        if name in ("try", "can"):
            return self._try(name, node, local, depth)
        given: list[object] = []
        for part in node.parts:
            if part.kind == "spread":
                spread = self.evaluate(part.parts[0], local, depth + 1)
                if not isinstance(spread, list):
                    return self._unknown(node)
                given += spread
            else:
                given.append(self.evaluate(part, local, depth + 1))
        if name in self._functions:
            return self._own(self._functions[name], given, depth)
        return self._standard(name, given, node)

    def _try(self, name: str, node: Node, local: Mapping[str, object], depth: int) -> object:
        for part in node.parts:
            try:
                value = self.evaluate(part, local, depth + 1)
            except UnresolvedError:
                continue
            return True if name == "can" else value
        if name == "can":
            return False
        raise UnresolvedError("nothing in try(..) can be worked out")

    def _own(self, function: Function, given: list[object], depth: int) -> object:
        own: dict[str, object] = dict(zip(function.parameters, given, strict=False))
        if len(given) < len(function.parameters):
            raise UnresolvedError("a function is called with too few values")
        if function.rest:
            own[function.rest] = given[len(function.parameters) :]
        return self.evaluate(function.result, own, depth + 1)

    def _standard(self, name: str, given: list[object], node: Node) -> object:
        try:
            match name:
                case "and" | "or":
                    binary = Node("binary", "&&" if name == "and" else "||", node.parts, node.line)
                    return self._binary(binary, lambda part: given[node.parts.index(part)])
                case "not":
                    return self._unary(Node("unary", "!", node.parts, node.line), given[0])
                case "equal" | "notequal":
                    answer = self._equal(given[0], given[1])
                    return self._unknown(node) if answer is None else answer is (name == "equal")
                case "format":
                    return self._budget.spent(formatted(self._text(given[0]), *given[1:]))
                case "formatlist":
                    return self._format_list(given)
                case "join":
                    return self._joined(given, node)
            if name in STRUCTURAL and (name == "coalesce" or not any(map(has_hole, given[:1]))):
                return _counted(STRUCTURAL[name](*given), self._budget)
            if name in TEXTUAL and not _any_hole(given):
                return _counted(TEXTUAL[name](*given), self._budget)
        except (ValueError, TypeError, LookupError, StopIteration, ArithmeticError, AttributeError, RecursionError):
            pass  # bake refuses what is given, or makes something of it that is not known here
        return self._unknown(node)

    def _format_list(self, given: list[object]) -> list[str]:
        lists = [one for one in given if isinstance(one, list)]
        size = max(map(len, lists), default=1)
        return [
            self._budget.spent(
                formatted(*(one[at] if isinstance(one, list) else one for one in given))  # type: ignore[arg-type]
            )
            for at in range(size)
        ]

    def _joined(self, given: list[object], node: Node) -> str:
        lists = given[1:]
        if any(map(has_hole, lists)):
            return self._unknown(node)
        items = [one for each in lists if isinstance(each, list) for one in each]
        return self._budget.spent(self._text(given[0]).join(map(self._text, items)))

    def _unknown(self, node: Node) -> str:
        said = shown_source(node)
        return self.holes.hole(said, f"only bake works out {said}", f"{said} at {node.line}")


def shown_source(node: Node) -> str:
    """Name an expression without the literals in it: ``upper(..)``, ``TAG == ..``."""
    match node.kind:
        case "name":
            return str(node.value)
        case "call":
            names = [shown_source(part) for part in node.parts if part.kind == "name"]
            return f"{node.value}({', '.join(names[:3])}..)" if names else f"{node.value}(..)"
        case "get" if node.parts[0].kind in ("name", "get") and isinstance(node.parts[1].value, str):
            return f"{shown_source(node.parts[0])}.{node.parts[1].value}"
        case "binary":
            left, right = (shown_source(part) for part in node.parts)
            return f"{left} {node.value} {right}"[:200]
        case "unary":
            return f"{node.value}{shown_source(node.parts[0])}"[:200]
        case "literal" if node.value in ("", True, False) and not isinstance(node.value, float):
            return '""' if node.value == "" else str(node.value).lower()
    return ".."


def _counted(value: Any, budget: ExpansionBudget) -> Any:  # noqa: ANN401 - of any type
    if isinstance(value, str | list | dict):
        budget.count(len(value))
    return value


def _any_hole(given: Sequence[object]) -> bool:
    return any(has_hole(one) or (isinstance(one, list) and any(map(has_hole, one))) for one in given)
