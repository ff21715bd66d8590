"""``cachegraph inline-preview``: what inline export would keep of a full export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from cachegraph.cli.formats import output_options
from cachegraph.cli.naming import known_names
from cachegraph.cli.options import source_options, takes
from cachegraph.cli.output import Output
from cachegraph.cli.sides import count, options_of, read_exports, write_answer
from cachegraph.errors import UsageError
from cachegraph.loaders.base import Options
from cachegraph.solver.inline_preview import inline_preview as preview
from cachegraph.text.words import plural, size_text

__all__ = ["inline_preview"]

_TABLE = ("record", "name", "digest", "kept", "not in the image", "size")
_COLUMNS = ("record", "name", "digest", "kept", "layers", "outside", "bytes")


@click.command(
    epilog="\b\nExamples:\n  cachegraph inline-preview ./cache --image app:latest\n"
    "  cachegraph inline-preview ./cache --layers sha256:7562..,sha256:745a.."
)
@takes("SPEC")
@source_options
@click.option("--image", metavar="IMAGE", help="The image that was built with it: its layers count.")
@click.option("--platform", metavar="OS/ARCH", help="With --image of several platforms: which one.")
@click.option("--layers", metavar="DIGESTS", help="The image's layers instead, bottom first, between commas.")
@output_options()
def inline_preview(
    specs: tuple[str, ...],
    image: str | None,
    platform: str | None,
    layers: str | None,
    outputs: tuple[Output, ...],
    **how: Any,  # noqa: ANN401 - values of source_options
) -> None:
    """Say which results of the full export SPEC inline cache would keep in an image, and which it would lose."""
    count(specs, how, (1,), "one SPEC, and --image or --layers")
    if (image is None) == (layers is None):
        raise click.UsageError("give either --image or --layers")
    with options_of(how) as options:
        digests = layers.split(",") if layers is not None else _layers(image or "", platform, options)
        exports = read_exports(specs[0], options)
        known = known_names(how, options, exports)
    found = preview(known.graphs(exports), digests)
    rows = found.to_dicts()
    for output in outputs:
        answer = {"summary": found.summary, "image": digests, "results": rows}
        write_answer(answer, rows, _COLUMNS, found.summary, output, shown=(_short(rows), _TABLE))


def _short(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Make the results fit a line: what is kept, and how many of a result's layers the image lacks."""
    return [
        {
            **row,
            "kept": "lost" if row["kept"] == "lost" else f"as {row['kept']}",
            "not in the image": plural(len(row["outside"]), "layer") if row["outside"] else "",
            "size": "" if row["bytes"] is None else size_text(row["bytes"]),
        }
        for row in rows
    ]


def _layers(image: str, platform: str | None, options: Options) -> list[str]:
    """Read the layers of an image, with or without inline cache."""
    from cachegraph.loaders.image_layers import image_layers

    found = image_layers(image, options)
    if platform is not None:
        found = {key: value for key, value in found.items() if key == platform}
    if len(found) != 1:
        names = ", ".join(sorted(found)) or "none of that platform"
        raise UsageError(f"{image}: it must be one image, there are {names}", hint="choose with --platform")
    return list(next(iter(found.values())))
