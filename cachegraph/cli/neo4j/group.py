"""``cachegraph neo4j``: a Neo4j of the user's own, and what is in it."""

from __future__ import annotations

import click

from cachegraph.cli.app import LazyGroup

__all__ = ["COMMANDS", "neo4j"]

COMMANDS = {
    "up": ("cachegraph.cli.neo4j.server:up", "Start a Neo4j of your own; the first time, download it."),
    "down": ("cachegraph.cli.neo4j.server:down", "Stop it; its data stays."),
    "status": ("cachegraph.cli.neo4j.server:status", "Show whether it runs, and where everything is."),
    "contents": ("cachegraph.cli.neo4j.stored:contents", "List the exports that a Neo4j holds."),
    "schema": ("cachegraph.cli.neo4j.stored:schema", "Create constraints and indexes."),
    "prune": ("cachegraph.cli.neo4j.stored:prune", "Remove superseded exports."),
    "forget": ("cachegraph.cli.neo4j.stored:forget", "Remove every export of a source."),
    "logs": ("cachegraph.cli.neo4j.server:logs", "Show the end of its log."),
}
"""Command name to where it is defined, and its line in the help."""


@click.group(
    cls=LazyGroup,
    headings={"Commands": COMMANDS},
    epilog="\b\nExample:\n  cachegraph neo4j up && cachegraph load ./cache --neo4j",
)
def neo4j() -> None:
    """Run a Neo4j of your own (no Docker, no Java needed), and look after what is in it."""
