"""The Cypher that writes a graph, made of the schema's declaration."""

from __future__ import annotations

from collections.abc import Iterator

from cachegraph.schema.declaration import KEPT, NODES, RELATIONSHIPS, Property, node, relationship

__all__ = ["OWNERS", "SHARED", "TIES", "create_owned", "create_shared", "create_tie", "schema"]

OWNERS = {"Record": "HAS_RECORD", "Layer": "HAS_LAYER", "Problem": "HAS_PROBLEM", "Result": "HAS_RESULT"}
"""Labels of nodes that belong to one export, and the relationship by which they do; written in this order."""

TIES = ("INPUT", "PARENT", "USES")
"""Relationships between nodes of one export."""

SHARED = ("LISTS", "HAS_STRAY", "BLOB")
"""Relationships to blobs, which all exports share."""

BLOB = ("size", "media_type", "diff_id")


def schema() -> Iterator[tuple[str, str]]:
    """Give the name and the statement of each constraint and index."""
    for declared in (*NODES, *KEPT):
        name = f"cachegraph_{declared.label}_{declared.key}".lower()
        yield (
            name,
            (f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{declared.label}) REQUIRE n.{declared.key} IS UNIQUE"),
        )
    for pattern, owner, properties in (
        *((f"(n:{declared.label})", declared.label, declared.properties) for declared in (*NODES, *KEPT)),
        *((f"()-[n:{declared.type}]-()", declared.type, declared.properties) for declared in RELATIONSHIPS),
    ):
        for found in properties:
            if found.indexed:
                name = f"cachegraph_{owner}_{found.name}".lower()
                yield name, f"CREATE INDEX {name} IF NOT EXISTS FOR {pattern} ON (n.{found.name})"


def create_owned(label: str) -> str:
    """Create nodes that belong to an export, with what ties them to their owner.

    Rows: the owner's key, the relationship's properties, the node's properties.
    """
    tie = relationship(OWNERS[label])
    start = (
        "MATCH (o:Export {id: $export}) UNWIND $rows AS row"
        if tie.start == "Export"
        else f"UNWIND $rows AS row MATCH (o:{tie.start} {{id: row[0]}})"
    )
    properties = node(label).properties
    ties, nodes = _map(tie.properties, 1), _map(properties, 1 + len(tie.properties))
    return f"{start} CREATE (o)-[:{tie.type}{ties}]->(:{label}{nodes})"


def create_tie(type_: str) -> str:
    """Create relationships between nodes that are there. Rows: both keys, the properties."""
    tie = relationship(type_)
    return (
        f"UNWIND $rows AS row MATCH (a:{tie.start} {{id: row[0]}}) MATCH (b:{tie.end} {{id: row[1]}}) "
        f"CREATE (a)-[:{type_}{_map(tie.properties, 2)}]->(b)"
    )


def create_shared(type_: str) -> str:
    """Create relationships to blobs, and the blobs where they are new. Rows: both keys, properties, the blob's.

    A property of a blob is never made null again, and of two values the greater stays, so that the order in which
    exports are loaded does not matter.
    """
    tie = relationship(type_)
    start = (
        "MATCH (a:Export {id: $export}) UNWIND $rows AS row"
        if tie.start == "Export"
        else f"UNWIND $rows AS row MATCH (a:{tie.start} {{id: row[0]}})"
    )
    first = 2 + len(tie.properties)
    known = ", ".join(
        f"b.{name} = CASE WHEN b.{name} IS NULL OR row[{at}] > b.{name} THEN row[{at}] ELSE b.{name} END"
        for at, name in enumerate(BLOB, first)
    )
    return f"{start} MERGE (b:Blob {{digest: row[1]}}) SET {known} CREATE (a)-[:{type_}{_map(tie.properties, 2)}]->(b)"


def _map(properties: tuple[Property, ...], first: int) -> str:
    """Write the map of properties taken from a row, from this position on."""
    if not properties:
        return ""
    return " {" + ", ".join(f"`{p.name}`: {_value(p, f'row[{at}]')}" for at, p in enumerate(properties, first)) + "}"


def _value(declared: Property, value: str) -> str:
    if declared.type != "time":
        return value
    time = f"datetime('1970-01-01T00:00:00Z') + duration({{nanoseconds: {value}}})"
    return f"CASE WHEN {value} IS NULL THEN null ELSE {time} END"
