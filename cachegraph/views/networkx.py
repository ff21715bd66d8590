"""The graph for NetworkX, with the schema's labels and properties, and back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
    Name,
    Names,
    Problem,
    StrayBlob,
)
from cachegraph.core.times import rfc3339
from cachegraph.errors import DecodeError, MissingExtraError, UnknownNameError
from cachegraph.schema.declaration import NODES, RELATIONSHIPS
from cachegraph.schema.facts import Table, shown
from cachegraph.schema.properties import Column
from cachegraph.text.nearest import did_you_mean
from cachegraph.text.render import legal

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["from_networkx", "to_networkx"]


def to_networkx(graphs: Sequence[ExportGraph], kinds: Iterable[str] | None = None) -> nx.MultiDiGraph[str]:
    """Make a NetworkX graph.

    Parameters
    ----------
    graphs : sequence of ExportGraph
    kinds : iterable of str, optional
        Labels of the nodes to take, such as ``["Record"]``; by default all. Edges are those between these nodes.

    Returns
    -------
    networkx.MultiDiGraph
        Nodes are named by their keys and have ``label``; edges are keyed and have ``type``. Null properties are left
        out; times are nanoseconds since 1970 UTC. Lists are JSON texts and control characters are replaced, since
        GraphML and others can hold neither.

    Raises
    ------
    MissingExtraError
        NetworkX is not installed.
    UnknownNameError
        No such label.
    """
    try:
        import networkx as nx
    except ImportError:
        raise MissingExtraError("a NetworkX graph", "notebook") from None
    wanted = _wanted(kinds)
    made: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for graph in graphs:
        for declared in NODES:
            if declared.label in wanted:
                rows = shown(graph, declared.label)
                made.add_nodes_from(
                    (key, {"label": declared.label, **properties})
                    for key, properties in zip(rows[declared.key], _each(rows), strict=True)
                )
        for tie in RELATIONSHIPS:
            if {tie.start, tie.end} <= wanted:
                made.add_edges_from(
                    (properties.pop("from"), properties.pop("to"), {"type": tie.type, **properties})
                    for properties in _each(shown(graph, tie.type))
                )
    return made


def _wanted(kinds: Iterable[str] | None) -> set[str]:
    labels = [declared.label for declared in NODES]
    wanted = set(labels if kinds is None else [kinds] if isinstance(kinds, str) else kinds)
    if unknown := wanted - set(labels):
        name = min(unknown)
        raise UnknownNameError(f"there is no label {name!r}", hint=did_you_mean(name, labels, "labels"))
    return wanted


def _each(rows: Table) -> Iterator[dict[str, Any]]:
    """Turn columns into one dict of what is not null for each row."""
    columns = {name: _plain(column) for name, column in rows.items()}
    for values in zip(*columns.values(), strict=True):
        yield {name: value for name, value in zip(columns, values, strict=True) if value is not None}


def _plain(column: Column) -> Column:
    """Leave in a column what every format can hold: lists become JSON, control characters are replaced."""
    kinds = set(map(type, column))
    if list in kinds:
        return [None if value is None else json.dumps(value) for value in column]
    if str in kinds:
        return [value if value is None or value.isprintable() else legal(value) for value in column]
    return column


def from_networkx(made: nx.MultiDiGraph[str]) -> tuple[list[CacheExport], Names]:
    """Read exports back from a NetworkX graph: `cachegraph.CacheGraph` takes them.

    Promised for whole exports that BuildKit imports: their records, inputs, results, layers and blobs come back, and so
    every answer about them. What the schema does not hold is lost: the paths behind selectors, the annotations that S3,
    Azure and GitHub exports have, and the config's very bytes.

    Parameters
    ----------
    made : networkx.MultiDiGraph
        Of `to_networkx`, or read from GraphML with ``force_multigraph=True``.

    Returns
    -------
    list of CacheExport
    Names
        The names that records have in the graph.

    Raises
    ------
    DecodeError
        An export that BuildKit refuses, one of which only a part is there, or no graph of this schema.
    """
    reader = _Reader(made)
    try:
        exports = [reader.export(key) for key, found in made.nodes(data=True) if found.get("label") == "Export"]
    except (KeyError, ValueError) as error:
        raise DecodeError(f"the graph lacks {error}", hint="give one that to_networkx made, unchanged") from None
    # An image's history names records of that image alone: what another export has without a name stays so.
    names = {digest: name for digest, name in reader.names.items() if digest not in reader.nameless}
    return exports, Names(records=names)


class _Reader:
    """Walks the graph by relationship type; edges of a node come sorted by the property that orders them."""

    def __init__(self, made: nx.MultiDiGraph[str]) -> None:
        self.nodes: Mapping[str, Mapping[str, Any]] = made.nodes
        self.out: dict[tuple[str, str], list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
        self.names: dict[str, Name] = {}
        self.nameless: set[str] = set()
        for start, end, properties in made.edges(data=True):
            self.out[start, properties["type"]].append((end, properties))

    def export(self, key: str) -> CacheExport:
        found = self.nodes[key]
        if not found["importable"]:
            raise DecodeError(f"{found['source']}: BuildKit refuses this export", hint="load it from its source")
        layers = self._indexed(key, "HAS_LAYER")
        records = self._indexed(key, "HAS_RECORD")
        history = tuple(
            (_text(self.nodes[layer].get("created_at")), self.nodes[layer].get("created_by")) for layer in layers
        )
        config = CacheConfig(
            layers=tuple(self._layer(layer, layers) for layer in layers),
            records=tuple(self._record(record, records, layers) for record in records),
        )
        return CacheExport(
            source=found["source"],
            kind=found["kind"],
            config=config,
            config_digest=found["config_digest"],
            config_bytes=found["bytes"],
            blobs=tuple(self._blob(blob, listed) for blob, listed in self.out[key, "LISTS"]),
            platform=found.get("platform"),
            problems=tuple(self._problem(problem) for problem, _ in self.out[key, "HAS_PROBLEM"]),
            strays=tuple(_stray(blob, found) for blob, found in self.out[key, "HAS_STRAY"]) or None,
            store=found.get("store", ""),
            manifest_digest=found.get("manifest_digest"),
            shape=found.get("shape"),
            results_known=found["results_known"],
            layer_history=history if any(created or by for created, by in history) else (),
            layer_names=self._layer_names(records, layers) if found["kind"] == "inline" else (),
        )

    def _layer_names(self, records: Mapping[str, int], layers: Mapping[str, int]) -> tuple[Name | None, ...]:
        """Give what made each layer, as the records that end in it are called."""
        made: list[Name | None] = [None] * len(layers)
        for key in records:
            record = self.nodes[key]
            for result, _ in self.out[key, "HAS_RESULT"] if record.get("op") in ("exec", "file") else ():
                if record.get("name") and (used := _sorted(self.out[result, "USES"])):
                    made[layers[used[-1][0]]] = Name(op=record["op"], name=record["name"])
        return tuple(made)

    def _indexed(self, key: str, type_: str) -> dict[str, int]:
        """Give the positions of an export's records or layers; all must be there."""
        found = {end: self.nodes[end]["index"] for end, _ in self.out[key, type_]}
        if sorted(found.values()) != list(range(len(found))):
            raise DecodeError(f"{self.nodes[key]['source']}: only a part of it is there", hint="give a whole graph")
        return dict(sorted(found.items(), key=lambda pair: pair[1]))

    def _layer(self, key: str, layers: Mapping[str, int]) -> CacheLayer:
        (blob, _), *_rest = self.out[key, "BLOB"]
        parents = [layers[parent] for parent, _ in self.out[key, "PARENT"]]
        return CacheLayer(blob=blob, parent=parents[0] if parents else -1)

    def _record(self, key: str, records: Mapping[str, int], layers: Mapping[str, int]) -> CacheRecord:
        found = self.nodes[key]
        if found.get("name"):
            self.names[found["digest"]] = Name(op=found["op"], name=found["name"])
        else:
            self.nameless.add(found["digest"])
        slots: dict[int, dict[int, CacheInput]] = defaultdict(dict)
        for end, properties in self.out[key, "INPUT"]:
            one = CacheInput(selector=properties.get("selector", ""), link=records[end])
            slots[properties["slot"]][properties["alternative"]] = one
        results: dict[str, list[tuple[str, list[int]]]] = {"layer": [], "chain": []}
        for end, _ in _sorted(self.out[key, "HAS_RESULT"]):
            result = self.nodes[end]
            used = [layers[layer] for layer, _ in _sorted(self.out[end, "USES"])]
            results[result["kind"]].append((_text(result.get("created_at")) or ZERO_TIME, used))
        return CacheRecord(
            digest=found["digest"],
            inputs=tuple(tuple(one for _, one in sorted(slots[slot].items())) for slot in sorted(slots)),
            layers=tuple(CacheResult(layer=used[-1], created_at=at) for at, used in results["layer"]),
            chains=tuple(ChainedResult(layers=tuple(used), created_at=at) for at, used in results["chain"]),
        )

    def _problem(self, key: str) -> Problem:
        found = self.nodes[key]
        return Problem(
            code=found["code"], severity=found["severity"], digest=found.get("digest"), message=found["message"]
        )

    def _blob(self, key: str, listed: Mapping[str, Any]) -> Blob:
        found = self.nodes[key]
        return Blob(
            digest=key,
            size=found.get("size"),
            media_type=found.get("media_type"),
            diff_id=found.get("diff_id"),
            present=listed.get("present"),
            fault=listed.get("fault"),
        )


def _stray(digest: str, found: Mapping[str, Any]) -> StrayBlob:
    return StrayBlob(digest=digest, size=found["bytes"], modified_at=found.get("modified_at"))


def _sorted(edges: list[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, Mapping[str, Any]]]:
    return sorted(edges, key=lambda edge: int(edge[1]["position"]))


def _text(ns: int | None) -> str | None:
    return None if ns is None else rfc3339(ns)
