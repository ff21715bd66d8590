"""``cachegraph export``: the graph for other programs."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from cachegraph.cli.options import source_options
from cachegraph.cli.reading import read_specs

__all__ = ["export"]


@click.command(
    epilog="\b\nExamples:\n  cachegraph export ./cache --format graphml --output cache.graphml\n"
    "  cachegraph export ./cache --format dot | dot -Tsvg > cache.svg"
)
@source_options
@click.option(
    "--format",
    "-f",
    "format_",
    type=click.Choice(["graphml", "dot", "json", "parquet"]),
    required=True,
    help="GraphML (Gephi, yEd), DOT (Graphviz), JSON (nodes and relationships), Parquet (a folder of tables).",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="File, or folder of Parquet tables. Without, text goes to standard output.",
)
def export(specs: tuple[str, ...], format_: str, output: Path | None, **how: Any) -> None:  # noqa: ANN401
    """Write every export that the SPECs name as one graph, with the labels and properties of the schema."""
    from cachegraph.views.files import WRITERS

    if output is None and format_ == "parquet":
        raise click.UsageError("parquet is a folder of tables: name it with --output")
    read = read_specs(specs, how)
    if read.graph.graphs:
        with tempfile.TemporaryDirectory() as folder:
            path = output or Path(folder) / "graph"
            WRITERS[format_](read.graph.graphs, path)
            if output is None:
                with path.open(encoding="utf-8") as file:
                    shutil.copyfileobj(file, sys.stdout)
    sys.exit(read.exit_code)
