"""A Neo4j that is asked: the files of the Cypher library, read-only and with a limit of time and rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from cachegraph.queries.library import CypherFile, get, library

if TYPE_CHECKING:
    from cachegraph.stores.neo4j.store import Neo4jStore

__all__ = ["Fleet"]

_SECONDS = 30.0


class Fleet:
    """What a Neo4j can be asked.

    Parameters
    ----------
    store : Neo4jStore
        Stays open as long as it is served.

    Attributes
    ----------
    place : str
        Where the server is.
    """

    def __init__(self, store: Neo4jStore) -> None:
        self._store = store
        self.place = store.status().place

    @property
    def questions(self) -> Sequence[CypherFile]:
        """The files of the library."""
        return list(library().values())

    def ask(self, name: str, limit: int) -> tuple[list[str], list[list[Any]]]:
        """Run a file with the values that it has.

        Parameters
        ----------
        name : str
        limit : int
            Rows at most.

        Returns
        -------
        tuple of (list of str, list of list)
            Columns and rows.

        Raises
        ------
        cachegraph.errors.UnknownNameError
            No such file.
        cachegraph.errors.StoreError
            The server's words; also if it took longer than half a minute.
        """
        text, params = get(name).bound()
        table = self._store.run(text, params, timeout=_SECONDS)
        return list(table.columns), [list(row) for row in islice(table.rows, limit)]
