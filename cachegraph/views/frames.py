"""Data frames: the schema's rows with sensible dtypes, and the columns that join them.

Source of every column: `cachegraph.schema.declaration`; the joining columns are documented in `FRAMES`. They join
like this::

    inputs.join(records, on="record")               the record that depends; on="input" gives the other one
    results.merge(records, left_on="record", right_index=True, suffixes=(None, "_record"))
    layers.join(blobs, on=["export", "blob"])
    records.join(exports, on="export")
    findings.to_frame().merge(records, left_on=["export", "record"], right_on=["export", "index"])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Kind, Op
from cachegraph.errors import MissingExtraError
from cachegraph.schema.declaration import Property, node, relationship
from cachegraph.schema.rows import NODE_ROWS, RELATIONSHIP_ROWS, Rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FRAMES", "Frame", "dtype", "frame"]

_DTYPES = {"string": "string", "integer": "Int64", "boolean": "boolean", "time": "datetime64[ns, UTC]"}
_LISTS = "object"
_MISSING = ("blob-missing", "blob-not-listed", "not-exported")
_WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("exports", "kind"): get_args(Kind),
    ("records", "op"): get_args(Op),
    ("records", "missing_reason"): _MISSING,
    ("inputs", "relation"): ("prefix", "subset", "scattered", "absent", "no-result"),
    ("results", "kind"): ("layer", "chain"),
    ("results", "reason"): ("blob-missing", "blob-not-listed", "invalid"),
}
"""Columns that hold words from a fixed set: these are their categories, whatever the graph holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A data frame's columns and where they come from.

    Attributes
    ----------
    joins : tuple of Property
        Columns that join it with other frames, first.
    properties : tuple of Property
        Columns of the schema.
    index : tuple of str
        Columns that become the index; empty for none.
    rows : callable
        From an export's graph to columns of equal length.
    """

    joins: tuple[Property, ...]
    properties: tuple[Property, ...]
    index: tuple[str, ...]
    rows: Callable[[ExportGraph], Rows]

    @property
    def columns(self) -> tuple[Property, ...]:
        """All columns in order, those of the index among them."""
        return (*self.joins, *self.properties)


_EXPORT = Property("export", "string", "Id of the export.")


def _records(graph: ExportGraph) -> Rows:
    rows = NODE_ROWS["Record"](graph)
    return {"export": [graph.id] * len(rows["id"]), **rows}


def _inputs(graph: ExportGraph) -> Rows:
    rows = RELATIONSHIP_ROWS["INPUT"](graph)
    return {"export": [graph.id] * len(rows["from"]), "record": rows["from"], "input": rows["to"], **rows}


def _results(graph: ExportGraph) -> Rows:
    rows, owners = NODE_ROWS["Result"](graph), RELATIONSHIP_ROWS["HAS_RESULT"](graph)
    uses, blobs_of = RELATIONSHIP_ROWS["USES"](graph), {id_: list[str]() for id_ in owners["to"]}
    blob_of = dict(zip(*RELATIONSHIP_ROWS["BLOB"](graph).values(), strict=True))
    for id_, layer in zip(uses["from"], uses["to"], strict=True):
        blobs_of[id_].append(blob_of[layer])
    return {
        "export": [graph.id] * len(owners["from"]),
        "record": owners["from"],
        "position": owners["position"],
        "blobs": [blobs_of[id_] for id_ in owners["to"]],
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
    "exports": Frame(joins=(), properties=node("Export").properties, index=("id",), rows=NODE_ROWS["Export"]),
    "records": Frame(joins=(_EXPORT,), properties=node("Record").properties, index=("id",), rows=_records),
    "inputs": Frame(
        joins=(
            _EXPORT,
            Property("record", "string", "Id of the record that depends."),
            Property("input", "string", "Id of the record that it depends on."),
        ),
        properties=relationship("INPUT").properties,
        index=(),
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
        index=("id",),
        rows=_results,
    ),
    "layers": Frame(
        joins=(
            _EXPORT,
            Property("parent", "string", "Id of the layer below; null for none."),
            Property("blob", "string", "Digest of the layer's blob."),
        ),
        properties=node("Layer").properties,
        index=("id",),
        rows=_layers,
    ),
    "blobs": Frame(
        joins=(
            _EXPORT,
            Property("listed", "boolean", "Whether the export's manifest lists it."),
            Property("present", "boolean", "Whether the store has it; null when nobody looked."),
        ),
        properties=node("Blob").properties,
        index=("export", "digest"),
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
        column.name: pd.Series([value for part in parts for value in part[column.name]], dtype=dtype(name, column))
        for column in declared.columns
    }
    made = pd.DataFrame(columns)
    return made.set_index(list(declared.index)) if declared.index else made


def dtype(frame_name: str, column: Property) -> Any:  # noqa: ANN401 - pandas takes names and dtype objects alike
    """Give the dtype of a column.

    Parameters
    ----------
    frame_name : str
        One of `FRAMES`.
    column : Property

    Returns
    -------
    str or pandas.CategoricalDtype
        ``string``, ``Int64``, ``boolean`` (all nullable), ``datetime64[ns, UTC]``, a category for words from a fixed
        set, ``object`` for lists.
    """
    import pandas as pd

    if words := _WORDS.get((frame_name, column.name)):
        return pd.CategoricalDtype(list(words))
    return _DTYPES.get(column.type, _LISTS)
