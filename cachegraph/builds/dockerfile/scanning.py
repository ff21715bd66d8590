"""One pass over a text with variables, quotes and escapes; see `cachegraph.builds.dockerfile.shell`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cachegraph.builds.dockerfile.errors import DockerfileError, TooMuchError
from cachegraph.builds.dockerfile.gotext import BLANKS, is_letter, runes
from cachegraph.builds.dockerfile.patterns import replace, trim_prefix, trim_suffix

if TYPE_CHECKING:
    from cachegraph.builds.dockerfile.shell import Lexer

__all__ = ["Scan"]

_MAX_DEPTH = 64
_SPECIAL = frozenset("@*#?-$!0")
_OPERATORS = frozenset(":+-?#%")
_END = "\ufffd"
"""What BuildKit shows for the end of the text."""

_HEREDOC_BLANKS = "\t\r "


class _Words:
    """Collects words. All levels of a text share one buffer, as in BuildKit, so an inner level forgets the outer's."""

    def __init__(self, buffer: list[str]) -> None:
        self.buffer = buffer
        self.words: list[str] = []
        self.inside = False

    def add(self, text: str) -> None:
        for character in text:
            if character not in BLANKS:
                self.add_raw(character)
            elif self.inside and any(self.buffer):
                self.words.append("".join(self.buffer))
                self.buffer.clear()
                self.inside = False

    def add_raw(self, text: str) -> None:
        self.buffer.append(text)
        self.inside = True

    def finish(self) -> tuple[str, ...]:
        if any(self.buffer):
            self.words.append("".join(self.buffer))
            self.buffer.clear()
        return tuple(self.words)


class Scan:
    """One pass over one text."""

    def __init__(self, lexer: Lexer, text: str, variables: Mapping[str, str]) -> None:
        self.lexer = lexer
        # Go's scanner drops a byte order mark in front.
        self.text = runes(text).removeprefix("\ufeff")
        self.place = 0
        self.depth = 0
        self.variables = variables
        self.keep_escapes = lexer.keep_escapes
        self.found: set[str] = set()
        self.missing: set[str] = set()
        self.buffer: list[str] = []

    def peek(self) -> str:
        """Give the next character; empty at the end."""
        return self.text[self.place : self.place + 1]

    def next(self) -> str:
        """Take the next character."""
        character = self.peek()
        self.place += len(character)
        return character

    def until(self, stop: str, *, keep_escapes: bool, pattern: bool = False) -> tuple[str, tuple[str, ...]]:
        """Read up to a character, or to the end if it is empty.

        With ``pattern``, what is quoted stays escaped, so that the pattern's own reader takes it as it is.
        """
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise TooMuchError(f"substitutions nested more than {_MAX_DEPTH} deep")
        before, self.keep_escapes = self.keep_escapes, keep_escapes
        try:
            return self._until(stop, pattern=pattern)
        finally:
            self.keep_escapes = before
            self.depth -= 1

    def _until(self, stop: str, *, pattern: bool) -> tuple[str, tuple[str, ...]]:
        self.buffer.clear()
        words = _Words(self.buffer)
        result: list[str] = []
        while character := self.peek():
            if character == stop:
                self.next()
                return "".join(result), words.finish()
            if character == "$":
                value = self._dollar()
                words.add(value)
            elif character == "<":
                value = self._heredoc_mark()
                words.add_raw(value)
            elif character in ("'", '"') and not self.lexer.plain_quotes:
                value = self._quoted(pattern=pattern) if character == "'" else self._double_quoted(pattern=pattern)
                words.add_raw(value)
            else:
                value = self._plain(words)
            result.append(value)
        if stop:
            raise DockerfileError(f"unexpected end of statement while looking for matching {stop}")
        return "".join(result), words.finish()

    def _plain(self, words: _Words) -> str:
        character = self.next()
        if character != self.lexer.escape:
            words.add(character)
            return character
        escaped = self.next()
        if self.keep_escapes:
            words.add_raw(character)
        if not escaped:
            return character if self.keep_escapes else ""
        words.add_raw(escaped)
        return character + escaped if self.keep_escapes else escaped

    def _quoted(self, *, pattern: bool) -> str:
        self.next()
        end = self.text.find("'", self.place)
        if end < 0:
            raise DockerfileError("unexpected end of statement while looking for matching single-quote")
        inside = self.text[self.place : end]
        self.place = end + 1
        if pattern:
            inside = inside.replace(self.lexer.escape, 2 * self.lexer.escape)
        return f"'{inside}'" if self.lexer.keep_quotes else inside

    def _double_quoted(self, *, pattern: bool) -> str:
        self.next()
        quote = '"' if self.lexer.keep_quotes else ""
        result = [quote]
        while character := self.peek():
            if character == '"':
                self.next()
                return "".join([*result, quote])
            if character == "$":
                result.append(self._dollar())
                continue
            self.next()
            if character == self.lexer.escape:
                following = self.peek()
                if not following:
                    continue
                if following in ('"', "$", self.lexer.escape):
                    if self.keep_escapes:
                        result.append(character)
                    character = self.next()
                elif self.keep_escapes and (pattern or not self.lexer.keep_quotes):
                    result.append(character)
            result.append(character)
        raise DockerfileError("unexpected end of statement while looking for matching double-quote")

    def _heredoc_mark(self) -> str:
        self.next()
        if self.peek() != "<":
            return "<"
        self.next()
        begin = self.place
        while self.peek() and self.peek() in _HEREDOC_BLANKS:
            self.next()
        return "<<" + self.text[begin : self.place]

    def _look_up(self, name: str) -> str | None:
        value = self.variables.get(name)
        (self.missing if value is None else self.found).add(name)
        if value:
            self.lexer.budget.spend(len(value))
        return value

    def _dollar(self) -> str:
        self.next()
        if self.peek() == "{":
            self.next()
            return self._braced()
        name = self._name()
        if not name:
            return "$"
        value = self._look_up(name)
        if value is None:
            return f"${name}" if self.lexer.keep_unset else ""
        return value

    def _name(self) -> str:
        begin = self.place
        if self.peek().isdecimal():
            while self.peek().isdecimal():
                self.next()
        elif self.peek() in _SPECIAL:
            self.next()
        else:
            while (character := self.peek()) and (is_letter(character) or character.isdecimal() or character == "_"):
                self.next()
        return self.text[begin : self.place]

    def _braced(self) -> str:
        if not self.peek():
            raise DockerfileError("syntax error: missing '}'")
        if self.peek() in "{}:":
            raise DockerfileError("syntax error: bad substitution")
        name = self._name()
        mark = self.next()
        if mark == "}":
            value = self._look_up(name)
            if value is None:
                return f"${{{name}}}" if self.lexer.keep_unset else ""
            return value
        if mark == "/":
            return self._replacement(name)
        if mark not in _OPERATORS:
            raise DockerfileError(f"unsupported modifier ({mark or _END}) in substitution")
        empty_is_unset = mark == ":"
        operator = self.next() if empty_is_unset else mark
        written = mark + (operator or _END) if empty_is_unset else mark
        trims = operator in ("#", "%")
        if trims and empty_is_unset:
            raise DockerfileError(f"unsupported modifier ({written}) in substitution")
        word = self._inner("}", keep_escapes=trims, pattern=trims)
        value = self._look_up(name)
        if value is None and self.lexer.keep_unset:
            return f"${{{name}{written}{word}}}"
        if trims:
            greedy = word.startswith(operator)
            trim = trim_suffix if operator == "%" else trim_prefix
            return trim(word[1:] if greedy else word, value or "", greedy=greedy)
        if operator not in ("-", "+", "?"):
            raise DockerfileError(f"unsupported modifier ({written}) in substitution")
        return self._default(operator, name, value, word, empty_is_unset=empty_is_unset)

    def _inner(self, stop: str, *, keep_escapes: bool, pattern: bool) -> str:
        try:
            return self.until(stop, keep_escapes=keep_escapes, pattern=pattern)[0]
        except TooMuchError:
            raise
        except DockerfileError:
            if not self.peek():
                where = " in ${}" if stop == "/" else ""
                raise DockerfileError(f"syntax error: missing '{stop}'{where}") from None
            raise

    @staticmethod
    def _default(operator: str, name: str, value: str | None, word: str, *, empty_is_unset: bool) -> str:
        unset = value is None or (empty_is_unset and not value)
        if operator == "-":
            return word if unset else value or ""
        if operator == "+":
            return "" if unset else word
        if unset:
            state = "unset" if value is None else "empty"
            raise DockerfileError(f"{name}: {word or f'is not allowed to be {state}'}")
        return value or ""

    def _replacement(self, name: str) -> str:
        everywhere = self.peek() == "/"
        if everywhere:
            self.next()
        pattern = self._inner("/", keep_escapes=True, pattern=True)
        text = self._inner("}", keep_escapes=True, pattern=False)
        value = self._look_up(name)
        if value is None and self.lexer.keep_unset:
            return f"${{{name}/{pattern}/{text}}}"
        replaced = replace(pattern, text, value or "", everywhere=everywhere)
        self.lexer.budget.spend(len(replaced))
        return replaced
