"""From the bytes of a Dockerfile to its instructions (BuildKit ``frontend/dockerfile/parser``: ``Parse``).

Lines that end in the escape character are joined, comments and empty lines inside drop out, heredocs are read::

    # escape=`                       a directive
    FROM alpine AS base              one node: keyword, flags, arguments, lines 2 to 2
    RUN --network=none a && `
        # a comment
        b                            the text "RUN --network=none a &&     b", lines 3 to 5
    COPY <<EOF /etc/conf             arguments "<<EOF", "/etc/conf"
    x=1
    EOF                              its heredoc, lines 6 to 8
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from cachegraph.builds.dockerfile.directives import Directives
from cachegraph.builds.dockerfile.errors import DockerfileError, TooMuchError
from cachegraph.builds.dockerfile.gotext import BLANKS
from cachegraph.builds.dockerfile.heredocs import Heredoc, marks_in
from cachegraph.builds.dockerfile.words import Arguments, Command, parse_arguments, split_command

__all__ = ["MAX_BYTES", "Node", "Tree", "read_nodes", "read_trigger"]

MAX_BYTES = 16 * 1024 * 1024
"""The largest Dockerfile that BuildKit reads (``util/defaults``: ``DefaultMaxRecvMsgSize``)."""

_MAX_LINE = 64 * 1024
_MAX_LINES = 500_000
_MAX_NODES = 20_000
_MAX_TRIGGERS = 32
_WITH_HEREDOCS = frozenset({"add", "copy", "run"})
_ESCAPES = ("`", "\\")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An instruction that has been split and not yet understood.

    Attributes
    ----------
    keyword : str
        In lower case; `written` is as it stands there.
    flags : tuple of str
    arguments : Arguments
    heredocs : tuple of Heredoc
    text : str
        The joined lines, without heredocs.
    start, end : int
        Lines, from 1, both included.
    comments : tuple of str
        Those right above, without their mark.
    trigger : Node or None
        What ``ONBUILD`` is for.
    empty_continuation : bool
        An empty line stands between joined lines, which BuildKit only warns of.
    """

    written: str
    keyword: str
    flags: tuple[str, ...] = ()
    arguments: Arguments = field(default_factory=Arguments)
    heredocs: tuple[Heredoc, ...] = ()
    text: str = ""
    start: int = 0
    end: int = 0
    comments: tuple[str, ...] = ()
    trigger: Node | None = None
    empty_continuation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A Dockerfile's instructions, and its escape character."""

    nodes: tuple[Node, ...]
    escape: str


def read_nodes(data: bytes, file: str = "Dockerfile") -> Tree:
    """Split a Dockerfile into instructions.

    Parameters
    ----------
    data : bytes
    file : str
        What errors call it.

    Raises
    ------
    DockerfileError
        What BuildKit refuses, with its line.
    """
    if not data:
        raise DockerfileError("the Dockerfile cannot be empty", file=file)
    if len(data) > MAX_BYTES:
        raise DockerfileError(f"larger than the {MAX_BYTES:,} bytes that BuildKit reads", file=file)
    reader = _Reader(data)
    try:
        nodes = tuple(islice(reader.nodes(), _MAX_NODES + 1))
        if len(nodes) > _MAX_NODES:
            raise TooMuchError(f"more than {_MAX_NODES:,} instructions")
    except DockerfileError as error:
        raise error.at(reader.line, file) from None
    if not nodes:
        raise DockerfileError("file with no instructions", file=file)
    return Tree(nodes=nodes, escape=reader.escape)


def read_trigger(text: str) -> Tree:
    """Split the text of an ``ONBUILD`` trigger, which is read as if it were a Dockerfile."""
    return read_nodes(text.encode(errors="surrogateescape"), file="")


class _Reader:
    """Goes through the lines once."""

    def __init__(self, data: bytes) -> None:
        self.escape = "\\"
        self.line = 0
        self._directives = Directives()
        self._comments: list[str] = []
        self._lines = self._physical(data.decode(errors="surrogateescape"))

    def _physical(self, text: str) -> Iterator[str]:
        """Give line after line, with its end, and count."""
        text = text.removeprefix("\ufeff")
        for line in re.findall(r"[^\n]*\n|[^\n]+", text):
            self.line += 1
            if self.line > _MAX_LINES:
                raise TooMuchError(f"more than {_MAX_LINES:,} lines")
            size = len(line) if line.isascii() else len(line.encode(errors="surrogateescape"))
            if size > _MAX_LINE or (size == _MAX_LINE and not line.endswith("\n")):
                raise DockerfileError(f"dockerfile line greater than max allowed size of {_MAX_LINE - 1}")
            yield line

    def nodes(self) -> Iterator[Node]:
        for raw in self._lines:
            line = self._opening(raw)
            text, ends = self._without_continuation(line)
            if ends and not text:
                continue
            start = self.line
            parts = [text]
            empty = False
            while not ends:
                following = next(self._lines, None)
                if following is None:
                    break
                if _is_comment(following):
                    continue
                if not following.strip(BLANKS):
                    empty = True
                    continue
                text, ends = self._without_continuation(following.rstrip("\r\n"))
                parts.append(text)
            yield self._node("".join(parts), start, empty_continuation=empty)

    def _opening(self, raw: str) -> str:
        """Read a line that may open an instruction: comments and directives give nothing."""
        line = raw.rstrip("\r\n").lstrip(BLANKS)
        directive = self._directives.read(line)
        if directive is not None:
            if directive[0] == "escape":
                self._set_escape(directive[1])
            return ""
        if line.startswith("#"):
            # BuildKit takes off the first character of the line, which is not the mark if the line is indented.
            comment = raw[1:].strip(BLANKS)
            self._comments = [*self._comments, comment] if comment else []
            return ""
        return line

    def _set_escape(self, value: str) -> None:
        if value not in _ESCAPES:
            raise DockerfileError(f"invalid escape token '{value}' does not match ` or \\")
        self.escape = value

    def _without_continuation(self, line: str) -> tuple[str, bool]:
        """Take off the escape character that joins a line with the next; tell whether the instruction ends here."""
        body = line.rstrip(" \t")
        if body.endswith(self.escape) and not body[:-1].endswith(self.escape):
            return body[:-1], False
        return line, True

    def _node(self, text: str, start: int, *, empty_continuation: bool) -> Node:
        try:
            node = _split(text, self.escape)
            heredocs = tuple(self._heredocs(text, start)) if _takes_heredocs(node) and "<<" in text else ()
        except DockerfileError as error:
            raise error.at(start) from None
        comments, self._comments = tuple(self._comments), []
        return Node(
            written=node.written,
            keyword=node.keyword,
            flags=node.flags,
            arguments=node.arguments,
            heredocs=heredocs,
            text=text,
            start=start,
            end=self.line,
            comments=comments,
            trigger=node.trigger,
            empty_continuation=empty_continuation,
        )

    def _heredocs(self, text: str, start: int) -> Iterator[Heredoc]:
        for mark in marks_in(text):
            body: list[str] = []
            for line in self._lines:
                end = line.rstrip("\r\n")
                if (end.lstrip("\t") if mark.chomps else end) == mark.name:
                    break
                body.append(line)
            else:
                raise DockerfileError("unterminated heredoc", line=start)
            yield Heredoc(mark=mark, text="".join(body))


def _is_comment(line: str) -> bool:
    return line.lstrip(BLANKS).startswith("#")


def _split(text: str, escape: str, depth: int = 0) -> Node:
    command: Command = split_command(text, escape)
    keyword = command.keyword.lower()
    if keyword == "onbuild":
        if depth == _MAX_TRIGGERS:
            raise TooMuchError(f"ONBUILD nested more than {_MAX_TRIGGERS} deep")
        trigger = _split(command.rest, escape, depth + 1) if command.rest else None
        return Node(written=command.keyword, keyword=keyword, flags=command.flags, text=text, trigger=trigger)
    arguments = parse_arguments(keyword, command.rest, escape)
    return Node(written=command.keyword, keyword=keyword, flags=command.flags, arguments=arguments, text=text)


def _takes_heredocs(node: Node) -> bool:
    inner = node.trigger if node.keyword == "onbuild" and node.trigger else node
    return inner.keyword in _WITH_HEREDOCS and not inner.arguments.is_json
