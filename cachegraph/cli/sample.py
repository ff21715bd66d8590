"""``cachegraph sample``: real exports to try everything on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cachegraph.cli.completing import complete_names
from cachegraph.cli.formats import output_options
from cachegraph.cli.output import Output, write, write_rows
from cachegraph.sampledata.catalogue import SAMPLES, Sample, named

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["sample"]


def _name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    """Complete the name of a sample."""
    return complete_names((sample.name for sample in SAMPLES), incomplete)


@click.command(epilog="\b\nExamples:\n  cachegraph sample\n  cachegraph sample web-oci\n  cachegraph sample cold ./try")
@click.argument("name", required=False, shell_complete=_name)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@output_options()
def sample(name: str | None, folder: Path | None, outputs: tuple[Output, ...]) -> None:
    """Write the sample NAME into FOLDER (by default ./NAME): a real export, or a build to ask about.

    Without a NAME, list the samples. They come with the package: nothing is downloaded.
    """
    if name is None:
        rows = [{"sample": one.name, "shows": one.shows, "try": one.command.format(one.name)} for one in SAMPLES]
        for output in outputs:
            columns = ("sample", "shows") if output.format == "table" else tuple(rows[0])
            title = "cachegraph sample NAME writes one of these:" if output.is_terminal else ""
            write_rows(rows, columns, output, title=title)
        return
    from cachegraph.sampledata.taking import sample as take

    chosen = named(name)
    folder = take(name, folder or name)
    for output in outputs:
        if output.format == "table":
            write(f"{folder}: {chosen.shows}\nTry: {_command(chosen, folder)}", output)
        else:
            row = {"sample": name, "folder": str(folder), "try": _command(chosen, folder)}
            write_rows([row], tuple(row), output)


def _command(chosen: Sample, folder: Path) -> str:
    """Write the command to try first, as a shell takes it."""
    import shlex

    return chosen.command.format(shlex.quote(str(folder)))
