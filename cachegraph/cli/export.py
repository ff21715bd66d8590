"""``cachegraph export``: the graph for other programs."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from cachegraph.cli.formats import output_options
from cachegraph.cli.options import source_options
from cachegraph.cli.output import Output
from cachegraph.cli.reading import read_specs
from cachegraph.views.files import WRITERS

__all__ = ["export"]


@click.command(
    epilog="\b\nExamples:\n  cachegraph export ./cache --format graphml --output cache.graphml\n"
    "  cachegraph export ./cache --format dot | dot -Tsvg > cache.svg"
)
@source_options
@output_options(only=tuple(WRITERS), default=None)
def export(specs: tuple[str, ...], outputs: tuple[Output, ...], **how: Any) -> None:  # noqa: ANN401 - values of source_options
    """Write every export that the SPECs name as one graph, with the labels and properties of the schema.

    GraphML is for Gephi and yEd, DOT for Graphviz; JSON holds nodes and relationships, Parquet is a folder of tables.
    """
    if any(output.format == "parquet" and output.path is None for output in outputs):
        raise click.UsageError("parquet is a folder of tables: name it with --output")
    read = read_specs(specs, how)
    for output in outputs if read.graph.graphs else ():
        with tempfile.TemporaryDirectory() as folder:
            path = output.path or Path(folder) / "graph"
            WRITERS[output.format](read.graph.graphs, path)
            if output.path is None:
                with path.open(encoding="utf-8") as file:
                    shutil.copyfileobj(file, sys.stdout)
    sys.exit(read.exit_code)
