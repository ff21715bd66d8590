"""An export's facts by name: columns of the schema's labels and relationship types, each computed at most once.

>>> import cachegraph as cg
>>> (graph,) = cg.from_config(b'{"records": [{"digest": "a"}, {"digest": "b", "inputs": [[{"link": 0}]]}]}')
>>> list(whole(graph, "Record")["digest"])
['a', 'b']
>>> list(whole(graph, "Record").each("index", "missing_reason"))
[(0, None), (1, 'not-exported')]
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from cachegraph.core.garbage import collection_paused
from cachegraph.core.graph import ExportGraph
from cachegraph.schema.declaration import DECLARED, node
from cachegraph.schema.focus import Window
from cachegraph.schema.properties import Column, Ends, Node, Relationship

__all__ = ["Table", "ends", "rows_shown", "shown", "whole"]


class Table(Mapping[str, Column]):
    """The columns of a label or relationship type, computed when asked for by name.

    Of a relationship type, ``from`` and ``to`` come first: the keys of the nodes.

    Parameters
    ----------
    graph : ExportGraph
    owner : str
        Label or relationship type.
    rows : sequence of int, optional
        Rows to give, of the whole export's; without, all.
    """

    def __init__(self, graph: ExportGraph, owner: str, rows: Sequence[int] | None = None) -> None:
        self.graph = graph
        self.owner = owner
        self.rows = rows
        self._declared = DECLARED[owner]
        self._names = {declared.name: declared for declared in self._declared.properties}

    def __getitem__(self, name: str) -> Column:
        """Give a column."""
        if self.rows is None:
            return _column(self.graph, self.owner, name)
        declared = self._declared
        if isinstance(declared, Relationship) and name in ("from", "to"):
            bounds, to = ends(self.graph, self.owner)
            label = declared.start if name == "from" else declared.end
            keys = _column(self.graph, label, node(label).key)
            return [keys[to[row] if name == "to" else bisect_right(bounds, row) - 1] for row in self.rows]
        made = _column(self.graph, self.owner, name)
        return [made[row] for row in self.rows]

    def __iter__(self) -> Iterator[str]:
        """Go through the names of the columns."""
        if not isinstance(self._declared, Node):
            yield from ("from", "to")
        yield from self._names

    def __len__(self) -> int:
        """Count the columns."""
        return len(self._names) + 2 * (not isinstance(self._declared, Node))

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self[next(iter(self))]) if self.rows is None else len(self.rows)

    @property
    def properties(self) -> Iterator[Column]:
        """The columns of the properties alone."""
        return (self[name] for name in self._names)

    def each(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Go through the rows.

        Parameters
        ----------
        *names : str
            Which columns, in which order.
        """
        return zip(*(self[name] for name in names), strict=True)


def whole(graph: ExportGraph, owner: str) -> Table:
    """Give the facts of a whole export, through a window too: what questions are asked of.

    Parameters
    ----------
    graph : ExportGraph
    owner : str
        Label or relationship type.
    """
    return Table(graph, owner)


def shown(graph: ExportGraph, owner: str) -> Table:
    """Give the facts of what is to be shown: in a window, a selection of the whole export's rows.

    Parameters
    ----------
    graph : ExportGraph
    owner : str
        Label or relationship type.
    """
    return Table(graph, owner, rows_shown(graph, owner) if isinstance(graph, Window) else None)


def ends(graph: ExportGraph, owner: str) -> Ends:
    """Give where an export's relationships begin and end, as row numbers of their labels.

    Parameters
    ----------
    graph : ExportGraph
    owner : str
        Relationship type.
    """
    if (owner, "ends") not in graph.computed:
        declared = DECLARED[owner]
        assert not isinstance(declared, Node)
        graph.computed[owner, "ends"] = declared.ends(graph)
    found: Ends = graph.computed[owner, "ends"]
    return found


def _column(graph: ExportGraph, owner: str, name: str) -> Column:
    if (owner, name) not in graph.computed:
        with collection_paused():
            graph.computed[owner, name] = _compute(graph, owner, name)
    found: Column = graph.computed[owner, name]
    return found


def _compute(graph: ExportGraph, owner: str, name: str) -> Column:
    declared = DECLARED[owner]
    if not isinstance(declared, Node) and name in ("from", "to"):
        bounds, to = ends(graph, owner)
        label = declared.start if name == "from" else declared.end
        keys = _column(graph, label, node(label).key)
        if name == "to":
            return [keys[row] for row in to]
        return [keys[row] for row, (low, high) in enumerate(pairwise(bounds)) for _ in range(low, high)]
    of = next(one.of for one in declared.properties if one.name == name)
    assert of is not None
    return of(graph)


# --- Windows ----------------------------------------------------------------------------------------------------------


def rows_shown(graph: Window, owner: str) -> Sequence[int]:
    """Give the rows of a label or relationship type that a window shows, in order.

    Shown are its records, their results, the layers and blobs of these, and the relationships between what is shown;
    the export itself, its problems and strays always.

    Parameters
    ----------
    graph : Window
    owner : str
    """
    if owner not in graph.rows:
        graph.rows[owner] = _nodes(graph, owner) if owner in _FROM else _relationships(graph, owner)
    return graph.rows[owner]


_FROM: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Export": (),
    "Record": (),
    "Result": (("HAS_RESULT", "Record"),),
    "Layer": (("USES", "Result"),),
    "Problem": (("HAS_PROBLEM", "Export"),),
    "Blob": (("BLOB", "Layer"), ("HAS_STRAY", "Export")),
}
"""By which relationships the nodes of a label are shown, and from which label."""


def _nodes(graph: Window, label: str) -> Sequence[int]:
    if not _FROM[label]:
        return [0] if label == "Export" else sorted(graph.shown)
    found: set[int] = set()
    for type_, start in _FROM[label]:
        bounds, to = ends(graph, type_)
        for row in rows_shown(graph, start):
            found.update(to[bounds[row] : bounds[row + 1]])
    return sorted(found)


def _relationships(graph: Window, type_: str) -> Sequence[int]:
    declared = DECLARED[type_]
    assert not isinstance(declared, Node)
    bounds, to = ends(graph, type_)
    inside = set(rows_shown(graph, declared.end))
    starts = rows_shown(graph, declared.start)
    return [row for start in starts for row in range(bounds[start], bounds[start + 1]) if to[row] in inside]
