"""The fenced blocks of README and pages, one after the other."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from cachegraph.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")))
_BLOCK = re.compile(r"^(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)
_BEFORE = re.compile(r"[A-Z_0-9]+=.*|[\d*/,-]+")
_EXITS = re.compile(r"\s+# exits with (\d)$")


@dataclass(frozen=True)
class Block:
    """One of a page.

    Attributes
    ----------
    page : str
        Such as ``docs/ops.md``.
    line : int
        Of its first line of text.
    info : str
        What stands behind the fence: the language, and for a file its path.
    text : str
    """

    page: str
    line: int
    info: str
    text: str

    @property
    def language(self) -> str:
        return self.info.partition(" ")[0]

    @property
    def commands(self) -> list[str]:
        """The command lines of a block for a terminal: those with a ``$``, or all if none has one."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        asked = [line[2:] for line in lines if line.startswith("$ ")]
        return asked if asked or self.language == "console" else lines

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> list[Block]:
    """Give a page's blocks."""
    text = (ROOT / page).read_text("utf-8")
    return [
        Block(page, text.count("\n", 0, found.start("text")) + 1, found["info"].strip(), found["text"])
        for found in _BLOCK.finditer(text)
    ]


def words(command: str) -> list[str]:
    """Split a line as a shell does, without what stands behind ``#``."""
    return shlex.split(command, comments=True)


def exit_code(command: str) -> int:
    """The code that the page says it ends with."""
    told = _EXITS.search(command)
    return int(told[1]) if told else 0


def calls(command: str) -> Iterator[list[str]]:
    """Give the arguments of each call of cachegraph in a command line, which may be one of several between pipes.

    Variables that are set for it, and the times of a line for cron, may stand before it.
    """
    for part in re.split(r"\s(?:\||&&|;)\s", command.removeprefix("$ ")):
        found = words(part.strip())
        while found and _BEFORE.fullmatch(found[0]):
            del found[0]
        if "cachegraph" in found[:1]:
            yield found[1 : next((at for at, word in enumerate(found) if word in (">", ">>", "<")), None)]


def program(command: str) -> str:
    """What a line starts."""
    return words(command)[0]


def parse(arguments: list[str]) -> None:
    """Let Click read a call, and run nothing. A file that has to be there is made in the current folder.

    Raises
    ------
    click.ClickException
        No such command, option or value.
    """
    command: click.Command = app
    context = click.Context(app, info_name="cachegraph")
    while isinstance(command, click.Group):
        if not arguments or arguments[0].startswith("-"):
            return
        name, *arguments = arguments
        found = command.get_command(context, name)
        assert found is not None, name
        command, context = found, click.Context(found, info_name=name, parent=context)
    made: set[str] = set()
    while True:
        try:
            command.parse_args(context, list(arguments))
        except click.BadParameter as error:
            missing = re.search(r"'([^'/][^']*)' does not exist", error.message)
            if missing is None or missing[1] in made:
                raise
            made.add(missing[1])
            Path(missing[1]).parent.mkdir(parents=True, exist_ok=True)
            Path(missing[1]).touch()
        else:
            return
