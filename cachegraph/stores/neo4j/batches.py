"""An export's rows in batches, each with the statement that writes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import islice
from typing import Any

import msgspec

from cachegraph.core.graph import ExportGraph
from cachegraph.schema import declaration
from cachegraph.schema.facts import whole
from cachegraph.stores.neo4j.statements import BLOB, OWNERS, SHARED, TIES, create_owned, create_shared, create_tie

__all__ = ["BATCH", "Batch", "batches", "export_properties", "fingerprint", "transactions"]

BATCH = 10_000
"""Rows of a transaction."""

Batch = tuple[str, list[list[Any]]]
"""A statement and its rows."""


def batches(graph: ExportGraph, size: int = BATCH) -> Iterator[Batch]:
    """Give all that belongs to an export but its ``Export`` node.

    Parameters
    ----------
    graph : ExportGraph
    size : int
        Rows of a batch.

    Yields
    ------
    tuple of (str, list of list)
        A statement and its rows.
    """
    for label, type_ in OWNERS.items():
        ties = whole(graph, type_)
        columns = [ties["from"], *ties.properties, *whole(graph, label).properties]
        yield from _cut(create_owned(label), zip(*columns, strict=True), size)
    for type_ in TIES:
        yield from _cut(create_tie(type_), zip(*whole(graph, type_).values(), strict=True), size)
    blobs = _blobs(graph)
    for type_ in SHARED:
        rows = zip(*whole(graph, type_).values(), strict=True)
        # Loaders at work at the same time lock shared blobs in the same order, so they do not wait for each other.
        ordered = sorted(rows, key=lambda row: str(row[1]))
        yield from _cut(create_shared(type_), ((*row, *blobs[row[1]]) for row in ordered), size)


def transactions(graph: ExportGraph, size: int = BATCH) -> Iterator[list[Batch]]:
    """Give the batches, small ones together: most exports fit into one transaction.

    Parameters
    ----------
    graph : ExportGraph
    size : int
        Rows of a transaction.

    Yields
    ------
    list of (str, list of list)
    """
    together: list[Batch] = []
    held = 0
    for statement, rows in batches(graph, size):
        if together and held + len(rows) > size:
            yield together
            together, held = [], 0
        together.append((statement, rows))
        held += len(rows)
    if together:
        yield together


def _blobs(graph: ExportGraph) -> Mapping[str, list[Any]]:
    return {digest: properties for digest, *properties in whole(graph, "Blob").each("digest", *BLOB)}


def _cut(statement: str, rows: Iterator[tuple[Any, ...]], size: int) -> Iterator[Batch]:
    while batch := [list(row) for row in islice(rows, size)]:
        yield statement, batch


def export_properties(graph: ExportGraph) -> dict[str, Any]:
    """Give the properties of the ``Export`` node, but for its own time, which is the server's to say."""
    return {name: column[0] for name, column in whole(graph, "Export").items() if name != "loaded_at"}


def fingerprint(graph: ExportGraph) -> str:
    """Digest all that the loader saw of an export, and the schema that makes rows of it.

    The id names the config alone: blobs that the store has lost since, problems, and plaintexts of keys come on top.

    Parameters
    ----------
    graph : ExportGraph
    """
    export = graph.export
    seen = [getattr(export, field.name) for field in fields(export) if field.name != "config"]
    names = graph.names.records
    digests = dict.fromkeys(record.digest for record in export.config.records) if names else {}
    known = [(digest, names[digest].op, names[digest].name) for digest in digests if digest in names]
    return hashlib.sha256(msgspec.json.encode([declaration.digest(), seen, known])).hexdigest()
