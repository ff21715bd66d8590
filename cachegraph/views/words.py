"""Short words for records, digests and exports, for displays and drawings."""

from __future__ import annotations

import re

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import plural, size_text
from cachegraph.text.render import legal

__all__ = ["caption", "short", "verdict"]


_DIGEST = re.compile(r"sha256:([0-9a-f]{12})[0-9a-f]{52}")


def short(digest: str) -> str:
    """Shorten a digest to what people compare: ``sha256:5dbfbafede47``.

    Parameters
    ----------
    digest : str

    Examples
    --------
    >>> short("sha256:5dbfbafede474d8b8a1bbd0c8c8e3b8b")
    '5dbfbafede47'
    """
    kind, colon, rest = digest.partition(":")
    return rest[:12] if kind == "sha256" and colon else digest[:12]


def caption(graph: ExportGraph, record: int, width: int = 24) -> str:
    """Name a record under its mark: its plaintext, else what its digest gives away, else the digest.

    Parameters
    ----------
    graph : ExportGraph
    record : int
    width : int
        Characters; longer names end in dots.
    """
    known = _DIGEST.sub(r"\1", " ".join(legal(graph.naming(record).name).split()))
    text = known or short(graph.export.config.records[record].digest)
    return text if len(text) <= width else text[: width - 1] + "…"


def verdict(graph: ExportGraph) -> str:
    """Say in a sentence or two what an export is worth.

    Parameters
    ----------
    graph : ExportGraph
    """
    steps = sum(not graph.is_root(record) for record in range(len(graph)))
    loadable = sum(loadable for record, loadable in enumerate(graph.loadable) if not graph.is_root(record))
    size = sum(graph.sizes.values())
    layers = plural(len(graph.export.config.layers), "layer")
    held = f"{plural(len(graph), 'record')} ({plural(len(graph.roots), 'root')}), {layers}"
    held += f", {size_text(size)}" if size else ""
    some = f"all {steps:,}" if loadable == steps else f"{loadable:,} of {steps:,}"
    share = f"{some} records that have inputs"
    if graph.export.kind == "daemon":
        known = f"it has a result for {share}" if graph.export.results_known else "for which steps, this address hides"
        return f"A builder's own cache: {held}; {known}."
    if graph.import_error is not None:
        return f"BuildKit refuses it, so every build that imports it is cold. It holds {held}."
    if not len(graph):
        return "BuildKit imports it, and it is empty: it gives nothing."
    return f"BuildKit imports it: {held}. A build can load {share}."
