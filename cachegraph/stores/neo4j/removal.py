"""Removing what belongs to an export, in batches: relationships first, then nodes, then blobs that none else uses."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cachegraph.stores.neo4j.claims import Claim
from cachegraph.stores.neo4j.connection import literal
from cachegraph.stores.neo4j.statements import OWNERS

if TYPE_CHECKING:
    import neo4j

__all__ = ["clear"]

# Found by key and not by relationship: so nothing is overlooked, whatever a load left behind.
_OWNED = "MATCH (n:{label}) WHERE n.id STARTS WITH $prefix WITH n LIMIT $nodes"
_CUT = _OWNED + " MATCH (n)-[x]-() WHERE NOT x:BLOB WITH DISTINCT x LIMIT $size DELETE x RETURN count(*)"
_CUT_BLOBS = _OWNED + " MATCH (n)-[x:BLOB]->(b) DELETE x RETURN collect(DISTINCT b.digest)"
_DROP = _OWNED + " DETACH DELETE n RETURN count(*)"
_CUT_EXPORT = (
    "MATCH (:Export {id: $id})-[x:LISTS|HAS_STRAY]->(b) WITH x, b LIMIT $size DELETE x RETURN collect(b.digest)"
)
_LOCK_BLOBS = "UNWIND $digests AS digest MATCH (b:Blob {digest: digest}) SET b.locked = true REMOVE b.locked"
_DROP_BLOBS = "UNWIND $digests AS digest MATCH (b:Blob {digest: digest}) WHERE NOT EXISTS { (b)--() } DELETE b"


def clear(claim: Claim, size: int) -> None:
    """Remove all that belongs to an export but the ``Export`` node.

    Parameters
    ----------
    claim : Claim
        Held.
    size : int
        Relationships of a transaction.

    Raises
    ------
    LostClaimError
    """
    nodes = max(1, size // 4)
    given = {"prefix": f"{claim.export}/", "id": claim.export, "size": size, "nodes": nodes}

    def cut_blobs(tx: neo4j.ManagedTransaction, text: str) -> int:
        """Cut ties to blobs, and in the same transaction remove those that have none left."""
        (digests,) = tx.run(literal(text), given).single(strict=True)
        ordered = sorted(set(digests))
        tx.run(_LOCK_BLOBS, digests=ordered).consume()
        tx.run(_DROP_BLOBS, digests=ordered).consume()
        return len(digests)

    def count(tx: neo4j.ManagedTransaction, text: str) -> int:
        (found,) = tx.run(literal(text), given).single(strict=True)
        return int(found)

    def sweep(tx: neo4j.ManagedTransaction, label: str) -> int:
        """Cut ties of the first nodes, or remove them when they have none left but those to blobs."""
        if found := count(tx, _CUT.format(label=label)):
            return found
        if label == "Layer":
            cut_blobs(tx, _CUT_BLOBS.format(label=label))
        return count(tx, _DROP.format(label=label))

    for label in reversed(OWNERS):
        while claim.step(partial(sweep, label=label)) != 0:
            pass
    while claim.step(lambda tx: cut_blobs(tx, _CUT_EXPORT)) != 0:
        pass
