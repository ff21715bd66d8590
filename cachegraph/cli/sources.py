"""``cachegraph sources``: what each of several caches brings a build."""

from __future__ import annotations

import sys
from typing import Any

import click

from cachegraph.cli.builds import build_options, read_build, read_caches
from cachegraph.cli.formats import output_options
from cachegraph.cli.options import source_options, takes
from cachegraph.cli.output import Output, json_text, write, write_rows
from cachegraph.solver.rows import as_json
from cachegraph.solver.sources import Sources, SourceShare
from cachegraph.solver.sources import sources as work_out
from cachegraph.solver.words import source_cells

__all__ = ["sources"]

_SHOWN = ("rank", "steps saved alone", "loads", "only here", "can hide", "cache")


@click.command(
    epilog="\b\nExamples:\n  cachegraph sources ./cache-branch ./cache-branch ./cache-main\n"
    "  cachegraph sources app:now app:main app:nightly --format markdown"
)
@takes("BUILD CACHE...")
@source_options
@output_options()
@build_options
def sources(
    specs: tuple[str, ...],
    outputs: tuple[Output, ...],
    target: str | None,
    platform: str | None,
    buildkit: str | None,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Compare caches for a build: BUILD is an export of the build, each CACHE one that it could import.

    More caches can give fewer hits: which of them answers first is a race, and one that holds a key without a result
    can hide another that has it.
    """
    if len(specs) + len(how["files"]) < 2:
        raise click.UsageError("give an export of the build, then the caches to compare")
    alone = {**how, "files": (), "all_tags": False, "tags": None}
    build, read = read_build(specs[:1], alone, platform)
    caches = read_caches(specs[1:], how)
    code = max(read.exit_code, caches.exit_code)
    if not build.graphs or not caches.graph.graphs:
        sys.exit(code)
    answer = work_out(build, caches.graph, target=target, buildkit=buildkit)
    for output in outputs:
        if output.format == "json":
            write(json_text(_json(answer)), output)
        elif output.format == "table":
            rows = [dict(zip(_SHOWN, source_cells(row), strict=True)) for row in answer]
            write_rows(rows, _SHOWN, output, title=f"{answer.summary}.")
        else:
            write_rows(answer.to_dicts(), SourceShare.__slots__, output)
    sys.exit(code)


def _json(answer: Sources) -> dict[str, Any]:
    return {
        "summary": answer.summary,
        "advice": answer.advice or None,
        "best": answer.best,
        "order": list(answer.order),
        "steps": answer.steps,
        "together": {"best": as_json(answer.together.best), "worst": as_json(answer.together.worst)},
        "caches": answer.to_dicts(),
        "collisions": as_json(answer.collisions),
    }
