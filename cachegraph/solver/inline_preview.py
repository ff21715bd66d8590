"""What inline export would keep of a full export, and what it would lose.

An image with inline cache has no layers but its own. So a result survives if its layers are the image's first ones, or
if all of them are somewhere in the image; every other result is gone, and its step runs again in each build. Inline
export is also a ``mode=min`` export: it takes the results whose blobs were made for the image, and none is made for a
stage that the image only copies files from, even where the copy happens to be the same blob.

Source: BuildKit ``cache/remotecache/inline/inline.go`` (``ExportForLayers``), ``solver/exporter.go`` (``ExportTo``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.solver.rows import Rows
from cachegraph.solver.single import Graphs, single
from cachegraph.text.words import plural, size_text

__all__ = ["InlinePreview", "InlineResult", "inline_preview"]

Kept = Literal["layers", "chains", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineResult:
    """What becomes of one result.

    Attributes
    ----------
    record : int
        Index in the full export.
    digest, name : str
        Of the record; the name is empty where nobody knows it.
    kept : {"layers", "chains", "lost"}
        As the image's first layers, as a list of its layers, or not at all.
    layers : tuple of int
        Positions in the image; empty for a lost result.
    outside : tuple of str
        Blobs of the result that are not in the image.
    bytes : int or None
        Size of the result's blobs; None where the export does not say.
    """

    record: int
    digest: str
    name: str
    kept: Kept
    layers: tuple[int, ...]
    outside: tuple[str, ...]
    bytes: int | None


class InlinePreview(Rows[InlineResult]):
    """What becomes of every loadable result, by record."""

    row = InlineResult

    def __init__(self, results: Iterable[InlineResult]) -> None:
        super().__init__(results)

    @property
    def lost(self) -> tuple[InlineResult, ...]:
        """The results that inline export would lose."""
        return tuple(row for row in self if row.kept == "lost")

    @property
    def summary(self) -> str:
        """The answer in a line."""
        counts = {kept: sum(row.kept == kept for row in self) for kept in ("layers", "chains", "lost")}
        kept = f"Inline export keeps {counts['layers'] + counts['chains']} of {plural(len(self), 'result')}"
        how = f"({counts['layers']} as layers, {counts['chains']} as chains)"
        if not counts["lost"]:
            return f"{kept} {how}."
        sizes = [row.bytes for row in self.lost]
        size = None if None in sizes else sum(size or 0 for size in sizes)
        return (
            f"{kept} {how} and loses {counts['lost']} ({size_text(size)}): such a step runs again whenever one that "
            "needs it does. Export with mode=max to a cache of its own to keep them."
        )


def inline_preview(full: Graphs, layers: Sequence[str]) -> InlinePreview:
    """Say what inline export would keep of a full export.

    Parameters
    ----------
    full : ExportGraph, or a graph of one export
        Exported with ``mode=max``.
    layers : sequence of str
        Blob digests of the image's layers, bottom first; a diff ID stands for the blob that has it.

    Returns
    -------
    InlinePreview

    Raises
    ------
    cachegraph.errors.UsageError
        Not one export.
    """
    graph = single(full, "the full export")
    blob_of = {blob.diff_id: blob.digest for blob in reversed(graph.export.blobs or ()) if blob.diff_id}
    known = {layer.blob for layer in graph.export.config.layers}
    image = tuple(layer if layer in known else blob_of.get(layer, layer) for layer in layers)
    position = {blob: index for index, blob in enumerate(image)}
    made = _made_for(graph, image)
    return InlinePreview(
        [_row(graph, record, image, position, made) for record in range(len(graph)) if graph.loadable[record]]
    )


def _made_for(graph: ExportGraph, image: tuple[str, ...]) -> Collection[int]:
    """Find the records whose blobs are made when the image is: those that its last step stands on.

    A slot that is found by content as well gives files, not layers.
    """
    final = [
        record
        for record in range(len(graph))
        if any(graph.result_blobs(result) == image for result in graph.loadable_results(record))
    ]
    if not final:  # another image than this build's: then it is not known which blobs were made
        return range(len(graph))
    found = dict.fromkeys(final)
    waiting = list(found)
    for record in waiting:  # grows while it is walked
        for slot in graph.export.config.records[record].inputs:
            links = [a.link for a in slot if 0 <= a.link < len(graph)]
            if any(graph.is_root(link) for link in links):
                continue
            for link in links:
                if link not in found:
                    found[link] = None
                    waiting.append(link)
    return found


def _row(
    graph: ExportGraph, record: int, image: tuple[str, ...], position: Mapping[str, int], made: Collection[int]
) -> InlineResult:
    """Say what becomes of a record's result: of several, of the newest that survives."""
    judged: list[tuple[bool, int, int]] = []
    kinds: dict[int, Kept] = {}
    for result in graph.loadable_results(record):
        kinds[result] = _kept(graph.result_blobs(result), image, position) if record in made else "lost"
        judged.append((kinds[result] != "lost", int(graph.result_times[result]), -result))
    best = -max(judged)[2]
    blobs = graph.result_blobs(best)
    places = {"layers": range(len(blobs)), "chains": map(position.get, blobs), "lost": ()}
    sizes = [graph.sizes.get(blob) for blob in dict.fromkeys(blobs)]
    return InlineResult(
        record=record,
        digest=graph.export.config.records[record].digest,
        name=graph.naming(record).name,
        kept=kinds[best],
        layers=tuple(place for place in places[kinds[best]] if place is not None),
        outside=tuple(dict.fromkeys(blob for blob in blobs if blob not in position)),
        bytes=None if None in sizes else sum(size or 0 for size in sizes),
    )


def _kept(blobs: tuple[str, ...], image: tuple[str, ...], position: Mapping[str, int]) -> Kept:
    if blobs == image[: len(blobs)]:
        return "layers"
    return "chains" if all(blob in position for blob in blobs) else "lost"
