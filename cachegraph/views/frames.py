"""Data frames: the schema's rows with sensible dtypes, and the columns that join them.

Source of every column: `cachegraph.core.schema`; the joining columns are documented in `FRAMES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cachegraph.core.graph import ExportGraph
from cachegraph.core.schema import Property, node, relationship
from cachegraph.errors import MissingExtraError
from cachegraph.views.rows import NODE_ROWS, RELATIONSHIP_ROWS, Rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FRAMES", "Frame", "frame"]

_DTYPES = {"integer": "Int64", "boolean": "boolean"}
_CATEGORIES = frozenset({"kind", "op", "relation", "reason", "missing_reason", "platform"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A data frame's columns and where they come from.

    Attributes
    ----------
    joins : tuple of Property
        Columns that join it with other frames, first.
    properties : tuple of Property
        Columns of the schema.
    index : str or None
        Column that becomes the index.
    rows : callable
        From an export's graph to columns of equal length.
    """

    joins: tuple[Property, ...]
    properties: tuple[Property, ...]
    index: str | None
    rows: Callable[[ExportGraph], Rows]


_EXPORT = Property("export", "string", "Id of the export.")


def _records(graph: ExportGraph) -> Rows:
    rows = NODE_ROWS["Record"](graph)
    return {"export": [graph.id] * len(graph), **rows}


def _inputs(graph: ExportGraph) -> Rows:
    rows = RELATIONSHIP_ROWS["INPUT"](graph)
    return {"export": [graph.id] * len(rows["from"]), "record": rows["from"], "input": rows["to"], **rows}


def _results(graph: ExportGraph) -> Rows:
    rows, owners = NODE_ROWS["Result"](graph), RELATIONSHIP_ROWS["HAS_RESULT"](graph)
    return {
        "export": [graph.id] * len(owners["from"]),
        "record": owners["from"],
        "position": owners["position"],
        "blobs": [list(graph.result_blobs(result)) for result in range(len(owners["from"]))],
        **rows,
    }


def _layers(graph: ExportGraph) -> Rows:
    rows, parents = NODE_ROWS["Layer"](graph), RELATIONSHIP_ROWS["PARENT"](graph)
    parent_of = dict(zip(parents["from"], parents["to"], strict=True))
    return {
        "export": [graph.id] * len(rows["id"]),
        "parent": [parent_of.get(id_) for id_ in rows["id"]],
        "blob": RELATIONSHIP_ROWS["BLOB"](graph)["to"],
        **rows,
    }


def _blobs(graph: ExportGraph) -> Rows:
    rows, listed = NODE_ROWS["Blob"](graph), RELATIONSHIP_ROWS["LISTS"](graph)
    present = dict(zip(listed["to"], listed["present"], strict=True))
    return {
        "export": [graph.id] * len(rows["digest"]),
        "listed": [digest in present for digest in rows["digest"]],
        "present": [present.get(digest) for digest in rows["digest"]],
        **rows,
    }


FRAMES: Mapping[str, Frame] = {
    "exports": Frame(joins=(), properties=node("Export").properties, index="id", rows=NODE_ROWS["Export"]),
    "records": Frame(joins=(_EXPORT,), properties=node("Record").properties, index="id", rows=_records),
    "inputs": Frame(
        joins=(
            _EXPORT,
            Property("record", "string", "Id of the record that depends."),
            Property("input", "string", "Id of the record that it depends on."),
        ),
        properties=relationship("INPUT").properties,
        index=None,
        rows=_inputs,
    ),
    "results": Frame(
        joins=(
            _EXPORT,
            Property("record", "string", "Id of the record."),
            Property("position", "integer", "Order in which BuildKit reads the record's results."),
            Property("blobs", "strings", "Blob digests, bottom first."),
        ),
        properties=node("Result").properties,
        index="id",
        rows=_results,
    ),
    "layers": Frame(
        joins=(
            _EXPORT,
            Property("parent", "string", "Id of the layer below; null for none."),
            Property("blob", "string", "Digest of the layer's blob."),
        ),
        properties=node("Layer").properties,
        index="id",
        rows=_layers,
    ),
    "blobs": Frame(
        joins=(
            _EXPORT,
            Property("listed", "boolean", "Whether the export's manifest lists it."),
            Property("present", "boolean", "Whether the store has it; null when nobody looked."),
        ),
        properties=node("Blob").properties,
        index=None,
        rows=_blobs,
    ),
}
"""The data frames by name."""


def frame(graphs: Sequence[ExportGraph], name: str) -> pd.DataFrame:
    """Make one of the data frames.

    Parameters
    ----------
    graphs : sequence of ExportGraph
    name : str
        One of `FRAMES`.

    Returns
    -------
    pandas.DataFrame
        Nullable dtypes, categories for words from a fixed set, UTC times.

    Raises
    ------
    MissingExtraError
        pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtraError("a data frame", "notebook") from None
    declared = FRAMES[name]
    parts = [declared.rows(graph) for graph in graphs]
    columns = {
        column.name: _series(column, [value for part in parts for value in part[column.name]])
        for column in (*declared.joins, *declared.properties)
    }
    made = pd.DataFrame(columns)
    return made.set_index(declared.index) if declared.index else made


def _series(column: Property, values: list[Any]) -> pd.Series[Any]:
    import pandas as pd

    if column.type == "time":
        return pd.to_datetime(pd.Series(values, dtype="Int64"), utc=True, unit="ns")
    if column.name in _CATEGORIES:
        return pd.Series(values, dtype="category")
    return pd.Series(values, dtype=_DTYPES.get(column.type, "object"))
