"""Short words for records, digests and exports, for displays and drawings."""

from __future__ import annotations

import re

from cachegraph.core.graph import ExportGraph
from cachegraph.schema.summary import ExportSummary
from cachegraph.text.render import legal
from cachegraph.text.words import plural, size_text

__all__ = ["caption", "short", "shortened", "verdict"]


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
    return shortened(text, width)


def shortened(text: str, width: int) -> str:
    """Cut a text to so many characters; a longer one ends in dots."""
    return text if len(text) <= width else text[: width - 1] + "…"


def verdict(export: ExportSummary) -> str:
    """Say in a sentence or two what an export is worth, whether it was just read or is held by a store.

    Parameters
    ----------
    export : ExportSummary
    """
    held = f"{plural(export.records, 'record')} ({plural(export.roots, 'root')}), {plural(export.layers, 'layer')}"
    held += f", {size_text(export.listed_bytes)}" if export.listed_bytes else ""
    some = (
        f"all {export.steps:,}"
        if export.loadable_steps == export.steps
        else f"{export.loadable_steps:,} of {export.steps:,}"
    )
    share = f"{some} records that have inputs"
    if export.kind == "daemon":
        known = f"it has a result for {share}" if export.results_known else "for which steps, this address hides"
        return f"A builder's own cache: {held}; {known}."
    if not export.importable:
        return f"BuildKit refuses it, so every build that imports it is cold. It holds {held}."
    if not export.records:
        return "BuildKit imports it, and it is empty: every step runs."
    return f"BuildKit imports it: {held}. A build can load {share}."
