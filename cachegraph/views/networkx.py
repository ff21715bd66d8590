"""The graph for NetworkX, with the schema's labels and properties, and back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import (
    ZERO_TIME,
    Blob,
    CacheConfig,
    CacheExport,
    CacheInput,
    CacheLayer,
    CacheRecord,
    CacheResult,
    ChainedResult,
    Name,
    Names,
)
from cachegraph.errors import DecodeError, MissingExtraError
from cachegraph.views.rows import NODE_ROWS, RELATIONSHIP_ROWS, Rows

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["from_networkx", "to_networkx"]


def to_networkx(graphs: Sequence[ExportGraph]) -> nx.MultiDiGraph[str]:
    """Make a NetworkX graph.

    Parameters
    ----------
    graphs : sequence of ExportGraph

    Returns
    -------
    networkx.MultiDiGraph
        Nodes are named by their keys and have ``label``; edges are keyed and have ``type``. Null properties are left
        out; times are nanoseconds since 1970 UTC.

    Raises
    ------
    MissingExtraError
        NetworkX is not installed.
    """
    try:
        import networkx as nx
    except ImportError:
        raise MissingExtraError("a NetworkX graph", "notebook") from None
    made: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for graph in graphs:
        for label, node_rows in NODE_ROWS.items():
            rows = node_rows(graph)
            keys = next(iter(rows.values()))
            made.add_nodes_from(
                (key, {"label": label, **properties}) for key, properties in zip(keys, _each(rows), strict=True)
            )
        for type_, relationship_rows in RELATIONSHIP_ROWS.items():
            rows = relationship_rows(graph)
            made.add_edges_from(
                (properties.pop("from"), properties.pop("to"), {"type": type_, **properties})
                for properties in _each(rows)
            )
    return made


def _each(rows: Rows) -> Iterator[dict[str, Any]]:
    """Turn columns into one dict of what is not null for each row."""
    for values in zip(*rows.values(), strict=True):
        yield {name: value for name, value in zip(rows, values, strict=True) if value is not None}
