"""The syntax of GitHub's expressions: ``github.ref == 'refs/heads/main' && 'a' || format('{0}', env.B)``.

Source: GitHub's documentation, "Evaluate expressions in workflows and actions".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["LONGEST", "Node", "parse_expression"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))|'(?P<text>(?:[^']|'')*+)'"
    r"|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\],.*]))"
)
_DEEPEST = 40
_MOST_IN_A_ROW = 200
LONGEST = 21_000
"""Characters of an expression, as GitHub allows them."""


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of an expression: literal, name, index, call, not, and, or, compare."""

    kind: str
    value: object = None
    parts: tuple[Node, ...] = ()
    source: str = ""

    @property
    def is_of_github(self) -> bool:
        """Whether it asks for nothing but the ``github`` context and literals."""
        if self.kind == "index":
            return self.parts[0].is_of_github and self.parts[1].kind == "literal"
        if self.kind == "name":
            return self.value == "github"
        return self.kind == "literal" or all(part.is_of_github for part in self.parts)

    @property
    def shown(self) -> str:
        """The first name in it, without the literals that may follow."""
        first = re.match(r"[!(\s]*([A-Za-z_][\w.-]*)", self.source)
        name = first[1] if first else ""
        return name if name == self.source else f"{name}.."


class _UnreadError(Exception):
    """Not an expression that is read here."""


@lru_cache(maxsize=4096)
def parse_expression(source: str) -> Node | None:
    """Read an expression; None if it is none."""
    if len(source) > LONGEST:
        return None
    try:
        return _Parser(source).whole()
    except (_UnreadError, RecursionError):
        return None


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens: list[tuple[str, str, int, int]] = []
        end = 0
        stripped = len(source.rstrip())
        while end < stripped:
            found = _TOKEN.match(source, end)
            if found is None:
                raise _UnreadError
            kind = str(found.lastgroup)
            self._tokens.append((kind, found[kind], found.start(kind), found.end()))
            end = found.end()
        self._at = 0

    def whole(self) -> Node:
        node = self._or(0)
        if self._at != len(self._tokens):
            raise _UnreadError
        return node

    def _peek(self) -> str:
        """Give the sign that comes next, or nothing."""
        if self._at < len(self._tokens) and self._tokens[self._at][0] == "sign":
            return self._tokens[self._at][1]
        return ""

    def _take(self, *signs: str) -> str:
        if (sign := self._peek()) in signs and sign:
            self._at += 1
            return sign
        return ""

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise _UnreadError

    def _node(self, kind: str, start: int, value: object = None, parts: tuple[Node, ...] = ()) -> Node:
        begin = self._tokens[start][2] - (self._tokens[start][0] == "text")
        end = self._tokens[self._at - 1][3]
        return Node(kind, value, parts, " ".join(self._source[begin:end].split()))

    def _several(self, kind: str, sign: str, inner: Callable[[int], Node], depth: int) -> Node:
        start = self._at
        parts = [inner(depth)]
        while self._take(sign):
            parts.append(inner(depth))
            self._count(len(parts))
        return parts[0] if len(parts) == 1 else self._node(kind, start, parts=tuple(parts))

    def _count(self, length: int) -> None:
        """Refuse what is longer than anybody writes: it would be as deep."""
        if length > _MOST_IN_A_ROW:
            raise _UnreadError

    def _or(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise _UnreadError
        return self._several("or", "||", self._and, depth)

    def _and(self, depth: int) -> Node:
        return self._several("and", "&&", self._compare, depth)

    def _compare(self, depth: int) -> Node:
        start = self._at
        left = self._unary(depth)
        while sign := self._take("==", "!=", "<", ">", "<=", ">="):
            right = self._unary(depth)
            self._count(self._at - start)
            left = self._node("compare", start, sign, (left, right))
        return left

    def _unary(self, depth: int) -> Node:
        start = self._at
        if depth > _DEEPEST:
            raise _UnreadError
        if self._take("!"):
            inner = self._unary(depth + 1)
            return self._node("not", start, parts=(inner,))
        return self._postfix(depth)

    def _postfix(self, depth: int) -> Node:
        start = self._at
        node = self._primary(depth)
        while sign := self._take(".", "["):
            if sign == ".":
                if self._take("*"):
                    index = Node("literal", "*")
                elif self._at < len(self._tokens) and self._tokens[self._at][0] == "name":
                    index = Node("literal", self._tokens[self._at][1])
                    self._at += 1
                else:
                    raise _UnreadError
            else:
                index = Node("literal", "*") if self._take("*") else self._or(depth + 1)
                self._need("]")
            node = self._node("index", start, parts=(node, index))
            self._count(self._at - start)
        return node

    def _primary(self, depth: int) -> Node:
        start = self._at
        if self._take("("):
            inner = self._or(depth + 1)
            self._need(")")
            return Node(inner.kind, inner.value, inner.parts, inner.source)
        if self._at >= len(self._tokens):
            raise _UnreadError
        kind, word, *_ = self._tokens[self._at]
        if kind == "sign":
            raise _UnreadError
        self._at += 1
        if kind == "number":
            return self._node("literal", start, _number(word))
        if kind == "text":
            return self._node("literal", start, word.replace("''", "'"))
        lowered = word.lower()
        if lowered in ("true", "false", "null"):
            return self._node("literal", start, {"true": True, "false": False}.get(lowered))
        if lowered in ("nan", "infinity"):
            return self._node("literal", start, float(lowered))
        if not self._take("("):
            return self._node("name", start, word)
        arguments: list[Node] = []
        if not self._take(")"):
            arguments.append(self._or(depth + 1))
            while self._take(","):
                arguments.append(self._or(depth + 1))
            self._need(")")
        return self._node("call", start, lowered, tuple(arguments))


def _number(word: str) -> float:
    try:
        return float(int(word, 16)) if "x" in word else float(word)
    except (ValueError, OverflowError):
        return float("nan")
