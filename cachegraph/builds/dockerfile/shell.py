"""Substitution of variables and splitting into words, as BuildKit's ``frontend/dockerfile/shell`` does them.

It looks like a shell's, and is not one: the forms are ``$name``, ``${name}``, ``${name:-word}``, ``-``, ``:+``, ``+``,
``:?``, ``?``, ``#``, ``##``, ``%``, ``%%``, ``/pattern/text`` and ``//pattern/text``; quotes and escapes are taken off
unless a caller asks to keep them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cachegraph.builds.dockerfile.errors import DockerfileError, TooMuchError
from cachegraph.builds.dockerfile.gotext import BLANKS, runes
from cachegraph.builds.dockerfile.scanning import Scan

__all__ = ["Budget", "Expanded", "Lexer"]


_SHOWN = 200


@dataclass(slots=True)
class Budget:
    """How many characters the substitutions of one Dockerfile may make, since each can double what it takes."""

    left: int = 8 * 1024 * 1024

    def spend(self, characters: int) -> None:
        """Count characters.

        Raises
        ------
        TooMuchError
        """
        self.left -= characters
        if self.left < 0:
            raise TooMuchError(
                "its substitutions grow without end",
                hint="a variable that holds itself several times doubles each time",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """What became of a word.

    Attributes
    ----------
    text : str
    words : tuple of str
        The text split at blanks that are not quoted.
    found, missing : frozenset of str
        Variables that were looked up.
    """

    text: str
    words: tuple[str, ...] = ()
    found: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexer:
    """How a text is read.

    Attributes
    ----------
    escape : str
        The character that takes the next one as it is; the directive ``# escape=`` sets it.
    keep_quotes, keep_escapes : bool
        Leave them in the result.
    plain_quotes : bool
        Quotes mean nothing, as in the body of a heredoc.
    keep_unset : bool
        Leave a reference to an unknown variable as it stands.
    budget : Budget
    """

    escape: str = "\\"
    keep_quotes: bool = False
    keep_escapes: bool = False
    plain_quotes: bool = False
    keep_unset: bool = False
    budget: Budget = field(default_factory=Budget)

    def expand(self, text: str, variables: Mapping[str, str]) -> Expanded:
        """Substitute variables.

        Raises
        ------
        DockerfileError
            A substitution that BuildKit refuses, such as ``${name:?}`` of an unknown variable.
        """
        if not any(character in text for character in ("$", "'", '"', self.escape, "<")) and not self._has_bytes(text):
            return Expanded(text=text, words=tuple(_split(text)))
        scan = Scan(self, text, variables)
        try:
            result, words = scan.until("", keep_escapes=self.keep_escapes)
        except TooMuchError:
            raise
        except DockerfileError as error:
            raise DockerfileError(f'failed to process "{_shown(text)}": {error.reason}', hint=error.hint) from None
        self.budget.spend(len(result))
        return Expanded(text=result, words=words, found=frozenset(scan.found), missing=frozenset(scan.missing))

    @staticmethod
    def _has_bytes(text: str) -> bool:
        return not text.isascii() and (runes(text) != text or text.startswith("\ufeff"))


def _shown(text: str) -> str:
    return runes(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _split(text: str) -> list[str]:
    return [
        word for word in "".join(" " if character in BLANKS else character for character in text).split(" ") if word
    ]
