"""Bytes by record, each blob once."""

from __future__ import annotations

from cachegraph.core.graph import ExportGraph

__all__ = ["added_bytes"]


def added_bytes(graph: ExportGraph) -> list[int | None]:
    """Give what each record adds to the bytes that a build can load: blobs that nothing before it has.

    Parameters
    ----------
    graph : ExportGraph

    Returns
    -------
    list of (int or None), length records
        None where there is no loadable result, or no size is known. The layers of a base image, which has no result of
        its own, count for the first step on it.
    """
    found: list[int | None] = [None] * len(graph)
    sizes, seen = graph.sizes, set[str]()
    left = sorted(set(range(len(graph))) - set(graph.links.order)) if graph.links.has_loop else []
    for record in (*graph.links.order, *left):
        newest = graph.newest_result(record)
        if newest is None:
            continue
        new = [blob for blob in graph.result_blobs(newest) if blob not in seen]
        seen.update(new)
        known = [sizes[blob] for blob in new if blob in sizes]
        if known or not new:
            found[record] = sum(known)
    return found
