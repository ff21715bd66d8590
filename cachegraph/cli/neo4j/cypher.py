"""``cachegraph cypher``: the Cypher library, and Cypher of the user's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from cachegraph.cli.app import complain
from cachegraph.cli.formats import output_options
from cachegraph.cli.options import neo4j_options, not_with, open_store
from cachegraph.cli.output import Output, write_rows
from cachegraph.cli.progress import progress
from cachegraph.errors import AccessError, CacheGraphError
from cachegraph.queries import library
from cachegraph.reading import load

__all__ = ["cypher"]


@click.command(
    epilog="\b\nExamples:\n  cachegraph cypher\n  cachegraph cypher shared-layers --param exports=3\n"
    "  cachegraph cypher bytes-per-ref ./cache\n  cachegraph cypher -e 'MATCH (e:Export) RETURN e.source'"
)
@click.argument(
    "name", required=False, shell_complete=lambda _c, _p, start: [n for n in library.library() if n.startswith(start)]
)
@click.argument("specs", nargs=-1, metavar="[SPEC...]")
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Run the Cypher in a file.")
@click.option("--execute", "-e", "text", help="Run this Cypher.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter, JSON or text; repeatable.")
@click.option("--write", is_flag=True, help="Let the Cypher write; otherwise the server refuses to.")
@click.option("--timeout", type=click.FloatRange(min=0.1), help="Seconds after which the server gives up.")
@neo4j_options
@output_options()
def cypher(
    name: str | None,
    specs: tuple[str, ...],
    file: Path | None,
    text: str | None,
    params: tuple[str, ...],
    timeout: float | None,
    neo4j: str | None,
    database: str | None,
    outputs: tuple[Output, ...],
    *,
    write: bool,
) -> None:
    """Run Cypher on the server: a file of the library by its NAME, one of your own, or a text.

    Without anything, list the library. SPECs are loaded into the server first.
    """
    if file and text is not None:
        raise click.UsageError("--file and --execute: give one of them")
    own = _text_of(file) if file else text
    if own is None and name is None:
        not_with(_NEEDS_CYPHER, "without a NAME the library is listed", "Give a NAME, --file or --execute.")
        files = library.library().values()
        rows = [{"name": f.name, "question": f.question, "parameters": ", ".join(f.parameters)} for f in files]
        for output in outputs:
            write_rows(rows, ("name", "question", "parameters"), output)
        return
    if own is not None and name is not None:  # no name is wanted, so the first word is a spec
        specs = (name, *specs)
    given = dict(map(_parameter, params))
    statement, bound = (own, given) if own is not None else library.get(name or "").bound(given)
    failed: list[CacheGraphError] = []
    with open_store(neo4j or None, database) as store, progress() as report:
        for spec in specs:
            try:
                store.write(load(spec), report=report)
            except CacheGraphError as error:
                failed.append(error)
                complain(error, spec)
        table = store.run(statement, bound, write=write, timeout=timeout)
    rows = list(table)
    for output in outputs:
        write_rows(rows, table.columns, output)
    sys.exit(max((error.exit_code for error in failed), default=0))


_NEEDS_CYPHER = {
    "params": "--param",
    "write": "--write",
    "timeout": "--timeout",
    "neo4j": "--neo4j",
    "database": "--database",
}


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"{file}: {error}", hint="give a text file in UTF-8") from None


def _parameter(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE; a value that is not JSON is text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--param")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
