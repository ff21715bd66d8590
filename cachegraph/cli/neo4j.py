"""``cachegraph neo4j``: a Neo4j of the user's own, and what is in it."""

from __future__ import annotations

import click

from cachegraph.cli.app import LazyGroup

__all__ = ["COMMANDS", "neo4j"]

COMMANDS = {
    "up": ("cachegraph.cli.server:up", "Start a Neo4j of your own; the first time, download it."),
    "down": ("cachegraph.cli.server:down", "Stop it; its data stays."),
    "status": ("cachegraph.cli.server:status", "Show whether it runs, and where everything lies."),
    "contents": ("cachegraph.cli.stored:contents", "List the exports that a Neo4j holds."),
    "schema": ("cachegraph.cli.stored:schema", "Create constraints and indexes."),
    "prune": ("cachegraph.cli.stored:prune", "Remove superseded exports."),
    "forget": ("cachegraph.cli.stored:forget", "Remove every export of a source."),
    "logs": ("cachegraph.cli.server:logs", "Show the end of its log."),
}
"""Command name to where it is defined, and its line in the help."""


@click.group(
    cls=LazyGroup,
    homes=COMMANDS,
    epilog="\b\nExample:\n  cachegraph neo4j up && cachegraph load ./cache --neo4j",
)
def neo4j() -> None:
    """Run a Neo4j of your own (no Docker, no Java needed), and look after what is in it."""
