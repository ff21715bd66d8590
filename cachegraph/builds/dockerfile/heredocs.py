"""Heredocs: files that stand in the Dockerfile itself (BuildKit ``frontend/dockerfile/parser``: ``ParseHeredoc``)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.shell import Lexer

__all__ = ["Heredoc", "Mark", "marks_in", "read_mark", "without_tabs"]

_MARK = re.compile(r"\d*<<(-?)[\t\n\f\r ]*([^<]*)\Z", re.ASCII)
_TABS = re.compile(r"^\t+", re.MULTILINE)
_QUOTES = ("'", '"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What announces a heredoc, such as ``<<-"EOF"``.

    Attributes
    ----------
    name : str
        The line that ends it; also the name of the file.
    expands : bool
        Variables in it are substituted, since its name is not quoted.
    chomps : bool
        Tabs in front of its lines are taken off.
    """

    name: str
    expands: bool
    chomps: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """A heredoc with its text, as it is written."""

    mark: Mark
    text: str


def read_mark(word: str) -> Mark | None:
    """Read a word that may announce a heredoc."""
    match = _MARK.match(word)
    if match is None or not match[2]:
        return None
    plain = Lexer(keep_unset=True).expand(match[2], {}).words
    if len(plain) != 1:
        return None
    quoted = Lexer(keep_unset=True, keep_quotes=True).expand(match[2], {}).words
    if len(quoted) != 1:
        raise DockerfileError(f"a heredoc's name that cannot be read: {match[2]}")
    expands = all(plain[0].count(quote) == quoted[0].count(quote) for quote in _QUOTES)
    return Mark(name=plain[0], expands=expands, chomps=bool(match[1]))


def marks_in(line: str) -> list[Mark]:
    """Find what announces heredocs in an instruction."""
    try:
        words = Lexer(keep_quotes=True, keep_escapes=True, keep_unset=True).expand(line, {}).words
    except DockerfileError:
        # BuildKit ignores what it cannot split here.
        return []
    return [mark for mark in map(read_mark, words) if mark is not None]


def without_tabs(text: str) -> str:
    """Take the tabs off the front of each line, as ``<<-`` asks for."""
    return _TABS.sub("", text)
