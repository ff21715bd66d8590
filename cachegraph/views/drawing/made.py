"""What an image's own history says of the records of its inline cache: which instruction made which layer."""

from __future__ import annotations

from cachegraph.core.graph import ExportGraph
from cachegraph.schema.records import lost_roots
from cachegraph.text.clean import one_line

__all__ = ["made_by"]

_MOST = 200


def made_by(graph: ExportGraph) -> dict[int, str]:
    """Say for records without a name which instruction made the layers that they add.

    Parameters
    ----------
    graph : ExportGraph

    Returns
    -------
    dict of int to str
        By record, on one line; empty where the export is no image, or the image has no history.
    """
    history = [said or "" for _, said in graph.export.layer_history]
    if not any(history):
        return {}
    layers: list[list[int]] = []
    for record in range(len(graph)):
        newest = graph.newest_result(record)
        layers.append([] if newest is None else graph.result_layers(newest))
    found: dict[int, str] = {}
    for record, own in enumerate(layers):
        below = {layer for link in graph.links.inputs[record] for layer in layers[link]}
        said = [history[layer] for layer in own if layer not in below and layer < len(history) and history[layer]]
        if said and not graph.naming(record).name:
            found[record] = _tidied(said[-1])
    for record, lost in lost_roots(graph).items():
        merged = layers[lost.merge]
        places = [merged[place] for place in lost.layers or () if place < len(merged)]
        said = [history[layer] for layer in places if layer < len(history) and history[layer]]
        if said and not graph.naming(record).name:
            found[record] = _tidied(said[-1])
    return found


def _tidied(said: str) -> str:
    """Leave out what BuildKit puts around the instruction."""
    text = " ".join(one_line(said[: 4 * _MOST]).split()).removesuffix(" # buildkit")
    for start in ("RUN /bin/sh -c ", "mount / from exec /bin/sh -c ", "mount / from exec "):
        if text.startswith(start):
            text = f"RUN {text.removeprefix(start)}"
    return text[:_MOST]
