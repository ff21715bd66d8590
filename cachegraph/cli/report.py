"""``cachegraph report``: one page that can be kept, sent and printed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cachegraph.cli.options import source_options
from cachegraph.cli.output import Output, say, write
from cachegraph.cli.reading import loader_options, read_specs
from cachegraph.core.progress import quiet
from cachegraph.errors import CacheGraphError, UsageError
from cachegraph.loaders.limits import parse_limits
from cachegraph.text.clean import one_line
from cachegraph.text.words import plural, size_text

if TYPE_CHECKING:
    from cachegraph.cli.naming import Known
    from cachegraph.cli.reading import Read
    from cachegraph.core.graph import ExportGraph
    from cachegraph.loaders.base import Options
    from cachegraph.solver.history_rows import History
    from cachegraph.views.html.report import Compared, Setting

__all__ = ["report"]

_HISTORY = 60


@click.command(
    epilog="\b\nExamples:\n  cachegraph report ./cache -o report.html\n"
    "  cachegraph report app:cache --names . --compare app:old -o report.html\n"
    "  cachegraph report ./cache --compare ./cache^1 -o report.html\n"
    "  cachegraph report --from-file .github/workflows/build.yml -o report.html"
)
@source_options
@click.option("--compare", "old", metavar="OLD", help="An older export to compare with; ./cache^1 is the one before.")
@click.option(
    "--output",
    "-o",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; without, the page goes to standard output.",
)
def report(specs: tuple[str, ...], old: str | None, path: Path | None, **how: Any) -> None:  # noqa: ANN401 - values of source_options
    """Write a page about every export that the SPECs name: what it is worth, why, and what to do.

    The page is one file. It holds a drawing to search and click, the steps, their bytes, what a change of each costs,
    and what changed since OLD. It asks no server for anything, so it can be kept, sent and opened anywhere.
    """
    from cachegraph.views.html.report import Export, Unread
    from cachegraph.views.html.report import report as made

    if path is None and sys.stdout.isatty():
        raise click.UsageError("a page is nothing for a terminal: give -o report.html")
    read = read_specs(specs, how)
    options = loader_options(how, quiet)
    before = None if old is None else _older(old, read, options)
    findings = read.graph.check()
    own = findings.by_export()
    verdicts = read.graph.verdict(findings)
    exports = []
    for graph, verdict in zip(read.graph, verdicts, strict=True):
        found = own.get(graph.id)
        exports.append(
            Export(
                graph=graph,
                verdict=verdict,
                findings=() if found is None else found.worst_first(),
                history=_history(specs, options, read.known) if len(specs) == 1 and len(verdicts) == 1 else None,
                compared=None if before is None else _compared(before, graph, read.known),
            )
        )
    unread = [Unread(spec=bad.spec, message=bad.error.message, hint=bad.error.hint) for bad in read.failures]
    page = made(exports, unread, _settings(how), now=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    write(page, Output(format="html", path=path))
    if path is not None:
        failed = f", {plural(len(unread), 'source')} could not be read" if unread else ""
        say(f"{path}: {plural(len(exports), 'export')}{failed}, {size_text(len(page.encode()))}")
    sys.exit(read.exit_code)


def _settings(how: Mapping[str, Any]) -> list[Setting]:
    """Ask the rules of ``lint`` about the files that name the caches."""
    from cachegraph.cli.alongside import lint_files
    from cachegraph.views.html.report import Setting

    found = lint_files(how["files"], parse_limits(how["limits"]), "never")
    told = [] if found is None else [(entry, entry.places[0]) for entry in found.to_report().worst_first()]
    return [
        Setting(
            place=one_line(f"{place.file}:{place.line}" if place.line else place.file),
            severity=entry.severity,
            code=entry.code,
            message=one_line(entry.message),
        )
        for entry, place in told
    ]


def _older(spec: str, read: Read, options: Options) -> ExportGraph:
    from cachegraph.cli.sides import read_exports

    graph = read.graph
    if len(graph.graphs) != 1:
        raise UsageError(
            f"--compare takes one export beside OLD, {plural(len(graph.graphs), 'export')} were read",
            hint="name one tag or platform",
        )
    found = read.known.graphs(read_exports(spec, options))
    platform = graph.graphs[0].export.platform
    fitting = [one for one in found if one.export.platform == platform] if len(found) > 1 else found
    if len(fitting) != 1:
        raise UsageError(f"--compare {spec}: {plural(len(found), 'export')}", hint="name one tag or platform")
    return fitting[0]


def _compared(old: ExportGraph, new: ExportGraph, known: Known) -> Compared:
    from cachegraph.solver.diff import diff
    from cachegraph.solver.explain import explain
    from cachegraph.views.html.report import Compared

    try:
        explanation = explain([new], [[old]], texts=known.plaintexts, references=known.references)
    except CacheGraphError:  # what differs can be told all the same
        explanation = None
    return Compared(old=old, diff=diff(old, new), explanation=explanation)


def _history(specs: tuple[str, ...], options: Options, known: Known) -> History | None:
    """Read the earlier exports of a cache, where its store has them."""
    from cachegraph.loaders.previous import versions
    from cachegraph.solver.history import history

    try:
        found = versions(specs[0], options)
    except CacheGraphError:  # the export itself was read; without history the rest of the page stands
        return None
    if len(found) < 2:
        return None
    return history(known.graphs(found[-_HISTORY:]), texts=known.plaintexts, references=known.references)
