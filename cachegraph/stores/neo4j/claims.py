"""One load at a time for each export: the claim on its ``Export`` node, and what is done under it.

A load writes its token and a time on the node. Every transaction of the load locks the node, checks the token and moves
the time on; when the time has passed, the load counts as dead and another may take over. So of two loads that both
think the export theirs only one can write, and each batch is written exactly once, whatever the network does.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from cachegraph.errors import StoreError
from cachegraph.stores.neo4j.connection import Connection, literal

if TYPE_CHECKING:
    import neo4j

__all__ = ["ALIVE", "LEASE", "Claim", "LostClaimError", "State"]

LEASE = 60.0
"""Seconds without a sign of life after which a load counts as dead."""

State = Literal["claimed", "busy", "whole", "superseded"]
"""What becomes of a claim: it is held; another load is at it; nothing to do; only to be made current again."""

ALIVE = """coalesce(datetime.realtime() < e.claimed_until
           AND e.claimed_until <= datetime.realtime() + duration({seconds: coalesce(e.claimed_lease, 60.0)}), false)"""
"""Whether a load is at the export ``e``, in Cypher.

A claim that ends later than a lease from now was made before the server's clock was set back. It counts as dead: else
what a killed load left would be waited for as long as the clock went back. Should its load be alive after all, it
finds its claim lost, and what it had to do is done. The time is the moment's: a transaction's own stands still while
it waits for a lock, and what others claimed meanwhile would look as if it came from the future.
"""

# Writing locks a node, and what is read after it in the same transaction holds until its end.
_CREATE = (
    "MERGE (e:Export {id: $id}) ON CREATE SET e.complete = false, e.current = false SET e.locked = true REMOVE e.locked"
)
_LOCK = "MATCH (e:Export {id: $id}) SET e.locked = true REMOVE e.locked"
_LOCK_SOURCE = "MATCH (e:Export {source: $source}) WITH e ORDER BY e.id SET e.locked = true REMOVE e.locked"
_LOOK = f"""
MATCH (e:Export {{id: $id}})
RETURN e.complete AS complete, e.current AS current, e.fingerprint AS fingerprint, e.claimed_by AS token,
       {ALIVE} AS alive, coalesce(e.claimed_step, 0) AS step
"""
_TAKE = """
MATCH (e:Export {id: $id})
SET e = $properties
SET e.newest_at = CASE WHEN $properties.newest_at IS NULL THEN null ELSE
      datetime('1970-01-01T00:00:00Z') + duration({nanoseconds: $properties.newest_at}) END
SET e.complete = false, e.current = false, e.claimed_by = $token, e.claimed_step = 0, e.claimed_lease = $lease,
    e.claimed_until = datetime() + duration({seconds: $lease})
"""
_TAKE_OLD = """
MATCH (e:Export {id: $id})
SET e.complete = false, e.claimed_by = $token, e.claimed_step = 0, e.claimed_lease = $lease,
    e.claimed_until = datetime() + duration({seconds: $lease})
"""
_GO_ON = """
MATCH (e:Export {id: $id})
SET e.claimed_step = $step, e.claimed_until = datetime() + duration({seconds: $lease})
"""
_RELEASE = "MATCH (e:Export {id: $id}) WHERE e.claimed_by = $token SET e.claimed_until = datetime()"
_SUPERSEDE = """
MATCH (e:Export {id: $id})
MATCH (old:Export {source: e.source})
WHERE old.current AND old.id <> e.id AND coalesce(old.platform, '') = coalesce(e.platform, '')
SET old.current = false, old.superseded_at = datetime()
RETURN count(old) AS superseded
"""
_FINISH = """
MATCH (e:Export {id: $id})
SET e.complete = true, e.current = true, e.loaded_at = datetime()
REMOVE e.superseded_at, e.claimed_by, e.claimed_until, e.claimed_lease, e.claimed_step
"""
_REMOVE = "MATCH (e:Export {id: $id}) DETACH DELETE e"


class LostClaimError(StoreError):
    """Another load took the export over, because this one gave no sign of life for too long."""


class Claim:
    """A claim on an export.

    Parameters
    ----------
    connection : Connection
    export : str
        Its id.
    lease : float
        Seconds without a sign of life after which it lapses.

    Attributes
    ----------
    fresh : bool
        Whether no load had claimed the export before, so that nothing of it can be there.
    """

    def __init__(self, connection: Connection, export: str, lease: float = LEASE) -> None:
        self.connection = connection
        self.export = export
        self.lease = lease
        self.token = secrets.token_hex(8)
        self.steps = 0
        self.fresh = False

    def take(self, properties: Mapping[str, Any], mark: str) -> State:
        """Try to claim the export, in order to load it.

        Parameters
        ----------
        properties : mapping
            Properties of the node.
        mark : str
            Fingerprint of what is to be loaded.
        """

        def work(tx: neo4j.ManagedTransaction) -> State:
            tx.run(_CREATE, id=self.export).consume()
            found = self._look(tx)
            if found["complete"] and found["fingerprint"] == mark:
                return "whole" if found["current"] else "superseded"
            if found["alive"] and found["token"] != self.token:
                return "busy"
            self.fresh = not found["complete"] and found["token"] is None
            everything = {**properties, "fingerprint": mark}
            tx.run(_TAKE, id=self.export, token=self.token, lease=self.lease, properties=everything).consume()
            return "claimed"

        self.steps = 0
        return self.connection.write(work)

    def take_old(self) -> bool:
        """Try to claim the export, in order to remove it; only a superseded one or a dead load's remains."""

        def work(tx: neo4j.ManagedTransaction) -> bool:
            tx.run(_LOCK, id=self.export).consume()
            found = self._look(tx)
            if not found or found["current"] or (found["alive"] and found["token"] != self.token):
                return False
            tx.run(_TAKE_OLD, id=self.export, token=self.token, lease=self.lease).consume()
            return True

        self.steps = 0
        return self.connection.write(work)

    def step(self, work: Callable[[neo4j.ManagedTransaction], int]) -> int | None:
        """Do the next part of the work in a transaction, once.

        Returns
        -------
        int or None
            What `work` returned; None if it had been done and only the server's answer was lost.

        Raises
        ------
        LostClaimError
        """
        step = self.steps + 1

        def fenced(tx: neo4j.ManagedTransaction) -> int | None:
            tx.run(_LOCK, id=self.export).consume()
            found = self._look(tx)
            self._check(found)
            if found["step"] == step:
                return None
            done = work(tx)
            tx.run(_GO_ON, id=self.export, step=step, lease=self.lease).consume()
            return done

        done = self.connection.write(fenced)
        self.steps = step
        return done

    def finish(self, source: str, mark: str) -> int:
        """Make the export complete and the current one of its source and platform.

        Returns
        -------
        int
            How many exports it supersedes.

        Raises
        ------
        LostClaimError
        """

        def work(tx: neo4j.ManagedTransaction) -> int:
            tx.run(_LOCK_SOURCE, source=source).consume()
            found = self._look(tx)
            if not (found and found["complete"] and found["fingerprint"] == mark):
                self._check(found)
            (superseded,) = tx.run(_SUPERSEDE, id=self.export).single(strict=True)
            tx.run(_FINISH, id=self.export).consume()
            return int(superseded)

        return self.connection.write(work)

    def remove(self) -> None:
        """Remove the node itself, when nothing is connected with it any more."""

        def work(tx: neo4j.ManagedTransaction) -> None:
            tx.run(_LOCK, id=self.export).consume()
            if found := self._look(tx):
                self._check(found)
                tx.run(_REMOVE, id=self.export).consume()

        self.connection.write(work)

    def release(self) -> None:
        """Let another load take over at once what this one leaves unfinished."""
        self.connection.write(lambda tx: tx.run(_RELEASE, id=self.export, token=self.token).consume())

    def _look(self, tx: neo4j.ManagedTransaction) -> dict[str, Any]:
        row = tx.run(literal(_LOOK), id=self.export).single()
        return row.data() if row else {}

    def _check(self, found: Mapping[str, Any]) -> None:
        if found.get("token") != self.token:
            message = f"{self.connection.place}: another load took over export {self.export[:12]}"
            raise LostClaimError(message, hint=f"this one gave no sign of life for {self.lease:g} s; load again")
