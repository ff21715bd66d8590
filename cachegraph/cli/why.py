"""``cachegraph why``: what keeps a record, a layer or a blob."""

from __future__ import annotations

from typing import Any

import click

from cachegraph.cli.options import format_option, source_options
from cachegraph.cli.output import clean, print_json, print_rows
from cachegraph.cli.sides import count, known_names, options_of, read_exports, short_digests
from cachegraph.solver.why import why as look

__all__ = ["why"]

_COLUMNS = ("relation", "record", "name", "digest", "detail")


@click.command(
    epilog="\b\nExamples:\n  cachegraph why ./cache 7\n  cachegraph why ./cache layer:3\n"
    "  cachegraph why ./cache sha256:745adc93"
)
@source_options
@format_option()
def why(specs: tuple[str, ...], format_: str, **how: Any) -> None:  # noqa: ANN401
    """Say what keeps X in the export SPEC: what uses it, the shortest way to it, and what is lost without it.

    X is a record's index, layer:N, or the start of a digest of a record or blob.
    """
    count(specs, how, (2,), "SPEC and X: a record's index, layer:N, or the start of a digest")
    options = options_of(how)
    known = known_names(how["names"], options)
    found = look(read_exports(specs[0], options, known.names), specs[1])
    if format_ == "json":
        print_json(
            {
                "what": found.what,
                "label": found.label,
                "bytes": found.bytes,
                "summary": found.summary,
                "reasons": found.to_dicts(),
            }
        )
        return
    print_rows(short_digests(found.to_dicts(), format_), _COLUMNS, format_)
    if format_ == "table":
        click.echo(clean(found.summary))
