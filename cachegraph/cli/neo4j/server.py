"""``cachegraph neo4j up|down|status|logs``: a Neo4j of the user's own."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cachegraph import server
from cachegraph.cli.formats import output_options
from cachegraph.cli.output import TEXT, Output, json_text, write
from cachegraph.cli.progress import progress
from cachegraph.server.config import VERSIONS
from cachegraph.server.space import RESERVE
from cachegraph.text.clean import one_line, plain
from cachegraph.text.words import size_text

__all__ = ["down", "logs", "status", "up"]

_home = click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="Directory of its data, instead of one in the user's data directory.",
)


@click.command(
    epilog="\b\nExamples:\n  cachegraph neo4j up\n  cachegraph neo4j up --browser --set server.memory.heap.max_size=4g"
)
@click.option("--version", type=click.Choice(VERSIONS), help="Which Neo4j; by default the one the data is of.")
@click.option("--browser", is_flag=True, help="Serve Neo4j Browser too.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port for Bolt; by default 7687, or any that is free.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A line for neo4j.conf; may be repeated.")
@_home
def up(version: str | None, port: int | None, settings: tuple[str, ...], home: Path | None, *, browser: bool) -> None:
    """Start a Neo4j of your own, on this machine only; the first time, download it (about 150 MB)."""
    pairs = [setting.partition("=") for setting in settings]
    if wrong := [key for key, equals, _ in pairs if not equals]:
        raise click.BadParameter(f"{wrong[0]!r} is not KEY=VALUE", param_hint="--set")
    given = {key.strip(): value.strip() for key, _, value in pairs} or None
    with progress() as report:
        found = server.up(version, home=home, browser=browser, port=port, settings=given, report=report)
    lines = [f"Neo4j {found.version} is running at {found.uri}, user {found.username}."]
    if found.browser:
        lines.append(f"Neo4j Browser: {found.browser}")
    lines.append(f"Its password is in {found.home / 'password'}; cachegraph finds both by itself.")
    write(plain("\n".join(lines)), TEXT)


@click.command(epilog="\b\nExample:\n  cachegraph neo4j down")
@_home
def down(home: Path | None) -> None:
    """Stop the Neo4j of your own; its data stays."""
    write("Stopped." if server.down(home=home) else "It was not running.", TEXT)


@click.command(epilog="\b\nExample:\n  cachegraph neo4j status --format json")
@output_options(only=("table", "json"))
@_home
def status(outputs: tuple[Output, ...], home: Path | None) -> None:
    """Show whether your own Neo4j runs, and where everything is. Exits with 1 unless it answers."""
    found = server.status(home=home)
    here = found.running
    rows = {
        "running": here is not None,
        "answers": found.answers,
        "ailment": found.ailment,
        "crashed": found.crashed,
        "version": found.version,
        "uri": here.uri if here else None,
        "browser": here.browser if here else None,
        "pid": here.pid if here else None,
        "home": str(found.home),
        "downloads": str(found.cache),
        "data_bytes": found.data_bytes,
        "free_bytes": found.free_bytes,
        "memory_bytes": found.memory_bytes,
    }
    state = "running" if here else "ended without being told to" if found.crashed else "not running"
    if found.answers is False:
        state = "running, but its database does not answer,"
    lines = [
        f"Neo4j {found.version or '(none yet)'}: {state}{f' at {here.uri}' if here else ''}",
        f"data       {found.home} ({size_text(found.data_bytes)}{_room(found.free_bytes)})",
        f"downloads  {found.cache}",
    ]
    if here and here.browser:
        lines.append(f"browser    {here.browser}")
    if found.memory_bytes is not None:
        lines.append(f"memory     {size_text(found.memory_bytes)}")
    if found.ailment:
        lines.append(f"reason     {one_line(found.ailment)}")
    for output in outputs:
        write(json_text(rows) if output.format == "json" else plain("\n".join(lines)), output)
    sys.exit(0 if found.answers else 1)


def _room(free: int | None) -> str:
    if free is None:
        return ""
    return f", {size_text(free)} left on that disk{': too little to load' if free < RESERVE else ''}"


@click.command(epilog="\b\nExample:\n  cachegraph neo4j logs --lines 200")
@click.option("--lines", "-n", type=click.IntRange(min=1), default=50, show_default=True, help="How many lines.")
@_home
def logs(lines: int, home: Path | None) -> None:
    """Show the end of your own Neo4j's log."""
    write(plain("\n".join(server.logs(lines, home=home))), TEXT)
