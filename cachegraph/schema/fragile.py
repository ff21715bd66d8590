"""Facts about what builders of BuildKit 0.25 to 0.32 can miss of an export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachegraph.core.graph import ExportGraph
from cachegraph.schema.properties import once

if TYPE_CHECKING:
    from cachegraph.core.fragile import Missable

__all__ = ["fragile", "missed"]


@once
def fragile(graph: ExportGraph) -> dict[int, Missable] | None:
    """Find the records that such a builder can miss; None where finding out takes too long.

    Parameters
    ----------
    graph : ExportGraph

    Returns
    -------
    dict of int to Missable, or None
        By record.
    """
    from cachegraph.core.fragile import missable

    found = missable(graph)
    return None if found is None else {one.record: one for one in found}


def missed(graph: ExportGraph) -> dict[int, Missable]:
    """Give the records that such a builder is known to miss at times, by record.

    Parameters
    ----------
    graph : ExportGraph
    """
    return fragile(graph) or {}
