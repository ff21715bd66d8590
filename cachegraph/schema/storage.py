"""Facts about an export's blobs and their store: its type, their age, and what one that fails does to a build."""

from __future__ import annotations

from cachegraph.core.graph import ExportGraph
from cachegraph.core.results import State
from cachegraph.core.times import UNKNOWN, known, known_times

__all__ = ["PANIC", "breaks_builds", "compressions", "newest_at", "store_type"]

PANIC = "panic: "
"""How a refusal begins that ends buildkitd, and every build that runs on it."""

_BREAKS_LOST = frozenset({"registry", "s3"})
_BREAKS_DAMAGED = frozenset({"registry", "s3", "azblob"})
"""Stores from which a result is loaded too late to run its step instead."""

_FALLS_BACK = frozenset({"no-diff-id"})
"""Faults that BuildKit notices before it loads anything, so that the step runs."""


def store_type(graph: ExportGraph) -> str:
    """Name the type of the store that holds the blobs: for an inline cache that of its image.

    Parameters
    ----------
    graph : ExportGraph
    """
    export = graph.export
    if export.kind != "inline":
        return export.kind
    return export.source.partition(",")[0].removeprefix("type=") if export.source.startswith("type=") else "registry"


def newest_at(graph: ExportGraph) -> int | None:
    """Say when the newest result was made.

    Parameters
    ----------
    graph : ExportGraph

    Returns
    -------
    int or None
        Nanoseconds since 1970 UTC. Chains of an inline cache carry no time, so where no result does, the image's
        newest layer counts; None where nothing tells.
    """
    times = [time for time in map(known, graph.result_times) if time is not None]
    if not times:
        times = [time for time in known_times(at for at, _ in graph.export.layer_history) if time is not None]
    newest = max(times, default=UNKNOWN)
    return None if newest == UNKNOWN else newest


def compressions(graph: ExportGraph) -> list[str]:
    """Name the ways in which the listed blobs are compressed, by their media types.

    Parameters
    ----------
    graph : ExportGraph
    """
    types = {blob.media_type for blob in graph.export.blobs or () if blob.media_type}
    return sorted({_compression(media_type) for media_type in types} - {""})


def _compression(media_type: str) -> str:
    for suffix, name in (("gzip", "gzip"), ("zstd", "zstd"), ("tar", "none")):
        if media_type.endswith(suffix):
            return name
    return ""


def breaks_builds(graph: ExportGraph) -> bool:
    """Tell whether a build fails that needs a blob which the store lacks or has damaged.

    A registry's and S3's blobs are fetched when a step already counts as cached. From a directory they are read at
    once, and what cannot be read runs. An image without history ends buildkitd itself.

    Parameters
    ----------
    graph : ExportGraph
    """
    if graph.import_error is not None:
        return graph.import_error.startswith(PANIC)
    store, states = store_type(graph), set(graph.resolved.result)
    if store in _BREAKS_LOST and State.BLOB_MISSING in states:
        return True
    if store not in _BREAKS_DAMAGED or State.BLOB_DAMAGED not in states:
        return False
    damaged = {blob for blob, fault in graph.faults.items() if fault not in _FALLS_BACK}
    return any(
        damaged.intersection(graph.result_blobs(result))
        for result, state in enumerate(graph.resolved.result)
        if state == State.BLOB_DAMAGED
    )
