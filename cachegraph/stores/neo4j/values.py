"""Rows of a server's answer, in plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cachegraph.core.garbage import collection_paused

if TYPE_CHECKING:
    import neo4j

__all__ = ["Table", "plain"]


_PLAIN = {type(None), bool, int, float, str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a statement answered.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of tuple
        Values as JSON knows them: nodes and relationships as their properties, times as ISO 8601 text.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Go through the rows, each as a dict."""
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows)


def plain(result: neo4j.Result) -> Table:
    """Read a result to its end.

    Parameters
    ----------
    result : neo4j.Result
    """
    columns = tuple(result.keys())
    with collection_paused():
        rows = tuple(tuple([v if type(v) in _PLAIN else _plain(v) for v in row.values()]) for row in result)
    return Table(columns=columns, rows=rows)


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever the query returns
    from neo4j.graph import Entity, Path
    from neo4j.time import Date, DateTime, Time

    match value:
        case None | bool() | int() | float() | str():
            return value
        case Date() | DateTime() | Time():
            return value.iso_format()
        case Path():
            return [_plain(node) for node in value.nodes]
        case Entity() | Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case bytes() | bytearray():
            return value.hex()
        case Iterable() if not hasattr(value, "iso_format"):
            return [_plain(each) for each in value]
    return str(value)
