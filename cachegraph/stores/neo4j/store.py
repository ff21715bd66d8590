"""The store: everything that is done with a Neo4j server, from loading to asking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from cachegraph.core.graph import ExportGraph
from cachegraph.core.progress import Report, quiet
from cachegraph.errors import UnknownNameError, UsageError
from cachegraph.queries.catalogue import asked
from cachegraph.queries.findings import Findings
from cachegraph.stores.neo4j import answers, loading
from cachegraph.stores.neo4j.addresses import Auth, environment
from cachegraph.stores.neo4j.batches import BATCH
from cachegraph.stores.neo4j.claims import ALIVE, LEASE
from cachegraph.stores.neo4j.connection import Connection, literal
from cachegraph.stores.neo4j.reading import read_export
from cachegraph.stores.neo4j.statements import schema
from cachegraph.stores.neo4j.summaries import PruneSummary, Status, StoredExport, WriteSummary, stored_export
from cachegraph.stores.neo4j.values import Table, plain
from cachegraph.stores.neo4j.writing import Given, Writer

if TYPE_CHECKING:
    import neo4j

__all__ = ["Neo4jStore"]


_STATUS = f"""
MATCH (e:Export)
WITH coalesce(e.complete, false) AS complete, e.current AS current, {ALIVE} AS alive
RETURN count(CASE WHEN complete THEN 1 END), count(CASE WHEN complete AND current THEN 1 END),
       count(CASE WHEN NOT complete AND alive THEN 1 END), count(CASE WHEN NOT complete AND NOT alive THEN 1 END)
"""
_EXPORTS = """
MATCH (e:Export {complete: true})
WHERE e.current OR $history
RETURN e {.*, loaded_at: toString(e.loaded_at), newest_at:
          e.newest_at.epochSeconds * 1000000000 + e.newest_at.nanosecond}
ORDER BY e.source, e.platform, e.current DESC, e.loaded_at DESC
"""
_RETIRE = """
MATCH (e:Export {source: $source})
WITH e ORDER BY e.id
SET e.current = false, e.superseded_at = coalesce(e.superseded_at, datetime())
RETURN e.id
"""
_FORGET = "MATCH (s:Source {id: $source}) DELETE s"
_ABANDONED = f"""
MATCH (e:Export)
WHERE NOT coalesce(e.complete, false) AND NOT {ALIVE}
RETURN e.id ORDER BY e.id
"""


class Neo4jStore:
    """Cache exports in Neo4j. Make one with `connect`, and use it in a ``with`` statement or close it.

    Parameters
    ----------
    connection : Connection
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._has_schema = False

    @classmethod
    def connect(cls, uri: str | None = None, auth: Auth = None, database: str | None = None) -> Self:
        """Connect to a server.

        Parameters
        ----------
        uri : str, optional
            ``neo4j://``, ``neo4j+s://``, ``neo4j+ssc://``, ``bolt://``, ``bolt+s://`` or ``bolt+ssc://`` and the
            address. By default ``NEO4J_URI``, else the server that ``cachegraph neo4j up`` started.
        auth : tuple of (str, str) or str, optional
            User and password, or a bearer token. By default ``NEO4J_USERNAME`` and ``NEO4J_PASSWORD``, else none.
        database : str, optional
            By default ``NEO4J_DATABASE``, else the user's home database.

        Raises
        ------
        cachegraph.errors.StoreError
            No server, one that is too old (before 5.26), wrong password, no such database.
        cachegraph.errors.UsageError
            The URI is none.
        cachegraph.errors.MissingExtraError
            The extra ``neo4j`` is not installed.
        """
        return cls(Connection(*environment(uri, auth, database)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        """Name the server and the database."""
        return f"<Neo4jStore: {self._connection!r}>"

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    # --- Loading -----------------------------------------------------------------------------------------------------

    def ensure_schema(self) -> None:
        """Create the constraints and indexes that are not there, and wait until they can be used."""
        if missing := self._missing_schema():
            for name, statement in schema():
                if name in missing:
                    self._connection.alter(statement)
            self._connection.read("CALL db.awaitIndexes(600)")
        self._has_schema = True

    def write(
        self,
        graphs: Iterable[Given],
        *,
        replace: bool = False,
        report: Report = quiet,
        batch: int = BATCH,
        lease: float = LEASE,
    ) -> WriteSummary:
        """Load exports. One that fails does not keep the others from being loaded.

        Parameters
        ----------
        graphs : CacheGraph, or iterable of ExportGraph, Look or Listing
            A generator needs memory for one export at a time. A `Look` tells of a source that could not be read, too.
        replace : bool
            Remove earlier exports of the same sources and platforms instead of keeping them as history.
        report : Report
            Told of each batch.
        batch : int
            Rows of a transaction.
        lease : float
            Seconds without a sign of life after which a load counts as dead and another may take over.

        Returns
        -------
        WriteSummary

        Raises
        ------
        StoppedError
            The server cannot be used at all; what had been loaded stays, and its ``summary`` tells what that is.
        """
        if not self._has_schema:
            self.ensure_schema()
        writer = Writer(self._connection, report, replace=replace, batch=batch, lease=lease)
        return writer.write(graphs)

    def prune(
        self, keep: int = 1, *, dry_run: bool = False, report: Report = quiet, batch: int = BATCH, lease: float = LEASE
    ) -> PruneSummary:
        """Remove all but the newest exports of each source and platform, and what loads that died left behind.

        Parameters
        ----------
        keep : int
            How many to keep of each; at least 1.
        dry_run : bool
            Only tell.
        report : Report
            Told of each export.
        batch : int
            Relationships of a transaction.
        lease : float
            As for `write`.

        Returns
        -------
        PruneSummary
        """
        if keep < 1:
            raise UsageError(f"keep={keep}: at least 1, the current export of each source")
        kept: dict[tuple[str, str | None], int] = {}
        old = []
        for export in self.exports(history=True):
            place = (export.source, export.platform)
            kept[place] = kept.get(place, 0) + 1
            if kept[place] > keep and not export.current:
                old.append(export)
        abandoned = [id_ for (id_,) in self._connection.read(_ABANDONED)]
        if dry_run:
            return PruneSummary(exports=tuple(old), abandoned=len(abandoned))
        gone = set()
        for number, id_ in enumerate([*(export.id for export in old), *abandoned], 1):
            if loading.remove(self._connection, id_, size=batch, lease=lease):
                gone.add(id_)
            report("removing exports", number, len(old) + len(abandoned))
        return PruneSummary(
            exports=tuple(export for export in old if export.id in gone), abandoned=len(gone.intersection(abandoned))
        )

    def forget(self, source: str, *, batch: int = BATCH, lease: float = LEASE) -> int:
        """Remove every export of a source, the current ones too: it is gone, or of no interest any more.

        Parameters
        ----------
        source : str
            As `exports` gives it.
        batch : int
            Relationships of a transaction.
        lease : float
            As for `write`.

        Returns
        -------
        int
            How many exports were removed; one that a load is at stays.

        Raises
        ------
        cachegraph.errors.UnknownNameError
            No export of it, and no look at it.
        """

        def work(tx: neo4j.ManagedTransaction) -> tuple[list[str], int]:
            exports = [id_ for (id_,) in tx.run(_RETIRE, source=source)]
            return exports, tx.run(_FORGET, source=source).consume().counters.nodes_deleted

        exports, looked_at = self._connection.write(work)
        if not exports and not looked_at:
            raise UnknownNameError(
                f"{self._connection.place}: no export has the source {source!r}", hint="`contents` lists them"
            )
        return sum(loading.remove(self._connection, id_, size=batch, lease=lease) for id_ in exports)

    # --- Looking -----------------------------------------------------------------------------------------------------

    def status(self) -> Status:
        """Tell what the store holds."""
        ((exports, current, at_work, abandoned),) = self._connection.read(_STATUS)
        ((database,),) = self._connection.read("CALL db.info() YIELD name RETURN name")
        labels = ("Export", "Record", "Result", "Layer", "Problem", "Blob")
        counts = ((label, self._connection.read(f"MATCH (:{label}) RETURN count(*)")) for label in labels)
        return Status(
            server=self._connection.agent,
            place=self._connection.place,
            database=database,
            exports=exports,
            current=current,
            loading=at_work,
            abandoned=abandoned,
            nodes={label: rows[0][0] for label, rows in counts},
            missing_schema=tuple(self._missing_schema()),
        )

    def exports(self, *, history: bool = False) -> tuple[StoredExport, ...]:
        """List the exports by source and platform, of each the current one first, then the newest.

        Parameters
        ----------
        history : bool
            Superseded ones too.
        """
        names = tuple(StoredExport.__dataclass_fields__)
        rows = self._connection.read(_EXPORTS, {"history": history})
        return tuple(stored_export({name: found[name] for name in names if name in found}) for (found,) in rows)

    def versions(self, place: str) -> tuple[StoredExport, ...]:
        """List all exports of a place, of each source and platform the current one first, then the newest.

        Parameters
        ----------
        place : str
            A source, or a place that holds several, such as a directory.
        """
        return tuple(e for e in self.exports(history=True) if e.source == place or e.source.startswith(f"{place},"))

    def graph(self, export: str) -> ExportGraph:
        """Read an export back, as far as comparing and explaining need it.

        Parameters
        ----------
        export : str
            Its id.

        Raises
        ------
        cachegraph.errors.UnknownNameError
            No such export.
        """
        return read_export(self._connection, export)

    def run(
        self,
        cypher: str,
        params: Mapping[str, Any] | None = None,
        *,
        write: bool = False,
        timeout: float | None = None,
    ) -> Table:
        """Run Cypher.

        Parameters
        ----------
        cypher : str
            One statement.
        params : mapping, optional
            Values of its ``$parameters``.
        write : bool
            Let it write; else the server refuses to. A statement that writes is tried once only.
        timeout : float, optional
            Seconds after which the server gives it up; by default the server's own limit.

        Returns
        -------
        Table
            Columns and rows of plain values.

        Raises
        ------
        cachegraph.errors.StoreError
            The server's words about what is wrong with the statement.
        """
        import neo4j

        given = dict(params or {})
        with self._connection.translated():
            if write:
                with self._connection.session(write=True) as session:
                    return plain(session.run(neo4j.Query(literal(cypher), timeout=timeout), given))
            once = neo4j.unit_of_work(timeout=timeout)(lambda tx: plain(tx.run(literal(cypher), given)))
            return self._connection.patiently(lambda session: session.execute_read(once), write=False)

    # --- Asking ------------------------------------------------------------------------------------------------------

    def ask(self, name: str, export: str | None = None) -> Findings[Any]:
        """Ask a question of the server: its Cypher runs there, and the findings are those of the core.

        Parameters
        ----------
        name : str
            Such as ``missing-results``.
        export : str, optional
            Id of an export, or source of current ones; by default all current exports are asked.

        Returns
        -------
        Findings

        Raises
        ------
        cachegraph.errors.UnknownNameError
            No such question or export.
        """
        self._check_export(export)
        return answers.ask(self._connection, name, export)

    def check(self, export: str | None = None, buildkit: str | None = None) -> Findings[Any]:
        """Ask every question about a builder, as `ask` does; those about several exports of one build are left out.

        Parameters
        ----------
        export : str, optional
            Id of an export, or source of current ones; by default all current ones.
        buildkit : str, optional
            Version of the builder, such as ``0.31``; by default the newest.
        """
        self._check_export(export)
        return answers.ask_all(self._connection, asked(buildkit), export)

    def _check_export(self, export: str | None) -> None:
        text = "MATCH (e:Export {complete: true}) WHERE e.id = $export OR e.source = $export RETURN count(*)"
        if export is not None and self._connection.read(text, {"export": export}) == [(0,)]:
            place = self._connection.place
            raise UnknownNameError(f"{place}: no export has the id or source {export!r}", hint="load it first")

    def _missing_schema(self) -> list[str]:
        there = self._connection.read("SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' RETURN collect(name)")
        return [name for name, _ in schema() if name not in there[0][0]]
