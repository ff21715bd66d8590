"""The one way out: everything that a command writes to standard output, to a file or to standard error.

Each format cleans what came from outside for where it goes (`cachegraph.text.clean`); nothing else writes.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cachegraph.cli.tables import drawn, fold
from cachegraph.errors import AccessError, UnknownNameError
from cachegraph.text.clean import csv_cell, json_text, legal, markdown, one_line, plain
from cachegraph.text.nearest import did_you_mean

__all__ = [
    "ROWS",
    "TEXT",
    "Output",
    "Row",
    "drop_output",
    "for_people",
    "json_text",
    "say",
    "styled",
    "width",
    "write",
    "write_rows",
]

Row = Mapping[str, Any]

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where an answer goes, and how it is written.

    Attributes
    ----------
    format : str
    path : Path or None
        A file; None for standard output.
    """

    format: str
    path: Path | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether somebody reads it as it is written."""
        return self.path is None and sys.stdout.isatty()


TEXT = Output(format="table")
"""Standard output, for commands that have one way to say what they did."""


def write(text: str, output: Output) -> None:
    """Write an answer; a file is there whole or not at all. Text for people is cleaned here once more, as a whole.

    Parameters
    ----------
    text : str
    output : Output

    Raises
    ------
    AccessError
        The file cannot be written.
    """
    text = _cleaned(text if text.endswith("\n") or not text else f"{text}\n", output)
    if output.path is None:
        try:
            click.echo(text, nl=False, color=True)
        except BrokenPipeError:  # the reader has seen enough
            raise
        except OSError as error:
            drop_output()
            raise AccessError(f"the answer could not be written: {error.strerror}", hint="make room for it") from None
        return
    try:
        _replace(output.path, text)
    except OSError as error:
        raise AccessError(
            f"{output.path}: {error.strerror or error}", hint="check that the folder is there and can be written"
        ) from None


def _cleaned(text: str, output: Output) -> str:
    """Keep out of text for people what no cell of it should have held; on a terminal, our own colours stay."""
    if output.format != "table":
        return text
    if not output.is_terminal:
        return plain(text)
    return "".join(part if _COLOUR.fullmatch(part) else legal(part) for part in _COLOUR.split(text))


def _replace(path: Path, text: str) -> None:
    if path.exists() and not path.is_file():  # /dev/stderr, a named pipe
        path.write_text(text, encoding="utf-8")
        return
    path = path.resolve()
    made = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with made.open("x", encoding="utf-8") as file:
            file.write(text)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def drop_output() -> None:
    """Let what is still to be written to standard output go nowhere: nobody can take it any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Write a line to standard error, for people.

    Parameters
    ----------
    text : str
        The line begins with the program's name.
    """
    click.echo(plain(f"cachegraph: {' '.join(one_line(text).split())}"), err=True)


def write_rows(rows: Iterable[Row], columns: Sequence[str], output: Output, *, title: str = "") -> None:
    """Write rows.

    Parameters
    ----------
    rows : iterable of mapping
    columns : sequence of str
        What to write, in this order; JSON has all that the rows hold.
    output : Output
        Its format is one of `ROWS`.
    title : str
        Above a table for people.
    """
    if output.format not in ROWS:
        raise UnknownNameError(
            f"there is no format {output.format!r}", hint=did_you_mean(output.format, ROWS, "formats")
        )
    write(ROWS[output.format](list(rows), columns, title, output), output)


def _json(rows: Sequence[Row], columns: Sequence[str], title: str, output: Output) -> str:  # noqa: ARG001 - as others
    return json_text(rows)


def _csv(rows: Sequence[Row], columns: Sequence[str], title: str, output: Output) -> str:  # noqa: ARG001 - as others
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_value(row.get(column)) for column in columns] for row in rows)
    return plain(buffer.getvalue())


def _csv_value(value: object) -> str:
    # A number is not a formula, whatever its sign.
    return _cell(value) if isinstance(value, (int, float)) else csv_cell(_cell(value))


def _markdown(rows: Sequence[Row], columns: Sequence[str], title: str, output: Output) -> str:  # noqa: ARG001 - as others
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(markdown(_cell(row.get(column))) for column in columns)} |" for row in rows]
    return "\n".join(lines)


def _table(rows: Sequence[Row], columns: Sequence[str], title: str, output: Output) -> str:
    """Draw a table on a terminal; elsewhere write fields between tabs, which every tool can cut."""
    cells = [[one_line(_cell(row.get(column))) for column in columns] for row in rows]
    if not output.is_terminal:
        lines = [one_line(title)] if title else []
        lines += ["\t".join(line) for line in [columns, *cells]]
        return plain("\n".join(lines))
    shown = drawn(columns, cells, width(), coloured=for_people(output))
    return f"{styled(fold(one_line(title), width(), indent=2), output, bold=True)}\n{shown}" if title else shown


ROWS: Mapping[str, Callable[[Sequence[Row], Sequence[str], str, Output], str]] = {
    "table": _table,
    "json": _json,
    "csv": _csv,
    "markdown": _markdown,
}
"""How rows are written, by the name of the format."""


def for_people(output: Output) -> bool:
    """Whether to use colour: a terminal that can, and no ``NO_COLOR``."""
    return output.is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def styled(text: str, output: Output, **style: Any) -> str:  # noqa: ANN401 - click's own
    """Give a text colour where somebody sees it."""
    return click.style(text, **style) if for_people(output) else text


def width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size((100, 24)).columns


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return " ".join(_cell(item) for item in value)
        case dict():
            return json_text(value, indent=None)
    return str(value)
