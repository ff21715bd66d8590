"""Loading one export, whole or not at all as far as readers can tell."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cachegraph.core.graph import ExportGraph
from cachegraph.core.progress import Report
from cachegraph.stores.neo4j.ahead import ahead
from cachegraph.stores.neo4j.batches import BATCH, Batch, export_properties, fingerprint, transactions
from cachegraph.stores.neo4j.claims import LEASE, Claim, LostClaimError
from cachegraph.stores.neo4j.connection import Connection, literal
from cachegraph.stores.neo4j.failures import ServerError
from cachegraph.stores.neo4j.removal import clear

if TYPE_CHECKING:
    import neo4j

__all__ = ["Loaded", "load", "remove"]

_LOOK_AGAIN = 0.5
"""Seconds between two looks at an export that another load is at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of one export.

    Attributes
    ----------
    rows : int or None
        Rows written, a node and its tie to its owner being one; None if it was there.
    superseded : int
        Earlier exports of its source and platform that are current no more.
    """

    rows: int | None
    superseded: int


def load(
    connection: Connection,
    graph: ExportGraph,
    report: Report,
    *,
    size: int = BATCH,
    lease: float = LEASE,
    wait: bool = True,
) -> Loaded | None:
    """Load an export; wait while another load is at it, and take over when that one dies.

    Parameters
    ----------
    connection : Connection
    graph : ExportGraph
    report : Report
    size : int
        Rows of a transaction.
    lease : float
        Seconds without a sign of life after which a load counts as dead.
    wait : bool
        Without, give up at once while another load is at it.

    Returns
    -------
    Loaded or None
        None only without `wait`.
    """
    mark, properties, source = fingerprint(graph), export_properties(graph), graph.export.source
    claim = Claim(connection, graph.id, lease)
    while True:
        connection.check_space()
        state = claim.take(properties, mark)
        if state == "whole":
            return Loaded(rows=None, superseded=0)
        if state == "busy":
            if not wait:
                return None
            report(f"waiting for another load of {source}", 0, None)
            time.sleep(_LOOK_AGAIN)
            continue
        try:
            rows = _write(claim, graph, report, size) if state == "claimed" else None
            return Loaded(rows=rows, superseded=claim.finish(source, mark))
        except LostClaimError:
            continue
        except ServerError as error:
            if error.answers:
                _let_go(claim)
            raise  # else it lapses by itself: who asked a dead server to let go would wait once more
        except BaseException:
            _let_go(claim)
            raise


def _write(claim: Claim, graph: ExportGraph, report: Report, size: int) -> int:
    if not claim.fresh:
        clear(claim, size)
    written = 0
    for together in ahead(transactions(graph, size)):
        claim.connection.check_space()
        claim.step(partial(_run, together=together, export=graph.id))
        written += sum(len(rows) for _, rows in together)
        report(f"loading {graph.export.source}", written, None)
    return written


def _run(tx: neo4j.ManagedTransaction, *, together: list[Batch], export: str) -> int:
    for statement, rows in together:
        tx.run(literal(statement), rows=rows, export=export).consume()
    return len(together)


def _let_go(claim: Claim) -> None:
    """Release a claim if the server still answers; else it lapses by itself."""
    from contextlib import suppress

    from cachegraph.errors import CacheGraphError

    with suppress(CacheGraphError):
        claim.release()


def remove(connection: Connection, export: str, *, size: int = BATCH, lease: float = LEASE) -> bool:
    """Remove a superseded export or a dead load's remains, with the blobs that nothing else uses.

    Returns
    -------
    bool
        False if it may not be removed: it is current, or a load is at it.
    """
    claim = Claim(connection, export, lease)
    if not claim.take_old():
        return False
    clear(claim, size)
    claim.remove()
    return True
