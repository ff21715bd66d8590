"""Short words for records, digests and exports, for displays and drawings."""

from __future__ import annotations

import re

from cachegraph.core.graph import ExportGraph
from cachegraph.text.render import legal

__all__ = ["caption", "cut_inside", "short", "shortened"]


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


def cut_inside(text: str, width: int) -> str:
    """Cut a text to so many characters in its middle: the end of an instruction has its line in the Dockerfile.

    Examples
    --------
    >>> cut_inside("RUN apt-get update && apt-get install -y make (Dockerfile:7)", 40)
    'RUN apt-get update &…ke (Dockerfile:7)'
    """
    if len(text) <= width:
        return text
    end = (width - 1) // 2
    return f"{text[: width - 1 - end]}…{text[-end:]}"
