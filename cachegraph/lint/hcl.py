"""HCL's syntax: the blocks, attributes and expressions of a file, each with its line.

A reader of its own, as the parsers on PyPI build their tables anew in each process, which takes longer than a whole
repository may take here, and keep no precedence of operators.
Source: HCL's "Native Syntax Specification" (github.com/hashicorp/hcl, ``hclsyntax/spec.md``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cachegraph.errors import DecodeError

__all__ = ["Block", "Body", "HclError", "Node", "parse_hcl", "parse_template"]

_SPACE = re.compile(r"(?:[ \t\r]|#[^\n]*|//[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/)++")
_NAME = re.compile(r"[^\W\d][\w-]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_HEREDOC = re.compile(r"<<(-?)([^\W\d][\w-]*)[ \t\r]*\n")
_LITERAL = re.compile(r'[^"\\$%\n]+')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<=", ">=", "<", ">"), ("+", "-"), ("*", "/", "%"))
_DEEPEST = 60


class HclError(DecodeError):
    """Not HCL."""

    def __init__(self, line: int) -> None:
        super().__init__(f"not HCL at line {line}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Node:
    """An expression.

    Attributes
    ----------
    kind : str
        ``literal``, ``template``, ``name``, ``get`` (of a name or index), ``splat``, ``call``, ``tuple``, ``object``,
        ``for``, ``if`` (a condition with its two sides), ``binary``, ``unary``.
    value : object
        Of a literal; the name, operator or function; the names of a ``for``.
    parts : tuple of Node
        Of an object: keys and values by turns.
    line : int
    """

    kind: str
    value: object = None
    parts: tuple[Node, ...] = ()
    line: int = 0


@dataclass(slots=True)
class Block:
    """A block: ``target "web" { .. }``."""

    kind: str
    labels: tuple[str, ...]
    body: Body
    line: int


@dataclass(slots=True)
class Body:
    """What stands in a file or a block."""

    attributes: dict[str, Node] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


def parse_hcl(text: str) -> Body:
    """Read a file.

    Raises
    ------
    HclError
        With the line.
    """
    parser = _Parser(text)
    try:
        return parser.body(top=True)
    except RecursionError:
        raise HclError(parser.line()) from None


def parse_template(text: str, line: int = 0) -> Node:
    """Read a text as HCL reads what is in quotes, its escapes done: the texts of JSON.

    Raises
    ------
    HclError
    """
    if "${" not in text and "%{" not in text:
        return Node("literal", text, (), line)
    parser = _Parser(text, line or 1)
    try:
        return parser.template("", line)
    except RecursionError:
        raise HclError(line) from None


class _Parser:
    def __init__(self, text: str, line: int = 1) -> None:
        self._text = text
        self._at = 0
        self._line = line
        self._counted = 0
        self._nested = 0  # within parentheses or brackets, where lines go on
        self._depth = 0

    def line(self) -> int:
        """Give the line of the place that is looked at."""
        if self._at >= self._counted:
            self._line += self._text.count("\n", self._counted, self._at)
        else:
            self._line -= self._text.count("\n", self._at, self._counted)
        self._counted = self._at
        return self._line

    def _fail(self) -> HclError:
        self._at = min(self._at, len(self._text))
        return HclError(self.line())

    def _skip(self, *, lines: bool = False) -> None:
        while True:
            found = _SPACE.match(self._text, self._at)
            if found:
                self._at = found.end()
            elif (lines or self._nested) and self._text.startswith("\n", self._at):
                self._at += 1
            else:
                return

    def _sees(self, sign: str) -> bool:
        self._skip()
        return self._text.startswith(sign, self._at)

    def _take(self, sign: str) -> bool:
        if self._sees(sign):
            self._at += len(sign)
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise self._fail()

    def _name(self) -> str:
        self._skip()
        found = _NAME.match(self._text, self._at)
        if found is None:
            raise self._fail()
        self._at = found.end()
        return found[0]

    def body(self, *, top: bool) -> Body:
        """Read attributes and blocks up to the end or the closing brace."""
        found = Body()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._fail()
        while True:
            self._skip(lines=True)
            if self._at >= len(self._text):
                if not top:
                    raise self._fail()
                break
            if not top and self._take("}"):
                break
            line = self.line()
            name = self._quoted_label() if self._text[self._at] == '"' else self._name()
            if self._sees("=") and not self._sees("=="):
                self._at += 1
                found.attributes[name] = self.expression()
                found.lines[name] = line
                self._skip()
                if self._at < len(self._text) and self._text[self._at] not in "\n}":
                    raise self._fail()
            else:
                found.blocks.append(self._block(name, line))
        self._depth -= 1
        return found

    def _block(self, kind: str, line: int) -> Block:
        labels: list[str] = []
        while not self._take("{"):
            self._skip()
            if self._at >= len(self._text) or self._text[self._at] == "\n":
                raise self._fail()
            labels.append(self._quoted_label() if self._text[self._at] == '"' else self._name())
        return Block(kind, tuple(labels), self.body(top=False), line)

    def _quoted_label(self) -> str:
        node = self._quoted()
        if node.kind != "literal":
            raise self._fail()
        return str(node.value)

    def expression(self) -> Node:
        """Read an expression."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._fail()
        self._skip()
        line = self.line()
        node = self._binary(0)
        if self._take("?"):
            self._skip(lines=True)
            yes = self.expression()
            self._skip(lines=True)
            self._need(":")
            self._skip(lines=True)
            node = Node("if", None, (node, yes, self.expression()), line)
        self._depth -= 1
        return node

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        while True:
            sign = next((one for one in _LEVELS[level] if self._sees(one)), None)
            if sign is None or (sign == "/" and self._sees("//")):
                return node
            self._at += len(sign)
            self._skip(lines=True)
            node = Node("binary", sign, (node, self._binary(level + 1)), node.line)

    def _unary(self) -> Node:
        self._skip()
        line = self.line()
        for sign in ("!", "-"):
            if self._sees(sign) and not self._sees("!="):
                self._at += 1
                self._depth += 1
                if self._depth > _DEEPEST:
                    raise self._fail()
                node = Node("unary", sign, (self._unary(),), line)
                self._depth -= 1
                return node
        return self._postfix()

    def _postfix(self) -> Node:
        node = self._primary()
        while True:
            if self._text.startswith((".*", "[*]"), self._at):
                self._at += 2 if self._text[self._at] == "." else 3
                node = Node("splat", None, (node,), node.line)
            elif self._text.startswith(".", self._at):
                self._at += 1
                found = _NAME.match(self._text, self._at) or _NUMBER.match(self._text, self._at)
                if found is None:
                    raise self._fail()
                self._at = found.end()
                key: object = float(found[0]) if found[0][0].isdigit() else found[0]
                node = Node("get", None, (node, Node("literal", key, (), node.line)), node.line)
            elif self._text.startswith("[", self._at):
                self._at += 1
                index = self._within(self.expression)
                self._within(lambda: self._need("]"))
                node = Node("get", None, (node, index), node.line)
            else:
                return node

    def _within(self, read: object) -> Node:
        """Read with lines going on."""
        self._nested += 1
        made = read() if callable(read) else None
        self._nested -= 1
        return made if isinstance(made, Node) else Node("literal")

    def _primary(self) -> Node:
        self._skip()
        line = self.line()
        text, at = self._text, self._at
        char = text[at : at + 1]
        if char == '"':
            return self._quoted()
        if char == "(":
            self._at += 1
            node = self._within(self.expression)
            self._within(lambda: self._need(")"))
            return node
        if char == "[":
            return self._tuple(line)
        if char == "{":
            return self._object(line)
        if char == "<" and (found := _HEREDOC.match(text, at)):
            return self._heredoc(found)
        if number := _NUMBER.match(text, at):
            self._at = number.end()
            return Node("literal", float(number[0]), (), line)
        name = self._name()
        if name in ("true", "false", "null"):
            return Node("literal", {"true": True, "false": False}.get(name), (), line)
        if self._text.startswith("(", self._at):
            self._at += 1
            return self._within(lambda: self._call(name, line))
        return Node("name", name, (), line)

    def _call(self, name: str, line: int) -> Node:
        arguments: list[Node] = []
        while not self._take(")"):
            arguments.append(self.expression())
            if self._take("..."):
                arguments[-1] = Node("spread", None, (arguments[-1],), line)
            if not self._take(","):
                self._need(")")
                break
        return Node("call", name, tuple(arguments), line)

    def _tuple(self, line: int) -> Node:
        self._at += 1
        saved, self._nested = self._nested, 1
        try:
            if node := self._for(line, "]"):
                return node
            items: list[Node] = []
            while not self._take("]"):
                items.append(self.expression())
                if not self._take(","):
                    self._need("]")
                    break
            return Node("tuple", None, tuple(items), line)
        finally:
            self._nested = saved

    def _for(self, line: int, close: str) -> Node | None:
        self._skip(lines=True)
        if not re.compile(r"for\b(?!\s*[=:,])").match(self._text, self._at):
            return None
        self._at += 3
        names = [self._name()]
        if self._take(","):
            names.append(self._name())
        if self._name() != "in":
            raise self._fail()
        parts = [self.expression()]
        self._need(":")
        parts.append(self.expression())
        if close == "}":
            self._need("=>")
            parts.append(self.expression())
            names.append("...") if self._take("...") else None
        condition = Node("literal", True, (), line)
        self._skip()
        if re.compile(r"if\b").match(self._text, self._at):
            self._at += 2
            condition = self.expression()
        self._need(close)
        return Node("for", (close, *names), (*parts, condition), line)

    def _object(self, line: int) -> Node:
        self._at += 1
        saved, self._nested = self._nested, 1
        try:
            if node := self._for(line, "}"):
                return node
            items: list[Node] = []
            while True:
                self._nested = 0
                self._skip(lines=True)
                if self._take("}"):
                    break
                items.append(self._key())
                if not self._take("=") and not self._take(":"):
                    raise self._fail()
                self._skip(lines=True)
                items.append(self.expression())
                if not self._take(","):
                    self._skip()
                    if not self._text.startswith(("\n", "}"), self._at):
                        raise self._fail()
            return Node("object", None, tuple(items), line)
        finally:
            self._nested = saved

    def _key(self) -> Node:
        line = self.line()
        found = _NAME.match(self._text, self._at)
        if found and re.compile(r"[ \t]*[=:](?!=)").match(self._text, found.end()):
            self._at = found.end()
            return Node("literal", found[0], (), line)
        return self.expression()

    def _quoted(self) -> Node:
        self._at += 1
        return self.template('"', self.line())

    def _heredoc(self, found: re.Match[str]) -> Node:
        line = self.line()
        start = found.end()
        end = re.compile(rf"^[ \t]*{re.escape(found[2])}[ \t\r]*$", re.MULTILINE).search(self._text, start)
        if end is None:
            raise self._fail()
        body = self._text[start : end.start()]
        if found[1]:
            lines = body.split("\n")
            margin = min((len(one) - len(one.lstrip(" \t")) for one in lines if one.strip()), default=0)
            body = "\n".join(one[margin:] for one in lines)
        inner = _Parser(body, line + 1)
        inner._depth = self._depth + 1
        node = inner.template("", line + 1)
        self._at = end.end()
        return node

    def template(self, close: str, line: int) -> Node:
        """Read a template up to its closing quote, or to the end."""
        parts: list[Node] = []
        literal = ""
        text = self._text
        stop = _LITERAL if close else _OPEN_LITERAL
        while True:
            if found := stop.match(text, self._at):
                literal += found[0]
                self._at = found.end()
            char = text[self._at : self._at + 1]
            if char == close:  # both are empty at the end of a text without quotes
                self._at += 1
                break
            if text.startswith("${", self._at):
                if literal:
                    parts.append(Node("literal", literal, (), line))
                    literal = ""
                parts.append(self._hole())
            else:
                literal += self._odd(char, close)
        if literal or not parts:
            parts.append(Node("literal", literal, (), line))
        # A text, or one expression, which keeps its type.
        return parts[0] if len(parts) == 1 else Node("template", None, tuple(parts), line)

    def _odd(self, char: str, close: str) -> str:
        """Read an escape, or a letter that only looks like one."""
        if not char or (close and char == "\n") or self._text.startswith("%{", self._at):
            raise self._fail()
        if char == "\\" and close:
            return self._escape()
        escaped = self._text.startswith(("$${", "%%{"), self._at)
        self._at += 3 if escaped else 1
        return char + "{" if escaped else char

    def _hole(self) -> Node:
        self._at += 3 if self._text.startswith("${~", self._at) else 2
        saved, self._nested = self._nested, 1
        try:
            node = self.expression()
            if not self._take("~}"):
                self._need("}")
        finally:
            self._nested = saved
        return node

    def _escape(self) -> str:
        letter = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        if letter in _ESCAPES and letter:
            return _ESCAPES[letter]
        if letter in ("u", "U"):
            digits = self._text[self._at : self._at + (4 if letter == "u" else 8)]
            self._at += len(digits)
            try:
                return chr(int(digits, 16)).encode("utf-8").decode("utf-8")
            except (ValueError, OverflowError, UnicodeError):
                raise self._fail() from None
        raise self._fail()


_OPEN_LITERAL = re.compile(r"[^$%]+")


def names_in(nodes: Sequence[Node]) -> set[str]:
    """Give the names that expressions use."""
    found: set[str] = set()
    open_nodes = list(nodes)
    while open_nodes:
        node = open_nodes.pop()
        if node.kind == "name":
            found.add(str(node.value))
        open_nodes += node.parts
    return found
