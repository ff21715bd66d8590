"""Parser directives: the comments ``# syntax=``, ``# escape=`` and ``# check=`` on top of a Dockerfile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.gotext import BLANKS

__all__ = ["Directives", "check_directive", "syntax_directive"]

_DIRECTIVE = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*([^\n]+?)[\t\n\f\r ]*\Z")
_NAMES = frozenset({"check", "escape", "syntax"})


@dataclass(slots=True)
class Directives:
    """Reads directives line by line, until the first line that is none."""

    mark: str = "#"
    done: bool = False
    seen: set[str] = field(default_factory=set)

    def read(self, line: str) -> tuple[str, str] | None:
        """Give a directive's name and value, or None for any other line.

        Raises
        ------
        DockerfileError
            A directive that stands there twice.
        """
        if self.done:
            return None
        match = _DIRECTIVE.match(line.removeprefix(self.mark).lstrip(BLANKS)) if line.startswith(self.mark) else None
        name = match[1].lower() if match else ""
        if match is None or name not in _NAMES:
            self.done = True
            return None
        if name in self.seen:
            raise DockerfileError(f"only one {name} parser directive can be used")
        self.seen.add(name)
        return name, match[2]


def _found(lines: Iterable[str], mark: str) -> Iterator[tuple[str, str]]:
    directives = Directives(mark=mark)
    for line in lines:
        try:
            directive = directives.read(line)
        except DockerfileError:
            return
        if directive is None:
            return
        yield directive


def _lines(text: str) -> list[str]:
    text = text.removeprefix("\ufeff")
    if text.startswith("#!"):
        text = text.partition("\n")[2]
    return [line.removesuffix("\r") for line in text.split("\n", 64)]


def syntax_directive(text: str) -> str | None:
    """Give what ``# syntax=``, ``// syntax=`` or ``{"syntax": ".."}`` names: another frontend than the built-in one."""
    lines = _lines(text)
    for mark in ("#", "//"):
        for name, value in _found(lines, mark):
            if name == "syntax":
                return value
    if text.lstrip("\ufeff\t\n\r ").startswith("{"):
        try:
            document = json.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            return None
        syntax = document.get("syntax") if isinstance(document, dict) else None
        return syntax if isinstance(syntax, str) else None
    return None


def check_directive(text: str) -> str:
    """Give the options of ``# check=`` up to the first blank; empty if there is none."""
    for name, value in _found(_lines(text), "#"):
        if name == "check":
            return value.partition(" ")[0]
    return ""
