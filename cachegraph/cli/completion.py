"""``cachegraph completion``: shell completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cachegraph.cli.output import TEXT, write

__all__ = ["completion"]


@click.command(epilog="\b\nExample:\n  cachegraph completion bash >> ~/.bashrc")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes SHELL complete commands, options and names."""
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    write(made(ctx.find_root().command, {}, "cachegraph", "_CACHEGRAPH_COMPLETE").source(), TEXT)
