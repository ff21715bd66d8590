"""``cachegraph simulate``: what a change would cost."""

from __future__ import annotations

import sys
from typing import Any

import click

from cachegraph.cli.builds import STEP_COLUMNS, build_options, prediction_json, read_build, read_caches, step_rows
from cachegraph.cli.formats import output_options
from cachegraph.cli.options import source_options, takes
from cachegraph.cli.output import Output, json_text, write, write_rows
from cachegraph.solver.simulate import Simulation
from cachegraph.solver.simulate import simulate as work_out
from cachegraph.text.words import capital, plural

__all__ = ["simulate"]


@click.command(
    epilog="\b\nExamples:\n  cachegraph simulate ./cache --change 'base image'\n"
    "  cachegraph simulate ./cache --change 4 --content same\n"
    "  cachegraph simulate app:cache --names app:latest --change 'RUN npm ci'"
)
@takes("SPEC")
@source_options
@output_options()
@click.option(
    "--change",
    "changes",
    multiple=True,
    required=True,
    metavar="STEP",
    help="What changes: a record, digest or name of a step, a source or the content of files, or 'base image'; "
    "may be repeated.",
)
@click.option(
    "--content",
    type=click.Choice(["unknown", "same", "other"]),
    default="unknown",
    show_default=True,
    help="What changed steps make: not known before they run, the same files, or other files.",
)
@click.option(
    "--cache-from",
    "caches",
    multiple=True,
    metavar="SPEC",
    help="A cache that the next build imports; may be repeated (default: the export itself).",
)
@click.option("--all", "show_all", is_flag=True, help="List the steps that the change does not touch as well.")
@build_options
def simulate(
    specs: tuple[str, ...],
    outputs: tuple[Output, ...],
    changes: tuple[str, ...],
    content: str,
    caches: tuple[str, ...],
    show_all: bool,
    target: str | None,
    platform: str | None,
    buildkit: str | None,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Say what the next build of SPEC would load and run if something changed.

    SPEC is the export of the build as it is today. Nothing is built: what BuildKit would find in the cache follows
    from the keys.
    """
    build, read = read_build(specs, how, platform)
    code = read.exit_code
    others = None
    if caches:
        found = read_caches(caches, {**how, "files": ()})
        others, code = found.graph, max(code, found.exit_code)
    if not build.graphs:
        sys.exit(code)
    answer = work_out(build, changes, caches=others, target=target, content=content, buildkit=buildkit)  # type: ignore[arg-type]
    touched = {step.record for step in answer.caused} | set(answer.changes)
    for output in outputs:
        if output.format == "json":
            write(json_text(_json(answer)), output)
            continue
        rows = step_rows(answer)
        kept = rows if show_all else [row for row in rows if row["record"] in touched]
        if output.format == "table":
            left = len(rows) - len(kept)
            note = f" {plural(left, 'step')} as today: --all lists {'it' if left == 1 else 'them'}." if left else ""
            shown = ("outcome", "record", "name", "reason")
            write_rows([_short(row) for row in kept], shown, output, title=f"{capital(answer.summary)}.{note}")
        else:
            write_rows(kept, STEP_COLUMNS, output)
    sys.exit(code)


def _short(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "name": row["name"] or row["digest"][:19]}


def _json(answer: Simulation) -> dict[str, Any]:
    caused = {step.record for step in answer.caused}
    made = prediction_json(answer)
    made["steps"] = [{**step, "caused": step["record"] in caused} for step in made["steps"]]
    return {**made, "changes": list(answer.changes)}
