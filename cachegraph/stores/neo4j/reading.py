"""An export read back from its nodes: what comparing, explaining and predicting need of it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import (
    ZERO_TIME,
    Blob,
    CacheConfig,
    CacheExport,
    CacheInput,
    CacheLayer,
    CacheRecord,
    CacheResult,
    ChainedResult,
    LayerAnnotations,
    Name,
    Names,
)
from cachegraph.errors import UnknownNameError
from cachegraph.stores.neo4j.connection import Connection

__all__ = ["read_export"]

_EXPORT = "MATCH (e:Export {id: $id, complete: true}) RETURN e {.*, loaded_at: null}"
_RECORDS = """
MATCH (:Export {id: $id})-[:HAS_RECORD]->(r:Record)
RETURN r.index, r.digest, r.name, r.op ORDER BY r.index
"""
_LAYERS = """
MATCH (:Export {id: $id})-[:HAS_LAYER]->(l:Layer)-[:BLOB]->(b:Blob)
OPTIONAL MATCH (l)-[:PARENT]->(below:Layer)
RETURN l.index, b.digest, coalesce(below.index, -1), toString(l.created_at) ORDER BY l.index
"""
_INPUTS = """
MATCH (:Export {id: $id})-[:HAS_RECORD]->(r:Record)-[i:INPUT]->(to:Record)
RETURN r.index, i.slot, i.alternative, to.index, coalesce(i.selector, '')
ORDER BY r.index, i.slot, i.alternative
"""
_RESULTS = """
MATCH (:Export {id: $id})-[:HAS_RECORD]->(r:Record)-[has:HAS_RESULT]->(t:Result)
RETURN r.index, t.kind, toString(t.created_at),
       COLLECT { MATCH (t)-[u:USES]->(l:Layer) RETURN l.index ORDER BY u.position }
ORDER BY r.index, has.position
"""
_BLOBS = """
MATCH (:Export {id: $id})-[l:LISTS]->(b:Blob)
RETURN b.digest, b.size, b.media_type, b.diff_id, l.present, l.fault ORDER BY b.digest
"""


def read_export(connection: Connection, id_: str) -> ExportGraph:
    """Read an export back.

    Parameters
    ----------
    connection : Connection
    id_ : str
        Of the export.

    Returns
    -------
    ExportGraph
        Its keys, results and what of them can be loaded are those of the export that was loaded, and so is its verdict.
        Not kept are indexes that lead nowhere, and problems and strays, which say nothing about keys and results.

    Raises
    ------
    cachegraph.errors.UnknownNameError
        The store holds no such export, or not all of it.
    """
    given = {"id": id_}
    rows = connection.read(_EXPORT, given)
    if not rows:
        raise UnknownNameError(f"{connection.place}: no export has the id {id_!r}", hint="`contents` lists them")
    said: dict[str, Any] = rows[0][0]
    records = connection.read(_RECORDS, given)
    inputs = _inputs(connection.read(_INPUTS, given))
    layers, chains = _results(connection.read(_RESULTS, given))
    found = connection.read(_LAYERS, given)
    config = CacheConfig(
        layers=tuple(
            CacheLayer(
                blob=blob,
                parent=parent,
                annotations=LayerAnnotations(created_at=made) if made and said["kind"] != "inline" else None,
            )
            for _, blob, parent, made in found
        ),
        records=tuple(
            CacheRecord(
                digest=digest,
                inputs=inputs.get(index, ()),
                layers=tuple(layers[index]),
                chains=tuple(chains[index]),
            )
            for index, digest, _, _ in records
        ),
    )
    names = {digest: Name(op=op, name=name) for _, digest, name, op in records if name is not None}
    export = CacheExport(
        source=said["source"],
        kind=said["kind"],
        config=config,
        config_digest=said["config_digest"],
        config_bytes=said["bytes"],
        blobs=tuple(
            Blob(digest=digest, size=size, media_type=media_type, diff_id=diff_id, present=present, fault=fault)
            for digest, size, media_type, diff_id, present, fault in connection.read(_BLOBS, given)
        ),
        platform=said.get("platform"),
        manifest_digest=said.get("manifest_digest"),
        shape=said.get("shape"),
        refusal=said.get("import_error"),
        results_known=said["results_known"],
    )
    return ExportGraph(export, Names(records=names))


def _inputs(rows: list[tuple[Any, ...]]) -> dict[int, tuple[tuple[CacheInput, ...], ...]]:
    """Put the inputs into their slots; a slot of which nothing leads anywhere stays, and is empty."""
    slots: defaultdict[int, list[list[CacheInput]]] = defaultdict(list)
    for record, slot, _, link, selector in rows:
        while len(slots[record]) <= slot:
            slots[record].append([])
        slots[record][slot].append(CacheInput(selector=selector, link=link))
    return {record: tuple(map(tuple, found)) for record, found in slots.items()}


def _results(
    rows: list[tuple[Any, ...]],
) -> tuple[defaultdict[int, list[CacheResult]], defaultdict[int, list[ChainedResult]]]:
    layers: defaultdict[int, list[CacheResult]] = defaultdict(list)
    chains: defaultdict[int, list[ChainedResult]] = defaultdict(list)
    for record, kind, made, used in rows:
        made_at = made or ZERO_TIME
        if kind == "chain":
            chains[record].append(ChainedResult(layers=tuple(used), created_at=made_at))
        else:
            layers[record].append(CacheResult(layer=used[-1] if used else -1, created_at=made_at))
    return layers, chains
