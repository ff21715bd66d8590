"""Reading a RUN's text where it is a plain list of commands: words, quotes, variables, ``&&`` and ``> file``.

Whatever else a shell knows (pipes, conditions, loops, substitutions, here-documents) is not read at all, so that what
is read has one meaning in every POSIX shell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Command", "Part", "Redirect", "Word", "read_script"]

_NAME = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_BLANKS = " \t"
_STRANGE = frozenset("`(){}[]<|!~^\0\r")
"""Characters that mean something in some shell, where they stand without quotes."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word.

    Attributes
    ----------
    text : str
        What stands there, or the name of a variable.
    quoted : bool
        Neither split nor taken for a pattern.
    is_variable : bool
    """

    text: str
    quoted: bool = False
    is_variable: bool = False


Word = tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Where output goes: ``> FILE`` or ``>> FILE`` of stream 1 or 2."""

    stream: Literal[1, 2]
    word: Word
    append: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command with its words and redirections, in their order."""

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()


class _Strange(Exception):  # noqa: N818 - it never leaves this module
    """Something that is not read."""


@dataclass(slots=True)
class _Reader:
    text: str
    place: int = 0
    words: list[Word] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    waiting: tuple[Literal[1, 2], bool] | None = None

    def commands(self) -> Iterator[Command]:
        """Read commands that all have to succeed, or the shell's state is not known."""
        joined = False
        while self.place < len(self.text):
            character = self.text[self.place]
            if character in _BLANKS or self.text.startswith("\\\n", self.place):
                self.place += 1 if character in _BLANKS else 2
            elif character == "#":
                self.place = self._end_of_line()
            elif character in ";\n" or self.text.startswith("&&", self.place):
                # A newline behind && goes on with the list; an operator without a command is an error.
                if self.words or self.redirects:
                    yield self._finish()
                    joined = character == "&"
                elif character != "\n":
                    raise _Strange
                self.place += 2 if character == "&" else 1
            else:
                self._word()
                joined = False
        if self.words or self.redirects:
            yield self._finish()
        elif joined or self.waiting:
            raise _Strange

    def _finish(self) -> Command:
        if self.waiting is not None or not self.words:
            raise _Strange
        command = Command(words=tuple(self.words), redirects=tuple(self.redirects))
        self.words, self.redirects = [], []
        return command

    def _end_of_line(self) -> int:
        end = self.text.find("\n", self.place)
        return len(self.text) if end < 0 else end

    def _word(self) -> None:
        parts: list[Part] = []
        while self.place < len(self.text):
            character = self.text[self.place]
            if character in _BLANKS or character in ";\n" or self.text.startswith("&&", self.place):
                break
            if character == ">":
                self._redirect(parts)
                return
            parts += self._parts(character)
        if not parts:
            return
        if self.waiting is not None:
            stream, append = self.waiting
            self.redirects.append(Redirect(stream=stream, word=tuple(parts), append=append))
            self.waiting = None
        else:
            self.words.append(tuple(parts))

    def _parts(self, character: str) -> Iterator[Part]:
        """Read the next piece of a word."""
        if character == "'":
            end = self._closing()
            yield Part(self.text[self.place + 1 : end], quoted=True)
            self.place = end + 1
        elif character == '"':
            self.place += 1
            yield from self._double()
        elif character == "\\":
            following = self.text[self.place + 1 : self.place + 2]
            if not following:
                raise _Strange
            self.place += 2
            if following != "\n":
                yield Part(following, quoted=True)
        elif character == "$":
            yield self._variable(quoted=False)
        elif character in _STRANGE or character == "&":
            raise _Strange
        else:
            self.place += 1
            yield Part(character)

    def _closing(self) -> int:
        end = self.text.find("'", self.place + 1)
        if end < 0:
            raise _Strange
        return end

    def _double(self) -> Iterator[Part]:
        """Read on to the closing quote."""
        yield Part("", quoted=True)
        while self.place < len(self.text):
            character = self.text[self.place]
            if character == '"':
                self.place += 1
                return
            if character == "$":
                yield self._variable(quoted=True)
                continue
            if character == "`":
                raise _Strange
            if character == "\\" and self.text[self.place + 1 : self.place + 2] in ("$", "`", '"', "\\", "\n"):
                self.place += 1
                character = self.text[self.place].replace("\n", "")
            self.place += 1
            yield Part(character, quoted=True)
        raise _Strange

    def _variable(self, *, quoted: bool) -> Part:
        found = _NAME.match(self.text, self.place)
        if not found:
            raise _Strange
        self.place = found.end()
        return Part(found[1] or found[2], quoted=quoted, is_variable=True)

    def _redirect(self, parts: list[Part]) -> None:
        """Read ``>``, ``>>``, ``2>`` or ``2>&1``."""
        number = "".join(part.text for part in parts)
        if self.waiting is not None or (parts and (number not in ("1", "2") or any(part.quoted for part in parts))):
            # A word that ends where the output goes elsewhere: ``echo a>b``.
            if self.waiting is not None or not parts or number.isdecimal():
                raise _Strange
            self.words.append(tuple(parts))
            number = ""
        stream: Literal[1, 2] = 2 if number == "2" else 1
        self.place += 1
        if self.text.startswith("&1", self.place) and stream == 2:
            self.place += 2
            return
        append = self.text.startswith(">", self.place)
        self.place += append
        if self.text[self.place : self.place + 1] in (">", "&", "|", ""):
            raise _Strange
        self.waiting = (stream, append)


def read_script(text: str) -> tuple[Command, ...] | None:
    """Read a script that is a list of commands, each of which has to succeed.

    Parameters
    ----------
    text : str
        What ``/bin/sh -c`` is given.

    Returns
    -------
    tuple of Command or None
        None if anything in it is not read here.
    """
    try:
        return tuple(_Reader(text).commands())
    except _Strange:
        return None
