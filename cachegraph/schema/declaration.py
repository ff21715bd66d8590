"""The graph's schema, declared once: labels, relationship types, properties, what each means and how it is computed.

NetworkX, Neo4j, the data frames, constraints, indexes and the schema page all come from here.
"""

from __future__ import annotations

import hashlib
from functools import cache

from cachegraph.schema.exports import EXPORT
from cachegraph.schema.inputs import INPUT
from cachegraph.schema.layers import BLOB, BLOB_OF, HAS_LAYER, HAS_STRAY, LAYER, LISTS, PARENT
from cachegraph.schema.looks import RUN, SOURCE
from cachegraph.schema.problems import HAS_PROBLEM, PROBLEM
from cachegraph.schema.properties import Node, Property, Relationship
from cachegraph.schema.records import HAS_RECORD, RECORD
from cachegraph.schema.results import HAS_RESULT, RESULT, USES

__all__ = [
    "BOOKKEEPING",
    "DECLARED",
    "KEPT",
    "NODES",
    "RELATIONSHIPS",
    "Node",
    "Property",
    "Relationship",
    "digest",
    "node",
    "relationship",
]

NODES: tuple[Node, ...] = (EXPORT, RECORD, RESULT, LAYER, PROBLEM, BLOB)

KEPT: tuple[Node, ...] = (SOURCE, RUN)
"""Labels that only a store keeps: nothing of them is computed from an export."""

RELATIONSHIPS: tuple[Relationship, ...] = (
    HAS_RECORD,
    HAS_LAYER,
    LISTS,
    HAS_STRAY,
    HAS_PROBLEM,
    INPUT,
    HAS_RESULT,
    USES,
    PARENT,
    BLOB_OF,
)

_NODES = {declared.label: declared for declared in NODES}
_RELATIONSHIPS = {declared.type: declared for declared in RELATIONSHIPS}
DECLARED: dict[str, Node | Relationship] = {**_NODES, **_RELATIONSHIPS}
"""Everything that has properties, by label or type."""

BOOKKEEPING: tuple[Property, ...] = (
    Property("complete", "boolean", "Whether all of it is there: written last, and taken away first."),
    Property("current", "boolean", "Whether it is complete and the newest of its source and platform."),
    Property("superseded_at", "time", "When a newer one of its source and platform was complete; null while current."),
    Property(
        "fingerprint", "string", "sha256 over the schema and all that the loader saw; another has it written again."
    ),
    Property("claimed_by", "string", "Token of the load under way, else null."),
    Property("claimed_until", "time", "When that load counts as dead unless it reports before."),
    Property("claimed_lease", "float", "Seconds that it may take from one report to the next."),
    Property("claimed_step", "integer", "Batches that it has written."),
)
"""Properties of an ``Export`` that only a store keeps."""


def node(label: str) -> Node:
    """Find a label's declaration."""
    return _NODES[label]


def relationship(type_: str) -> Relationship:
    """Find a relationship type's declaration."""
    return _RELATIONSHIPS[type_]


@cache
def digest() -> str:
    """Give the sha256 of the declaration: names, types and meanings, so that what was written by another one shows."""
    text = repr(
        [(name, [(p.name, p.type, p.description) for p in found.properties]) for name, found in DECLARED.items()]
    )
    return hashlib.sha256(text.encode()).hexdigest()
