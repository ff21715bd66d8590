"""``cachegraph neo4j schema|contents|prune|forget``: what is in a Neo4j, whoever runs it."""

from __future__ import annotations

import click

from cachegraph.cli.formats import output_options
from cachegraph.cli.options import neo4j_options, not_with, open_store
from cachegraph.cli.output import TEXT, Output, write, write_rows
from cachegraph.cli.progress import progress
from cachegraph.text.clean import one_line, plain
from cachegraph.text.words import plural

__all__ = ["contents", "forget", "prune", "schema"]


@click.command(epilog="\b\nExamples:\n  cachegraph neo4j schema\n  cachegraph neo4j schema --print > schema.cypher")
@click.option("--print", "only_print", is_flag=True, help="Print the statements instead of running them.")
@neo4j_options
def schema(neo4j: str | None, database: str | None, *, only_print: bool) -> None:
    """Create the constraints and indexes that are not there; `load` does so by itself."""
    if only_print:
        not_with({"neo4j": "--neo4j", "database": "--database"}, "--print asks no server", "Leave it out.")
        from cachegraph.stores.neo4j.statements import schema as statements

        for _, statement in statements():
            write(f"{statement};", TEXT)
        return
    with open_store(neo4j or None, database) as store:
        missing = store.status().missing_schema
        store.ensure_schema()
    write(f"{len(missing)} created." if missing else "All constraints and indexes are there.", TEXT)


@click.command(epilog="\b\nExample:\n  cachegraph neo4j contents --history --format json")
@click.option("--history", is_flag=True, help="List superseded exports too.")
@neo4j_options
@output_options()
def contents(neo4j: str | None, database: str | None, outputs: tuple[Output, ...], *, history: bool) -> None:
    """List the exports that a Neo4j holds."""
    with open_store(neo4j or None, database) as store:
        rows = [
            {
                "source": export.source,
                "platform": export.platform,
                "records": export.records,
                "layers": export.layers,
                "importable": export.importable,
                "current": export.current,
                "loaded_at": export.loaded_at,
                "id": export.id,
            }
            for export in store.exports(history=history)
        ]
        status = store.status()
    columns = ["source", "platform", "records", "layers", "importable", "current", "loaded_at", "id"]
    nodes = ", ".join(f"{count:,} {label}" for label, count in status.nodes.items())
    about = f"{status.server} at {status.place}, database {status.database}: {nodes}."
    if status.loading or status.abandoned:
        about += f" {status.loading} being loaded, {status.abandoned} left behind by loads that died."
    for output in outputs:
        shown = [column for column in columns if column != "id"] if output.format == "table" else columns
        write_rows(rows, shown, output, title=about)


@click.command(epilog="\b\nExample:\n  cachegraph neo4j prune --keep 7 --dry-run")
@click.option(
    "--keep", type=click.IntRange(min=1), default=1, show_default=True, help="How many to keep of each source."
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@neo4j_options
def prune(keep: int, neo4j: str | None, database: str | None, *, dry_run: bool) -> None:
    """Remove superseded exports beyond the newest ones of each source, and what loads that died left behind."""
    with open_store(neo4j or None, database) as store, progress() as report:
        done = store.prune(keep, dry_run=dry_run, report=report)
    for export in done.exports:
        name = one_line(f"{export.source} {export.platform or ''}").rstrip()
        write(plain(f"{name}  loaded {export.loaded_at}"), TEXT)
    would = "would be removed" if dry_run else "removed"
    write(f"{plural(len(done.exports), 'export')} {would}, and the remains of {plural(done.abandoned, 'load')}.", TEXT)


@click.command(epilog="\b\nExample:\n  cachegraph neo4j forget type=registry,ref=registry.example.com/app:pr-17")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@neo4j_options
def forget(sources: tuple[str, ...], neo4j: str | None, database: str | None) -> None:
    """Remove every export of the SOURCEs, as `contents` lists them: they are gone, or of no interest any more."""
    with open_store(neo4j or None, database) as store:
        for source in sources:
            write(plain(one_line(f"{source}: {plural(store.forget(source), 'export')} removed.")), TEXT)
