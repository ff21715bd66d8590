"""``cachegraph blast-radius``: what each change would make run again."""

from __future__ import annotations

import sys
from typing import Any

import click

from cachegraph.cli.builds import build_options, read_build
from cachegraph.cli.formats import output_options
from cachegraph.cli.options import source_options
from cachegraph.cli.output import Output, json_text, write, write_rows
from cachegraph.solver.blast import Blast
from cachegraph.solver.blast import blast_radius as work_out
from cachegraph.solver.rows import as_json
from cachegraph.solver.words import blast_cells, fix_text

__all__ = ["blast_radius"]

_COLUMNS = (
    "record",
    "kind",
    "name",
    "digest",
    "runs",
    "least",
    "bytes",
    "seconds",
    "fix",
    "fix_name",
    "saved",
    "saved_bytes",
    "checked",
    "advice",
)
_SHOWN = ("record", "change of", "runs again", "bytes", "what cuts most")


@click.command(
    "blast-radius",
    epilog="\b\nExamples:\n  cachegraph blast-radius ./cache\n"
    "  cachegraph blast-radius app:cache --names app:latest --top 5\n"
    "  cachegraph blast-radius ./cache --format json",
)
@source_options
@output_options()
@click.option(
    "--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many changes a table lists."
)
@build_options
def blast_radius(
    specs: tuple[str, ...],
    outputs: tuple[Output, ...],
    top: int,
    target: str | None,
    platform: str | None,
    buildkit: str | None,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Say for each step and source of SPEC what its change would make run again, most expensive first.

    A range says that it depends on what the changed steps make: fewer run if that is the same as before. The bytes are
    those of the layers that are made again. The last column names the step that most of it follows from.
    """
    build, read = read_build(specs, how, platform)
    if not build.graphs:
        sys.exit(read.exit_code)
    answer = work_out(build, target=target, buildkit=buildkit)
    for output in outputs:
        if output.format == "json":
            found = {"summary": answer.summary, "steps": answer.steps, "already": answer.already}
            write(json_text({**found, "changes": [_row(row) for row in answer]}), output)
        elif output.format == "table":
            left = len(answer) - top
            note = f". {left:,} more changes cost less: --top {len(answer)} lists them" if left > 0 else ""
            rows = [dict(zip(_SHOWN, blast_cells(row), strict=True)) for row in answer[:top]]
            write_rows(rows, _SHOWN, output, title=f"{answer.summary}{note}.")
        else:
            write_rows([_row(row) for row in answer], _COLUMNS, output)
    sys.exit(read.exit_code)


def _row(row: Blast) -> dict[str, Any]:
    return {**as_json(row), "advice": fix_text(row) or None}
