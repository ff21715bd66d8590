"""Text and tables of a given width: folded between words, never within one, so that what is shown can be copied."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence

__all__ = ["drawn", "fold"]

_BETWEEN = 2
"""Columns of a terminal between those of a table."""

_RULE = "──"

_NARROW = 10
"""What is no wider than this is not folded."""

_MEASURE = re.compile(r"(\d) (?=(?:[KMGT]i)?B\b|%|h\b|min\b|s\b)")
"""The blank between a number and its unit, at which no line is broken."""

_PINNED = re.compile(r"(@sha256:[0-9a-f]{12})[0-9a-f]{52}\b")
"""The digest of an image in the name of a step, of which the beginning will do."""

_UNBROKEN = "\ue000"
"""Stands for such a blank while a table is drawn: of a column's width, and no blank."""


def fold(text: str, width: int, *, before: int = 0, indent: int = 0) -> str:
    """Fold a text between words.

    Parameters
    ----------
    text : str
        In one line.
    width : int
    before : int
        Columns that are taken on the first line.
    indent : int
        Blanks before the others.
    """
    lines = textwrap.wrap(
        _MEASURE.sub("\\1\0", text),
        max(width, 40),
        initial_indent=" " * before,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)[before:].replace("\0", " ")


def drawn(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, coloured: bool) -> str:
    """Draw a table.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of sequence of str
        Each cell in one line.
    width : int
        What the table should fit. It is wider where single words are: of the last column at most, if that is the one
        with the long words.
    coloured : bool
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [[_MEASURE.sub(f"\\1{_UNBROKEN}", _PINNED.sub(r"\1", cell)) for cell in row] for row in rows]
    widths = _widths(columns, rows, width - _BETWEEN * (len(columns) - 1))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, _BETWEEN - 1, 0, 0))
    for column, room in zip(columns, widths, strict=True):
        table.add_column(column, width=room)
    for row in rows:
        table.add_row(*map(Text, row))
    text = io.StringIO()
    console = Console(
        file=text,
        width=max(width, sum(widths) + _BETWEEN * len(columns)),
        highlight=False,
        emoji=False,
        markup=False,
        force_terminal=coloured,
    )
    console.print(table)
    lines = [line.rstrip() for line in text.getvalue().replace(_UNBROKEN, " ").splitlines()]
    lines = [line[:width] if line.startswith(_RULE) else line for line in lines]
    return "\n".join(lines)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Share out the room: headings are folded first, then the widest columns to one width, narrow ones never."""
    from rich.cells import cell_len

    whole, wanted, least = [], [], []
    for heading, *cells in zip(columns, *rows, strict=True):
        widest = max(map(cell_len, cells), default=0)
        heading_word = max(map(cell_len, heading.split()), default=0)
        word = max((cell_len(word) for cell in cells for word in cell.split()), default=0)
        whole.append(max(cell_len(heading), widest))
        wanted.append(max(heading_word, widest))
        least.append(max(heading_word, word, min(widest, _NARROW)))
    if sum(least) > room and len(least) > 1 and least[-1] == max(least):
        # A source at the end of a line is never folded; the others share the rest of the line as far as there is one.
        return [*_shared(wanted[:-1], least[:-1], max(room - least[-1], room // 2)), whole[-1]]
    widths = _shared(wanted, least, room)
    for column, want in enumerate(whole):
        widths[column] += max(0, min(want - widths[column], room - sum(widths)))
    return widths


def _shared(wanted: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Cut the widest to one width, the widest at which all fit; if there is none, each is as narrow as words allow."""
    fitting = (cap for cap in range(max(wanted, default=0), 0, -1) if sum(_capped(wanted, least, cap)) <= room)
    return _capped(wanted, least, next(fitting, 0))


def _capped(wanted: Sequence[int], least: Sequence[int], cap: int) -> list[int]:
    return [max(low, min(want, cap)) for want, low in zip(wanted, least, strict=True)]
