"""What a fact is: a property that says what it means and how it is computed, and what has such properties.

A property's column is computed for a whole export, at most once, when somebody first asks for it by name
(`cachegraph.schema.facts`). Adding one is a `Property` in the module of its label: a line that makes the data frames'
column, the one in Parquet, NetworkX' and Neo4j's property, and the row on the schema page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, TypeVar

from cachegraph.core.graph import ExportGraph

__all__ = ["Column", "Ends", "Node", "Property", "Relationship", "Type", "keys", "once"]

T = TypeVar("T")

Type = Literal["string", "integer", "float", "boolean", "time", "integers", "strings"]

Column = Sequence[Any]
"""A value for each row; None where it is unknown or there is none. Times are nanoseconds since 1970 UTC."""

Ends = tuple[Sequence[int], Sequence[int]]
"""Where relationships begin and end: those of start ``s`` lead to ``ends[bounds[s]:bounds[s + 1]]``, as (bounds, ends).
Starts and ends are row numbers of their labels."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a node or relationship.

    Attributes
    ----------
    name : str
    type : str
        ``time`` is UTC with nanoseconds, ``integers`` and ``strings`` are lists.
    description : str
        What it means, its unit, and when it is null.
    of : callable, optional
        From an export's graph to the property's column, one value a row. None for what only a store keeps.
    indexed : bool
        Whether a store keeps an index on it.
    words : tuple of str
        All the words that it can be, where the set is fixed.
    column : str
        Its name in the data frames, where the schema's own would collide with pandas' attributes or another frame.
    """

    name: str
    type: Type
    description: str
    of: Callable[[ExportGraph], Column] | None = None
    indexed: bool = False
    words: tuple[str, ...] = ()
    column: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A label. Its first property is its key."""

    label: str
    description: str
    properties: tuple[Property, ...]

    @property
    def key(self) -> str:
        """Name of the property that identifies a node."""
        return self.properties[0].name


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship type between two labels.

    Attributes
    ----------
    ends : callable
        From an export's graph to where its relationships begin and end.
    """

    type: str
    start: str
    end: str
    description: str
    ends: Callable[[ExportGraph], Ends]
    properties: tuple[Property, ...] = ()


def once(make: Callable[[ExportGraph], T]) -> Callable[[ExportGraph], T]:
    """Let what several columns are made of be computed once for an export.

    Parameters
    ----------
    make : callable
        From an export's graph to anything.
    """

    @wraps(make)
    def kept(graph: ExportGraph) -> T:
        if make not in graph.computed:
            graph.computed[make] = make(graph)
        made: T = graph.computed[make]
        return made

    return kept


def keys(letter: str, count: Callable[[ExportGraph], int]) -> Callable[[ExportGraph], Column]:
    """Make the keys of nodes that an export holds by index: its id, a letter and the index.

    Parameters
    ----------
    letter : str
    count : callable
        Gives their number.
    """
    return lambda graph: [f"{graph.id}/{letter}{index}" for index in range(count(graph))]
