"""``cachegraph neo4j schema|contents|prune|forget``: what is in a Neo4j, whoever runs it."""

from __future__ import annotations

import click

from cachegraph.cli.options import format_option, neo4j_options, open_store
from cachegraph.cli.output import print_rows
from cachegraph.cli.progress import progress
from cachegraph.text.words import plural

__all__ = ["contents", "forget", "prune", "schema"]


@click.command(epilog="\b\nExamples:\n  cachegraph neo4j schema\n  cachegraph neo4j schema --print > schema.cypher")
@click.option("--print", "only_print", is_flag=True, help="Print the statements instead of running them.")
@neo4j_options
def schema(neo4j: str | None, database: str | None, *, only_print: bool) -> None:
    """Create the constraints and indexes that are not there; `load` does so by itself."""
    if only_print:
        from cachegraph.stores.neo4j.statements import schema as statements

        for _, statement in statements():
            click.echo(f"{statement};")
        return
    with open_store(neo4j or None, database) as store:
        missing = store.status().missing_schema
        store.ensure_schema()
    click.echo(f"{len(missing)} created." if missing else "All constraints and indexes are there.")


@click.command(epilog="\b\nExample:\n  cachegraph neo4j contents --history --format json")
@click.option("--history", is_flag=True, help="List superseded exports too.")
@neo4j_options
@format_option()
def contents(neo4j: str | None, database: str | None, format_: str, *, history: bool) -> None:
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
    if format_ == "table":
        columns.remove("id")
        nodes = ", ".join(f"{count:,} {label}" for label, count in status.nodes.items())
        click.echo(f"{status.server} at {status.place}, database {status.database}: {nodes}.")
        if status.loading or status.abandoned:
            click.echo(f"{status.loading} being loaded, {status.abandoned} left behind by loads that died.")
    print_rows(rows, columns, format_)


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
        click.echo(f"{export.source} {export.platform or ''}".rstrip() + f"  loaded {export.loaded_at}")
    would = "would be removed" if dry_run else "removed"
    click.echo(f"{plural(len(done.exports), 'export')} {would}, and the remains of {plural(done.abandoned, 'load')}.")


@click.command(epilog="\b\nExample:\n  cachegraph neo4j forget type=registry,ref=registry.example.com/app:pr-17")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@neo4j_options
def forget(sources: tuple[str, ...], neo4j: str | None, database: str | None) -> None:
    """Remove every export of the SOURCEs, as `contents` lists them: they are gone, or of no interest any more."""
    with open_store(neo4j or None, database) as store:
        for source in sources:
            click.echo(f"{source}: {plural(store.forget(source), 'export')} removed.")
