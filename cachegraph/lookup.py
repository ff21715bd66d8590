"""Which export and which record of a graph is meant, however a user names them."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import SupportsIndex

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UnknownNameError
from cachegraph.queries.base import Finding

__all__ = ["ExportRef", "Lookup", "RecordRef"]

ExportRef = int | str
"""Names an export of a graph: its position, its id, or its source."""

RecordRef = int | str | Finding | tuple[ExportRef, int]
"""Names a record: its index, its id (``<export id>/r7``), a finding about it, or an export and an index."""


class Lookup:
    """Exports in order, found by whatever names them.

    Parameters
    ----------
    graphs : iterable of ExportGraph

    Attributes
    ----------
    graphs : tuple of ExportGraph
    """

    def __init__(self, graphs: Iterable[ExportGraph]) -> None:
        self.graphs: tuple[ExportGraph, ...] = tuple(graphs)
        self._by_id = {graph.id: graph for graph in self.graphs}

    def _graph(self, export: ExportRef) -> ExportGraph:
        """Find an export by its position, id or source."""
        if isinstance(export, str):
            found = self._by_id.get(export)
            named = [graph for graph in self.graphs if graph.export.source == export]
            if found is None and len(named) != 1:
                what = "several exports" if named else "no export"
                raise UnknownNameError(
                    f"there is {what} {export!r}", hint="give its position or the id that graph.exports lists"
                )
            return found or named[0]
        if not isinstance(export, SupportsIndex):
            raise TypeError(f"an export is a position, an id or a source, not {type(export).__name__}: {export!r:.60}")
        position = operator.index(export)
        if not 0 <= position < len(self.graphs):
            raise UnknownNameError(f"there is no export {position}", hint=f"the graph has {len(self.graphs)}")
        return self.graphs[position]

    def _located(self, record: RecordRef, export: ExportRef) -> tuple[ExportGraph, int]:
        """Find a record, however it is named."""
        if isinstance(record, Finding):
            if record.record is None:
                raise UnknownNameError(f"this finding of {record.query} is about no record", hint="give a record")
            export, record = record.export, record.record
        elif isinstance(record, str):
            start, slash, index = record.rpartition("/r")
            if not slash or not (index.isascii() and index.isdigit()):
                raise UnknownNameError(f"{record!r} is not the id of a record", hint="write <export id>/r<index>")
            export, record = start, int(index)
        elif isinstance(record, tuple) and len(record) == 2:
            export, record = record
        if not isinstance(record, SupportsIndex):
            kind = type(record).__name__
            raise TypeError(f"a record is an index, an id, a finding or (export, index), not {kind}: {record!r:.60}")
        graph, index_ = self._graph(export), operator.index(record)
        graph.record(index_)
        return graph, index_
