"""``cachegraph why``: what keeps a record, a layer or a blob."""

from __future__ import annotations

from typing import Any

import click

from cachegraph.cli.formats import output_options
from cachegraph.cli.naming import known_names
from cachegraph.cli.options import source_options, takes
from cachegraph.cli.output import Output
from cachegraph.cli.sides import count, options_of, read_exports, write_answer
from cachegraph.solver.why import why as look
from cachegraph.text.words import capital

__all__ = ["why"]

_RELATIONS = {"uses": "uses it", "way": "on the way to it", "lost": "lost without it"}
_COLUMNS = ("relation", "record", "name", "digest", "detail")


@click.command(
    epilog="\b\nExamples:\n  cachegraph why ./cache 7\n  cachegraph why ./cache layer:3\n"
    "  cachegraph why ./cache sha256:745adc93"
)
@takes("SPEC X")
@source_options
@output_options()
def why(specs: tuple[str, ...], outputs: tuple[Output, ...], **how: Any) -> None:  # noqa: ANN401 - values of source_options
    """Say what keeps X in the export SPEC: what uses it, the shortest way to it, and what is lost without it.

    X is a record's index, layer:N, or the start of a digest of a record or blob.
    """
    count(specs, how, (2,), "SPEC and X: a record's index, layer:N, or the start of a digest")
    with options_of(how) as options:
        exports = read_exports(specs[0], options)
        known = known_names(how, options, exports)
    found = look(known.graphs(exports), specs[1])
    answer = {"what": found.what, "label": found.label, "bytes": found.bytes, "summary": found.summary}
    for output in outputs:
        rows = found.to_dicts()
        shown = [{**row, "relation": _RELATIONS[row["relation"]]} for row in rows]
        summary = capital(found.summary)
        write_answer({**answer, "reasons": rows}, rows, _COLUMNS, summary, output, shown=(shown, _COLUMNS))
