"""HCL's syntax: the blocks, attributes and expressions of a file, each with its line.

A reader of its own, as the parsers on PyPI build their tables anew in each process, which takes longer than a whole
repository may take here, and keep no precedence of operators.
Source: HCL's "Native Syntax Specification" (github.com/hashicorp/hcl, ``hclsyntax/spec.md``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from cachegraph.lint.hcl_cursor import NAME, Cursor, HclError, Node

__all__ = ["Block", "Body", "HclError", "Node", "parse_hcl", "parse_template"]

_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_HEREDOC = re.compile(r"<<(-?)([^\W\d][\w-]*)[ \t\r]*\n")
_LITERAL = re.compile(r'[^"\\$%\n]+')
_OPEN_LITERAL = re.compile(r"[^$%]+")
_FOR = re.compile(r"for\b(?!\s*[=:,])")
_IF = re.compile(r"if\b")
_ASSIGNS = re.compile(r"[ \t]*[=:](?!=)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<=", ">=", "<", ">"), ("+", "-"), ("*", "/", "%"))
_DEEPEST = 60

T = TypeVar("T")


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


class _Parser(Cursor):
    """Reads a file or a template."""

    def body(self, *, top: bool) -> Body:
        """Read attributes and blocks up to the end or the closing brace."""
        found = Body()
        self._deeper()
        while True:
            self.skip(lines=True)
            if self.at >= len(self.text):
                if not top:
                    raise self.fail()
                break
            if not top and self.take("}"):
                break
            line = self.line()
            name = self._quoted_label() if self.text[self.at] == '"' else self.name()
            if self.sees("=") and not self.sees("=="):
                self.at += 1
                found.attributes[name] = self.expression()
                found.lines[name] = line
                self.skip()
                if self.at < len(self.text) and self.text[self.at] not in "\n}":
                    raise self.fail()
            else:
                found.blocks.append(self._block(name, line))
        self.depth -= 1
        return found

    def _block(self, kind: str, line: int) -> Block:
        labels: list[str] = []
        while not self.take("{"):
            self.skip()
            if self.at >= len(self.text) or self.text[self.at] == "\n":
                raise self.fail()
            labels.append(self._quoted_label() if self.text[self.at] == '"' else self.name())
        return Block(kind, tuple(labels), self.body(top=False), line)

    def _quoted_label(self) -> str:
        node = self._quoted()
        if node.kind != "literal":
            raise self.fail()
        return str(node.value)

    def expression(self) -> Node:
        """Read an expression."""
        self._deeper()
        self.skip()
        line = self.line()
        node = self._binary(0)
        if self.take("?"):
            self.skip(lines=True)
            yes = self.expression()
            self.skip(lines=True)
            self.need(":")
            self.skip(lines=True)
            node = Node("if", None, (node, yes, self.expression()), line)
        self.depth -= 1
        return node

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        while True:
            sign = next((one for one in _LEVELS[level] if self.sees(one)), None)
            if sign is None or (sign == "/" and self.sees("//")):
                return node
            self.at += len(sign)
            self.skip(lines=True)
            node = Node("binary", sign, (node, self._binary(level + 1)), node.line)

    def _unary(self) -> Node:
        self.skip()
        line = self.line()
        for sign in ("!", "-"):
            if self.sees(sign) and not self.sees("!="):
                self.at += 1
                self._deeper()
                node = Node("unary", sign, (self._unary(),), line)
                self.depth -= 1
                return node
        return self._postfix()

    def _postfix(self) -> Node:
        node = self._primary()
        while True:
            if self.text.startswith((".*", "[*]"), self.at):
                self.at += 2 if self.text[self.at] == "." else 3
                node = Node("splat", None, (node,), node.line)
            elif self.text.startswith(".", self.at) and not self.text.startswith("...", self.at):
                self.at += 1
                found = NAME.match(self.text, self.at) or _NUMBER.match(self.text, self.at)
                if found is None:
                    raise self.fail()
                self.at = found.end()
                key: object = float(found[0]) if found[0][0].isdigit() else found[0]
                node = Node("get", None, (node, Node("literal", key, (), node.line)), node.line)
            elif self.text.startswith("[", self.at):
                self.at += 1
                index = self._within(self.expression)
                self._within(lambda: self.need("]"))
                node = Node("get", None, (node, index), node.line)
            else:
                return node

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.fail()

    def _within(self, read: Callable[[], T]) -> T:
        """Read between brackets, where lines go on."""
        saved, self.nested = self.nested, 1
        made = read()
        self.nested = saved
        return made

    def _primary(self) -> Node:
        self.skip()
        line = self.line()
        text, at = self.text, self.at
        char = text[at : at + 1]
        if char == '"':
            return self._quoted()
        if char == "(":
            self.at += 1
            node = self._within(self.expression)
            self._within(lambda: self.need(")"))
            return node
        if char == "[":
            self.at += 1
            return self._within(lambda: self._for(line, "]") or self._tuple(line))
        if char == "{":
            self.at += 1
            return self._within(lambda: self._for(line, "}") or self._object(line))
        if char == "<" and (found := _HEREDOC.match(text, at)):
            return self._heredoc(found)
        if number := _NUMBER.match(text, at):
            self.at = number.end()
            return Node("literal", float(number[0]), (), line)
        name = self.name()
        if name in ("true", "false", "null"):
            return Node("literal", {"true": True, "false": False}.get(name), (), line)
        if self.text.startswith("(", self.at):
            self.at += 1
            return self._within(lambda: self._call(name, line))
        return Node("name", name, (), line)

    def _call(self, name: str, line: int) -> Node:
        arguments: list[Node] = []
        while not self.take(")"):
            arguments.append(self.expression())
            if self.take("..."):
                arguments[-1] = Node("spread", None, (arguments[-1],), line)
            if not self.take(","):
                self.need(")")
                break
        return Node("call", name, tuple(arguments), line)

    def _tuple(self, line: int) -> Node:
        items: list[Node] = []
        while not self.take("]"):
            items.append(self.expression())
            if not self.take(","):
                self.need("]")
                break
        return Node("tuple", None, tuple(items), line)

    def _for(self, line: int, close: str) -> Node | None:
        self.skip(lines=True)
        if not _FOR.match(self.text, self.at):
            return None
        self.at += 3
        names = [self.name()]
        if self.take(","):
            names.append(self.name())
        if self.name() != "in":
            raise self.fail()
        parts = [self.expression()]
        self.need(":")
        parts.append(self.expression())
        if close == "}":
            self.need("=>")
            parts.append(self.expression())
            names.append("...") if self.take("...") else None
        condition = Node("literal", True, (), line)
        self.skip()
        if _IF.match(self.text, self.at):
            self.at += 2
            condition = self.expression()
        self.need(close)
        return Node("for", (close, *names), (*parts, condition), line)

    def _object(self, line: int) -> Node:
        self.nested = 0  # a line ends a member
        items: list[Node] = []
        while True:
            self.skip(lines=True)
            if self.take("}"):
                return Node("object", None, tuple(items), line)
            items.append(self._key())
            if not self.take("=") and not self.take(":"):
                raise self.fail()
            self.skip(lines=True)
            items.append(self.expression())
            if not self.take(","):
                self.skip()
                if not self.text.startswith(("\n", "}"), self.at):
                    raise self.fail()

    def _key(self) -> Node:
        line = self.line()
        found = NAME.match(self.text, self.at)
        if found and _ASSIGNS.match(self.text, found.end()):
            self.at = found.end()
            return Node("literal", found[0], (), line)
        return self.expression()

    def _quoted(self) -> Node:
        self.at += 1
        return self.template('"', self.line())

    def _heredoc(self, found: re.Match[str]) -> Node:
        line = self.line()
        start = found.end()
        end = re.compile(rf"^[ \t]*{re.escape(found[2])}[ \t\r]*$", re.MULTILINE).search(self.text, start)
        if end is None:
            raise self.fail()
        body = self.text[start : end.start()]
        if found[1]:
            lines = body.split("\n")
            margin = min((len(one) - len(one.lstrip(" \t")) for one in lines if one.strip()), default=0)
            body = "\n".join(one[margin:] for one in lines)
        inner = _Parser(body, line + 1)
        inner.depth = self.depth + 1
        node = inner.template("", line + 1)
        self.at = end.end()
        return node

    def template(self, close: str, line: int) -> Node:
        """Read a template up to its closing quote, or to the end."""
        parts: list[Node] = []
        literal = ""
        text = self.text
        stop = _LITERAL if close else _OPEN_LITERAL
        while True:
            if found := stop.match(text, self.at):
                literal += found[0]
                self.at = found.end()
            char = text[self.at : self.at + 1]
            if char == close:  # both are empty at the end of a text without quotes
                self.at += 1
                break
            if text.startswith("${", self.at):
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
        if not char or (close and char == "\n") or self.text.startswith("%{", self.at):
            raise self.fail()
        if char == "\\" and close:
            return self._escape()
        escaped = self.text.startswith(("$${", "%%{"), self.at)
        self.at += 3 if escaped else 1
        return char + "{" if escaped else char

    def _hole(self) -> Node:
        self.at += 3 if self.text.startswith("${~", self.at) else 2
        return self._within(self._filling)

    def _filling(self) -> Node:
        node = self.expression()
        if not self.take("~}"):
            self.need("}")
        return node

    def _escape(self) -> str:
        letter = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if letter in _ESCAPES and letter:
            return _ESCAPES[letter]
        if letter in ("u", "U"):
            digits = self.text[self.at : self.at + (4 if letter == "u" else 8)]
            self.at += len(digits)
            try:
                return chr(int(digits, 16)).encode("utf-8").decode("utf-8")
            except (ValueError, OverflowError, UnicodeError):
                raise self.fail() from None
        raise self.fail()
