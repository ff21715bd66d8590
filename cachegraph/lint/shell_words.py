"""The words of shell scripts: quotes, escapes, variables, arrays, comments and heredocs.

Source: POSIX, "Shell Command Language"; Bash's manual for arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from cachegraph.lint.values import Condition

__all__ = ["Piece", "Reader", "Variables", "Word"]

_LONGEST = 400  # characters of a command that are told
_BLANK = re.compile(r"[ \t\r]+|\\\r?\n|#[^\n]*")
_TEE = re.compile(r"\|[ \t]{0,20}tee[ \t][^\n|;&]{0,40}(GITHUB_(?:ENV|OUTPUT))")
_NAME = re.compile(r"[A-Za-z_]\w*")
_PLAIN = re.compile(r"[^\s'\"\\$`|;&<>()#]+")
_HEREDOC = re.compile(r"<<(-?)[ \t]*(['\"\\]?)([\w.-]+)['\"]?")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command.

    Attributes
    ----------
    text : str
        With holes.
    line : int
        Where it is written: for what a variable brings, where that is set.
    conditions : tuple of Condition
        Of the branch that adds it to an array.
    """

    text: str
    line: int
    conditions: tuple[Condition, ...] = ()


@dataclass(slots=True)
class Piece:
    """A part of a word: a text, or the words that an array stands for."""

    text: str = ""
    quoted: bool = False
    line: int = 0  # where a variable was set; 0 for what stands here
    words: tuple[Word, ...] | None = None
    at: int = 0  # of the first piece of a word: its line


class Variables(Protocol):
    """What fills in variables while a script is read."""

    def parameter(self, inner: str, quoted: bool, depth: int = 0) -> Piece:
        """Work out what stands in ``${ }``."""

    def split(self, pieces: list[Piece], line: int) -> Iterator[Word]:
        """Make words of one."""

    def hole(self, name: str, reason: str, exact: str = "") -> str:
        """Make an unknown text."""


class Reader:
    """Cuts a script into words."""

    def __init__(self, shell: Variables, text: str, line: int) -> None:
        self._shell = shell
        self._text = text
        self._at = 0
        self._line = line
        self._counted = 0
        self._heredocs: list[tuple[str, bool]] = []

    def _here(self) -> int:
        """Give the line of the place that is looked at."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def words(self, depth: int) -> Iterator[list[Piece]]:
        """Give the words of a text without commands."""
        text = self._text
        while self._at < len(text):
            if text[self._at].isspace() or text[self._at] in "|;&<>()#":
                char = text[self._at]
                self._at += 1
                yield [Piece(char)]
            elif word := self._word(depth):
                yield word

    def statements(self) -> Iterator[tuple[list[list[Piece]], int, str, str]]:
        """Give each command's words and line, what ends it (``||true``, ``>`` and a file, or nothing), and its text."""
        text = self._text
        words: list[list[Piece]] = []
        line = start = 0
        target = ""
        while True:
            self._blanks()
            char = text[self._at : self._at + 1]
            if char == "(" and words and _is_array(words[-1]):
                self._array(words[-1])
            elif char == "" or char in "\n;|&()":
                end, ends = self._at, target or self._separator()
                self._at += 2 if text.startswith(("||", "&&", ";;"), self._at) else 1
                if words:
                    yield words, line, ends, text[start : min(end, start + _LONGEST)]
                    words, target = [], ""
                if char == "":
                    return
                if char == "\n":
                    self._skip_heredocs()
            elif char in "<>":
                target = self._redirection() or target
            else:
                at = self._here()
                if not words:
                    line, start = at, self._at
                if word := self._word(0):
                    word[0].at = at
                    words.append(word)

    def _blanks(self) -> None:
        """Pass over blanks, lines that go on, and comments."""
        while found := _BLANK.match(self._text, self._at):
            self._at = found.end()

    def _separator(self) -> str:
        """Tell what ends a command: ``&&``, ``||``, ``||true`` where its failure does not matter, or nothing."""
        if self._text.startswith("&&", self._at):
            return "&&"
        if tee := _TEE.match(self._text, self._at):
            return f">{tee[1]}"
        if not self._text.startswith("||", self._at):
            return ""
        follows = self._text[self._at + 2 : self._at + 20].lstrip()
        return "||true" if follows.startswith(("true", ":", "echo", "exit 0", "printf")) else "||"

    def _redirection(self) -> str:
        heredoc = _HEREDOC.match(self._text, self._at)
        if heredoc and not self._text.startswith("<<<", self._at):
            self._heredocs.append((heredoc[3], heredoc[1] == "-"))
            self._at = heredoc.end()
            return ""
        while self._at < len(self._text) and self._text[self._at] in "<>&|":
            if self._text[self._at] == "|" and self._text[self._at - 1] != ">":
                break
            self._at += 1
        while self._at < len(self._text) and self._text[self._at] in " \t":
            self._at += 1
        start = self._at
        if self._at < len(self._text) and self._text[self._at] == "(":  # <(..)
            return ""
        self._word(0)
        return ">" + self._text[start : self._at] if self._at > start else ""

    def _skip_heredocs(self) -> None:
        """Pass over the texts of ``<<EOF``."""
        for end, dashed in self._heredocs:
            while self._at < len(self._text):
                close = self._text.find("\n", self._at)
                close = len(self._text) if close < 0 else close
                line = self._text[self._at : close]
                self._at = close + 1
                if (line.lstrip("\t ") if dashed else line.strip()) == end:
                    break
        self._heredocs = []

    def _array(self, word: list[Piece]) -> None:
        """Read ``NAME=( .. )``: the words up to the closing brace."""
        self._at += 1
        found: list[Word] = []
        text = self._text
        while self._at < len(text) and text[self._at] != ")":
            char = text[self._at]
            if char.isspace() or char in "|;&<>(":
                self._at += 1
            elif char == "\\" and text.startswith("\\\n", self._at):
                self._at += 2
            elif char == "#":
                end = text.find("\n", self._at)
                self._at = end if end >= 0 else len(text)
            else:
                line = self._here()
                found += self._shell.split(self._word(0) or [Piece()], line)
        self._at += 1
        word.append(Piece(words=tuple(found)))

    def _word(self, depth: int) -> list[Piece]:
        pieces: list[Piece] = []
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char == "'":
                end = text.find("'", self._at + 1)
                end = len(text) if end < 0 else end
                pieces.append(Piece(text[self._at + 1 : end], quoted=True))
                self._at = end + 1
            elif char == '"':
                self._at += 1
                pieces += self._double_quoted(depth)
            elif char == "\\":
                if text.startswith("\n", self._at + 1) or text.startswith("\r\n", self._at + 1):
                    self._at = text.index("\n", self._at) + 1
                    continue
                pieces.append(Piece(text[self._at + 1 : self._at + 2], quoted=True))
                self._at += 2
            elif char == "$":
                pieces.append(self._dollar(depth, quoted=False))
            elif char == "`":
                pieces.append(self._backtick(quoted=False))
            elif char == "#":
                if not pieces:
                    break
                pieces.append(Piece("#"))
                self._at += 1
            elif found := _PLAIN.match(text, self._at):
                pieces.append(Piece(found[0]))
                self._at = found.end()
            else:
                break
        return pieces

    def _double_quoted(self, depth: int) -> list[Piece]:
        pieces = [Piece(quoted=True)]
        text = self._text
        stop = re.compile(r'["\\$`]')
        while self._at < len(text):
            found = stop.search(text, self._at)
            if found is None:
                pieces.append(Piece(text[self._at :], quoted=True))
                self._at = len(text)
                break
            if found.start() > self._at:
                pieces.append(Piece(text[self._at : found.start()], quoted=True))
            self._at = found.start()
            match found[0]:
                case '"':
                    self._at += 1
                    break
                case "\\":
                    following = text[self._at + 1 : self._at + 2]
                    kept = following if following in '"\\$`' else "" if following == "\n" else f"\\{following}"
                    pieces.append(Piece(kept, quoted=True))
                    self._at += 2
                case "$":
                    pieces.append(self._dollar(depth, quoted=True))
                case _:
                    pieces.append(self._backtick(quoted=True))
        if len(pieces) == 2 and pieces[1].words is not None:
            return pieces[1:]
        return pieces

    def _dollar(self, depth: int, *, quoted: bool) -> Piece:
        text = self._text
        following = text[self._at + 1 : self._at + 2]
        if following == "(":
            return self._substitution(quoted=quoted)
        if following == "{":
            end = _matching(text, self._at + 1, "{", "}")
            inner = text[self._at + 2 : end]
            self._at = end + 1
            return self._shell.parameter(inner, quoted, depth)
        if found := _NAME.match(text, self._at + 1):
            self._at = found.end()
            return self._shell.parameter(found[0], quoted, depth)
        if following and following in "@*0123456789#?!$-":
            self._at += 2
            return (
                self._shell.parameter(following, quoted, depth)
                if following in "@*123456789"
                else Piece(
                    self._shell.hole(f"${following}", f"${following} is known only to the shell"),
                    quoted,
                )
            )
        if following == "'":
            self._at += 1
            return Piece()
        self._at += 1
        return Piece("$", quoted)

    def _substitution(self, *, quoted: bool) -> Piece:
        end = _matching(self._text, self._at + 1, "(", ")")
        inner = self._text[self._at + 2 : end]
        self._at = end + 1
        return self._output(inner, quoted=quoted)

    def _backtick(self, *, quoted: bool) -> Piece:
        end = self._text.find("`", self._at + 1)
        end = len(self._text) if end < 0 else end
        inner = self._text[self._at + 1 : end]
        self._at = end + 1
        return self._output(inner, quoted=quoted)

    def _output(self, inner: str, *, quoted: bool) -> Piece:
        first = re.match(r"\s*([\w./-]*)", inner)
        name = f"$({first[1]} ..)" if first and first[1] else "$(..)"
        return Piece(self._shell.hole(name, f"{name} is known only when it runs", inner.strip()), quoted)


def _is_array(word: list[Piece]) -> bool:
    return len(word) == 1 and not word[0].quoted and bool(re.fullmatch(r"[A-Za-z_]\w*\+?=", word[0].text))


def _matching(text: str, start: int, opens: str, closes: str) -> int:
    """Find the brace that closes one, passing over quotes; the end of the text if there is none."""
    depth = 0
    pattern = _BRACES if opens == "{" else _PARENTHESES
    for found in pattern.finditer(text, start):
        if found[0] == opens:
            depth += 1
        elif found[0] == closes:
            depth -= 1
            if depth == 0:
                return found.start()
    return len(text)


_BRACES = re.compile(r"\\.|'[^'}]*'|[{}]", re.DOTALL)
_PARENTHESES = re.compile(r"\\.|'[^']*'|[()]", re.DOTALL)
