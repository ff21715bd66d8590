"""Small exports, written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Name, Names
from cachegraph.loaders.config import export_from_config

Slot = Sequence[tuple[str, str]]
"""Alternatives of a slot: selector and digest."""


def export(
    steps: Mapping[str, tuple[Sequence[Slot], int | None]],
    *,
    blobs: Sequence[str] | None = None,
    times: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
) -> ExportGraph:
    """Make an export of keys with distinct digests.

    Parameters
    ----------
    steps : mapping of str to tuple
        For each digest its slots and the layer of its result; layer N is blob ``bN`` on layer N - 1.
    blobs : sequence of str, optional
        What the manifest lists.
    times : mapping of str to str, optional
        When results were made.
    names : mapping of str to str, optional
    """
    place = {digest: index for index, digest in enumerate(steps)}
    count = max((layer for _, layer in steps.values() if layer is not None), default=-1) + 1
    records = [
        {
            "digest": digest,
            "inputs": [[{"selector": s, "link": place[d]} for s, d in slot] for slot in slots],
            "layers": []
            if layer is None
            else [{"layer": layer, "createdAt": (times or {}).get(digest, "2026-01-01T00:00:00Z")}],
        }
        for digest, (slots, layer) in steps.items()
    ]
    layers = [{"blob": f"b{number}", "parent": number - 1} for number in range(count)]
    config = json.dumps({"records": records, "layers": layers}).encode()
    named = Names(records={digest: Name(op="exec", name=name) for digest, name in (names or {}).items()})
    return ExportGraph(export_from_config(config, blobs=blobs), named)


BASE: dict[str, tuple[Sequence[Slot], int | None]] = {
    "base": ((), None),
    "files": ((), None),
    "copy": (([("", "base")], [("", "files")]), 0),
    "make": (([("/", "copy")],), 1),
    "test": (([("/", "make")],), 2),
}
"""FROM base, COPY files, RUN make, RUN test."""
