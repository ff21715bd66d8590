"""Neo4j, over its official driver: exports loaded in batches, never half-loaded, and the questions asked in Cypher.

>>> from cachegraph.stores.neo4j import Neo4jStore
>>> with Neo4jStore.connect("neo4j://localhost", auth=("neo4j", "..."))  as store:  # doctest: +SKIP
...     store.write(cachegraph.load("./cache"))
...     store.ask("missing-results")
"""

from __future__ import annotations

from cachegraph.stores.neo4j.addresses import Auth
from cachegraph.stores.neo4j.looks import Listing, Look
from cachegraph.stores.neo4j.store import Neo4jStore
from cachegraph.stores.neo4j.summaries import Failure, PruneSummary, Status, StoredExport, WriteSummary
from cachegraph.stores.neo4j.values import Table
from cachegraph.stores.neo4j.writing import StoppedError

__all__ = [
    "Auth",
    "Failure",
    "Listing",
    "Look",
    "Neo4jStore",
    "PruneSummary",
    "Status",
    "StoppedError",
    "StoredExport",
    "Table",
    "WriteSummary",
]
