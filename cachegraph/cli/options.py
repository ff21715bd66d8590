"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from cachegraph.stores.neo4j import Neo4jStore

__all__ = [
    "FAIL_ON",
    "FORMATS",
    "fail_on_option",
    "format_option",
    "neo4j_options",
    "open_store",
    "source_options",
    "split_neo4j",
]

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("table", "json", "csv", "markdown")
FAIL_ON = ("error", "warning", "note", "never")


def format_option(*more: str) -> Callable[[F], F]:
    """Add ``--format``, with these formats beside the usual ones."""
    return click.option(
        "--format",
        "-f",
        "format_",
        type=click.Choice([*FORMATS, *more]),
        default="table",
        show_default=True,
        help="How to write the answer.",
    )


def fail_on_option(default: str) -> Callable[[F], F]:
    """Add ``--fail-on``."""
    return click.option(
        "--fail-on",
        type=click.Choice(FAIL_ON),
        default=default,
        show_default=True,
        help="Exit with 1 when a finding is at least this severe.",
    )


def source_options(command: F) -> F:
    """Add the specs, and how to read them."""
    seconds = click.FloatRange(min=0.1)
    decorators: list[Callable[[Any], Any]] = [
        click.argument("specs", nargs=-1, metavar="SPEC..."),
        click.option(
            "--from-file",
            "files",
            multiple=True,
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Read the cache entries of a bake file, compose file or workflow as well; may be repeated.",
        ),
        click.option("--probe", is_flag=True, help="Ask the store whether it has each listed blob."),
        click.option("--verify", is_flag=True, help="Read every blob of a directory and check its digest."),
        click.option(
            "--names",
            multiple=True,
            metavar="SOURCE",
            help="Names of records: cache-debug.db, a debug address, an image with provenance; may be repeated.",
        ),
        click.option("--all-tags", is_flag=True, help="Read every tag of a repository."),
        click.option("--tags", metavar="GLOB", help="Read the tags of a repository that match, such as 'cache-*'."),
        click.option(
            "--insecure-registry",
            multiple=True,
            metavar="HOST",
            help="Speak plain HTTP to this registry; may be repeated.",
        ),
        click.option("--timeout", type=seconds, default=30, show_default=True, help="Seconds for a request."),
        click.option(
            "--concurrency", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests at once."
        ),
    ]
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def neo4j_options(command: F) -> F:
    """Add ``--neo4j`` and ``--database``."""
    decorators: list[Callable[[Any], Any]] = [
        click.option(
            "--neo4j",
            is_flag=False,
            flag_value="",
            metavar="[URI]",
            help="The Neo4j server; without a URI, NEO4J_URI or the one that `cachegraph neo4j up` started.",
        ),
        click.option("--database", help="Database on the server; without, NEO4J_DATABASE or the user's own."),
    ]
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def split_neo4j(specs: tuple[str, ...], neo4j: str | None) -> tuple[tuple[str, ...], str | None]:
    """Tell a URI behind ``--neo4j`` from a spec that only happens to follow it."""
    if neo4j and "://" not in neo4j:
        return (neo4j, *specs), None
    return specs, neo4j or None


def open_store(uri: str | None, database: str | None) -> Neo4jStore:
    """Connect to the server that the options, the environment, or the user's own server name."""
    from cachegraph.stores.neo4j import Neo4jStore

    return Neo4jStore.connect(uri, database=database)
