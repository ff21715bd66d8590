"""What tests make by hand: cache configs of a few records, the graphs of them, and image layouts on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cachegraph as cg
from cachegraph.core.decode import encode
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import (
    Blob,
    CacheConfig,
    CacheInput,
    CacheLayer,
    CacheRecord,
    CacheResult,
    ChainedResult,
)
from cachegraph.core.operations import record_digest
from cachegraph.loaders.config import export_from_config

__all__ = [
    "CONFIG",
    "DIFF",
    "INDEX",
    "MANIFEST",
    "Layout",
    "export_graph",
    "graph_of",
    "layers",
    "merge",
    "record",
    "rows",
]

CONFIG = "application/vnd.buildkit.cacheconfig.v0"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"

DIFF = record_digest('{"Type":"buildkit.diff.v0","Diff":{"lower":{},"upper":{"input":1}}}')
"""Digest of a diff of two inputs."""


def merge(width: int) -> str:
    """Digest of a merge of so many inputs."""
    inputs = ",".join(["{}", *(f'{{"input":{number}}}' for number in range(1, width))])
    return record_digest(f'{{"Type":"buildkit.merge.v0","Merge":{{"inputs":[{inputs}]}}}}')


def record(
    digest: str,
    *slots: list[int] | list[tuple[int, str]],
    layer: int | None = None,
    chain: tuple[int, ...] | None = None,
    chains: Iterable[tuple[int, ...]] = (),
) -> CacheRecord:
    """Make a record: each slot is a list of alternatives, by index or by index and selector."""
    pairs = [[each if isinstance(each, tuple) else (each, "") for each in slot] for slot in slots]
    every = [*([] if chain is None else [chain]), *chains]
    return CacheRecord(
        digest=digest,
        inputs=tuple(tuple(CacheInput(link=link, selector=selector) for link, selector in slot) for slot in pairs),
        layers=() if layer is None else (CacheResult(layer=layer),),
        chains=tuple(ChainedResult(layers=indexes) for indexes in every),
    )


def layers(*parents: int) -> tuple[CacheLayer, ...]:
    """Make layers ``blob-0``, ``blob-1``, ... by the indexes of their parents."""
    return tuple(CacheLayer(blob=f"blob-{index}", parent=parent) for index, parent in enumerate(parents))


def graph_of(
    *records: CacheRecord, stack: tuple[CacheLayer, ...] = (), blobs: list[str] | None = None
) -> cg.CacheGraph:
    """Make a graph of a config; `blobs` are what its manifest lists."""
    return cg.from_config(encode(CacheConfig(records=records, layers=stack)), blobs=blobs)


def export_graph(
    *records: CacheRecord,
    stack: tuple[CacheLayer, ...] = (),
    blobs: Iterable[str | Blob] | None = None,
    **changes: Any,  # noqa: ANN401 - fields of any type
) -> ExportGraph:
    """Make the graph of one export; `blobs` are what its manifest lists, `changes` go to other fields of the export."""
    export = export_from_config(encode(CacheConfig(records=records, layers=stack)))
    if blobs is not None:
        changes["blobs"] = tuple(blob if isinstance(blob, Blob) else Blob(digest=blob) for blob in blobs)
    return ExportGraph(replace(export, **changes))


def rows(graph: cg.CacheGraph, query: str, *names: str) -> list[tuple[Any, ...]]:
    """Ask a question; give these fields of its findings."""
    return [tuple(getattr(finding, name) for name in names) for finding in graph.query(query)]


class Layout:
    """An image layout made by hand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries: list[dict[str, Any]] = []
        (root / "blobs" / "sha256").mkdir(parents=True)
        (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data: bytes, media_type: str = "") -> dict[str, Any]:
        """Write a blob; give its descriptor."""
        digits = hashlib.sha256(data).hexdigest()
        (self.root / "blobs" / "sha256" / digits).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digits}", "size": len(data)}

    def export(self, config: bytes, layers: list[dict[str, Any]] | None = None, tag: str | None = "latest") -> None:
        """Write a cache config with its manifest."""
        manifest = {"mediaType": MANIFEST, "config": self.blob(config, CONFIG), "layers": layers or []}
        self.add(manifest, tag)

    def add(self, manifest: dict[str, Any], tag: str | None = None) -> None:
        """Write a manifest, and list it in the index."""
        entry = self.blob(json.dumps(manifest).encode(), manifest.get("mediaType", MANIFEST))
        if tag:
            entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
        self.entries.append(entry)
        self.write()

    def write(self) -> None:
        """Write the index."""
        (self.root / "index.json").write_text(json.dumps({"manifests": self.entries}))
