"""``cachegraph load``: exports into Neo4j, in batches, never half-loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from cachegraph.cli.app import complain
from cachegraph.cli.formats import output_options
from cachegraph.cli.options import neo4j_options, open_store, source_options, split_neo4j
from cachegraph.cli.output import Output, json_text, write
from cachegraph.cli.progress import progress
from cachegraph.cli.reading import exit_code, loader_options, named_specs, read_names
from cachegraph.core.graph import ExportGraph
from cachegraph.loaders import catalogue, several
from cachegraph.loaders.base import Options, Spec
from cachegraph.text.words import plural

__all__ = ["load"]


@click.command(
    epilog="\b\nExamples:\n  cachegraph neo4j up && cachegraph load ./cache --neo4j\n"
    "  cachegraph load --all-tags registry.example.com/app --neo4j neo4j://db.example.com"
)
@source_options
@neo4j_options
@click.option("--replace", is_flag=True, help="Remove earlier exports of the same sources, instead of keeping them.")
@output_options(only=("table", "json"))
def load(
    specs: tuple[str, ...],
    neo4j: str | None,
    database: str | None,
    outputs: tuple[Output, ...],
    *,
    replace: bool,
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Load every export that the SPECs name into Neo4j.

    What is there already is skipped after one look; a load that was interrupted starts again from the beginning.
    Credentials come from NEO4J_USERNAME and NEO4J_PASSWORD; without NEO4J_URI, the server that `cachegraph neo4j up`
    started is used.
    """
    specs, uri = split_neo4j(specs, neo4j)
    every = named_specs(specs, how)
    failures: list[catalogue.Failure] = []
    with open_store(uri, database) as store, progress() as report:
        options = loader_options(how, report)
        done = store.write(_graphs(every, options, how, failures), replace=replace, report=report)
    failures += [catalogue.Failure(spec=failure.source, error=failure.error) for failure in done.failed]
    counts = {
        "created": done.created,
        "unchanged": done.unchanged,
        "superseded": done.superseded,
        "removed": done.removed,
        "failed": len(failures),
        "rows": done.rows,
        "seconds": round(done.seconds, 3),
    }
    rate = f", {done.rows / done.seconds:,.0f} rows a second" if done.rows and done.seconds else ""
    removed = f" ({done.removed:,} removed)" if done.removed else ""
    words = (
        f"{plural(done.created, 'export')} created, {done.unchanged:,} unchanged, {done.superseded:,} superseded"
        f"{removed}, {len(failures):,} failed; {plural(done.rows, 'row')} in {done.seconds:.1f} s{rate}."
    )
    for output in outputs:
        write(json_text(counts) if output.format == "json" else words, output)
    for failure in failures:
        complain(failure.error, failure.spec)
    sys.exit(exit_code(failures, any_read=bool(done.created + done.unchanged)))


def _graphs(
    specs: list[str | Spec], options: Options, how: dict[str, Any], failures: list[catalogue.Failure]
) -> Iterator[ExportGraph]:
    """Read the exports one by one, so that memory holds only the few that are ahead."""
    names, nameless = read_names(how["names"], options)
    failures += nameless
    for part in several.read_each(specs, options):
        failures += part.failures
        for export in part.exports:
            yield ExportGraph(export, names)
