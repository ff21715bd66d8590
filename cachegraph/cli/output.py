"""Rows to text: a table for people, JSON, CSV and Markdown for what comes after."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

__all__ = ["clean", "console", "print_json", "print_rows"]

Row = Mapping[str, Any]


def print_rows(rows: Iterable[Row], columns: Sequence[str], format_: str, *, title: str = "") -> None:
    """Write rows to standard output.

    Parameters
    ----------
    rows : iterable of mapping
    columns : sequence of str
        What to write, in this order.
    format_ : {"table", "json", "csv", "markdown"}
    title : str
        Above a table.
    """
    rows = list(rows)
    match format_:
        case "json":
            print_json(rows)
        case "csv":
            buffer = io.StringIO()
            writer = csv.writer(buffer, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
            click.echo(buffer.getvalue(), nl=False)
        case "markdown":
            click.echo(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
            for row in rows:
                cells = (_cell(row.get(column)).replace("|", "\\|").replace("\n", " ") for column in columns)
                click.echo(f"| {' | '.join(cells)} |")
        case _:
            _print_table(rows, columns, title)


def print_json(value: object) -> None:
    """Write a value to standard output as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def console(*, stderr: bool = False) -> Any:  # noqa: ANN401 - rich is imported where it is used
    """Give a console that keeps to ``NO_COLOR`` and to the width of the terminal (100 where there is none)."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if not made.is_terminal:
        made = Console(stderr=stderr, highlight=False, emoji=False, markup=False, width=100)
    return made


def clean(text: str) -> str:
    """Take control characters out of a text that came with an export: it could drive the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _print_table(rows: Sequence[Row], columns: Sequence[str], title: str) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(_cell(row.get(column)))) for column in columns))
    console().print(table)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return " ".join(_cell(item) for item in value)
        case dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)
