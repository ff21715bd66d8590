"""Data frames: the schema's columns with sensible dtypes, and the columns that join them.

Each frame has a key that no other has as a column, and the names of all other columns differ between frames, so frames
join without suffixes::

    inputs.join(records, on="record")               the record that depends; on="input" gives the other one
    results.join(records, on="record")
    result_layers.join(results, on="result").join(layers, on="layer")
    layers.join(blobs, on=["export", "blob"])
    records.join(exports, on="export")
    findings.to_frame().merge(records, left_on=["export", "record"], right_on=["export", "record_index"])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import MissingExtraError
from cachegraph.schema.declaration import DECLARED
from cachegraph.schema.facts import Table, ends, shown, whole
from cachegraph.schema.properties import Column, Property

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FRAMES", "Frame", "columns", "dtype", "frame"]

_DTYPES = {"string": "string", "integer": "Int64", "boolean": "boolean", "time": "datetime64[ns, UTC]"}
_LISTS = "object"


@dataclass(frozen=True, slots=True)
class Join:
    """A column of a frame that is not a property of its rows: its declaration, and how it is made."""

    declared: Property
    of: Callable[[Table], Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A data frame's columns and where they come from.

    Attributes
    ----------
    owner : str
        The label or relationship type whose rows it has.
    joins : tuple of Join
        Columns that join it with other frames, first.
    index : tuple of str
        Columns that become the index; empty for none.
    """

    owner: str
    joins: tuple[Join, ...] = ()
    index: tuple[str, ...] = ()

    @property
    def properties(self) -> tuple[Property, ...]:
        """Columns of the schema, by the schema's names."""
        return DECLARED[self.owner].properties

    @property
    def columns(self) -> tuple[Property, ...]:
        """All columns in order, those of the index among them, by the frame's names."""
        return (*(join.declared for join in self.joins), *(_renamed(p) for p in self.properties))


def _renamed(declared: Property) -> Property:
    return replace(declared, name=declared.column or declared.name)


def _beside(owner: str, column: str) -> Callable[[Table], Column]:
    """Take a column of a relationship type that has a row for each row of the frame's label."""
    return lambda table: Table(table.graph, owner, table.rows)[column]


def _blobs(table: Table) -> Column:
    (bounds, layers), config = ends(table.graph, "USES"), table.graph.export.config.layers
    rows = range(len(bounds) - 1) if table.rows is None else table.rows
    return [[config[layer].blob for layer in layers[bounds[row] : bounds[row + 1]]] for row in rows]


def _parents(table: Table) -> Column:
    (bounds, parents), keys = ends(table.graph, "PARENT"), whole(table.graph, "Layer")["id"]
    found = [keys[parents[low]] if high > low else None for low, high in pairwise(bounds)]
    return found if table.rows is None else [found[row] for row in table.rows]


def _listed(table: Table) -> Column:
    listed = set(whole(table.graph, "LISTS")["to"])
    return [digest in listed for digest in table["digest"]]


def _present(table: Table) -> Column:
    present = dict(whole(table.graph, "LISTS").each("to", "present"))
    return [present.get(digest) for digest in table["digest"]]


_EXPORT = Join(Property("export", "string", "Id of the export."), lambda table: [table.graph.id] * table.count)
_TITLE = Join(
    Property("title", "string", "Short name of the export, for people; `graph.exports` calls it ref."),
    lambda table: list(whole(table.graph, "Export")["title"]) * table.count,
)
_BESIDE = (_EXPORT, _TITLE)

FRAMES: Mapping[str, Frame] = {
    "exports": Frame(owner="Export", index=("id",)),
    "records": Frame(owner="Record", joins=_BESIDE, index=("id",)),
    "inputs": Frame(
        owner="INPUT",
        joins=(
            Join(Property("record", "string", "Id of the record that depends."), lambda table: table["from"]),
            Join(Property("input", "string", "Id of the record that it depends on."), lambda table: table["to"]),
        ),
    ),
    "results": Frame(
        owner="Result",
        joins=(
            Join(Property("record", "string", "Id of the record."), _beside("HAS_RESULT", "from")),
            Join(
                Property("position", "integer", "Order in which BuildKit reads the record's results."),
                _beside("HAS_RESULT", "position"),
            ),
            Join(Property("blobs", "strings", "Blob digests, bottom first."), _blobs),
        ),
        index=("id",),
    ),
    "result_layers": Frame(
        owner="USES",
        joins=(
            Join(Property("result", "string", "Id of the result."), lambda table: table["from"]),
            Join(Property("layer", "string", "Id of the layer."), lambda table: table["to"]),
        ),
    ),
    "layers": Frame(
        owner="Layer",
        joins=(
            *_BESIDE,
            Join(Property("parent", "string", "Id of the layer below; null for none."), _parents),
            Join(Property("blob", "string", "Digest of the layer's blob."), _beside("BLOB", "to")),
        ),
        index=("id",),
    ),
    "blobs": Frame(
        owner="Blob",
        joins=(
            _EXPORT,
            Join(Property("listed", "boolean", "Whether the export's manifest lists it."), _listed),
            Join(
                Property("present", "boolean", "Whether the store has it; null when the loader did not look."), _present
            ),
        ),
        index=("export", "digest"),
    ),
    "problems": Frame(owner="Problem", joins=_BESIDE, index=("id",)),
    "strays": Frame(
        owner="HAS_STRAY",
        joins=(*_BESIDE, Join(Property("digest", "string", "Digest of the blob."), lambda table: table["to"])),
    ),
}
"""The data frames by name."""


def columns(graphs: Sequence[ExportGraph], name: str) -> Iterator[tuple[Property, list[Any]]]:
    """Give the columns of a data frame, without pandas.

    Parameters
    ----------
    graphs : sequence of ExportGraph
    name : str
        One of `FRAMES`.

    Yields
    ------
    tuple of (Property, list)
        The declaration, by the frame's name, and the values.
    """
    declared = FRAMES[name]
    tables = [shown(graph, declared.owner) for graph in graphs]
    for join in declared.joins:
        yield join.declared, [value for table in tables for value in join.of(table)]
    for one in declared.properties:
        yield _renamed(one), [value for table in tables for value in table[one.name]]


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
    made = pd.DataFrame(
        {one.name: pd.Series(_own(one, values), dtype=dtype(name, one)) for one, values in columns(graphs, name)}
    )
    index = list(FRAMES[name].index)
    return made.set_index(index) if index else made


def _own(column: Property, values: list[Any]) -> list[Any]:
    """Copy lists: a frame is the user's to change, the graph's facts are not."""
    if column.type not in ("strings", "integers"):
        return values
    return [None if value is None else list(value) for value in values]


def dtype(frame_name: str, column: Property) -> Any:  # noqa: ANN401, ARG001 - pandas takes names and dtype objects alike
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

    if column.words:
        return pd.CategoricalDtype(list(column.words))
    return _DTYPES.get(column.type, _LISTS)
