"""``cachegraph blast-radius``: what each change would make run again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from cachegraph.cli.builds import build_options, read_build
from cachegraph.cli.formats import output_options
from cachegraph.cli.options import source_options, takes
from cachegraph.cli.output import Output, json_text, write, write_rows
from cachegraph.solver.blast import Blast
from cachegraph.solver.blast import blast_radius as work_out
from cachegraph.solver.rows import as_json
from cachegraph.solver.words import blast_cells, fix_text
from cachegraph.text.words import capital

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
_SHOWN = ("record", "change of", "runs again", "seconds", "bytes", "stays cached", "if not taken by")


@click.command(
    "blast-radius",
    epilog="\b\nExamples:\n  cachegraph blast-radius ./cache\n"
    "  cachegraph blast-radius app:cache --names app:latest --top 5\n"
    "  cachegraph blast-radius ./cache --format json",
)
@takes("SPEC")
@source_options
@output_options()
@click.option(
    "--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many changes a table lists."
)
@click.option(
    "--times",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="RECORD",
    help="A build record (.dockerbuild) that says how long the steps take: then the longest come first.",
)
@build_options
def blast_radius(
    specs: tuple[str, ...],
    outputs: tuple[Output, ...],
    top: int,
    times: Path | None,
    target: str | None,
    platform: str | None,
    buildkit: str | None,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Say for each step and source of SPEC what its change would make run again, most expensive first.

    A range says that it depends on what the changed steps make: fewer run if that is the same as before. The bytes are
    those of the layers that are made again. The last two columns name the step that most of it follows from, and what
    would stay cached if that step did not take it.
    """
    build, read = read_build(specs, how, platform)
    if not build.graphs:
        sys.exit(read.exit_code)
    answer = work_out(build, target=target, seconds=None if times is None else _seconds(times), buildkit=buildkit)
    for output in outputs:
        if output.format == "json":
            found = {"summary": answer.summary, "steps": answer.steps, "already": answer.already}
            write(json_text({**found, "changes": [_row(row) for row in answer]}), output)
        elif output.format == "table":
            left = len(answer) - top
            note = f". {left:,} more changes cost less: --top {len(answer)} lists them" if left > 0 else ""
            rows = [dict(zip(_SHOWN, blast_cells(row), strict=True)) for row in answer[:top]]
            shown = [column for column in _SHOWN if column != "seconds" or times is not None]
            write_rows(rows, shown, output, title=f"{capital(answer.summary)}{note}.")
        else:
            write_rows([_row(row) for row in answer], _COLUMNS, output)
    sys.exit(read.exit_code)


def _seconds(path: Path) -> dict[str, float]:
    """Say how long steps took, by the digests of their records, in all builds of a build record."""
    from cachegraph.builds.dockerbuild import load_record

    return {
        digest: step.seconds
        for build in load_record(path)
        for step in build.steps
        if step.seconds is not None and step.executed
        for digest in step.record_digests or ()
    }


def _row(row: Blast) -> dict[str, Any]:
    return {**as_json(row), "advice": fix_text(row) or None}
