"""Real builds, computed from their sources: what `cg.build` says of each, and where to find it in BuildKit's export."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cachegraph as cg
from cachegraph.building import BuildGraph
from cachegraph.graph import CacheGraph
from cachegraph.reading import from_config
from cachegraph.solver.match import match
from tests.builds.content.corpus import DATA, write_source

BASES = DATA / "bases"
FILES = "127.0.0.1:15012"
"""Where the builds had their files and repositories; the tests have them elsewhere, which is in no key."""

Json = Mapping[str, Any]


@cache
def read(name: str, folder: Path = DATA) -> tuple[Json, ...]:
    """Read the lines of a file."""
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)


def build(case: Json, root: Path, host: str = FILES, **more: Any) -> BuildGraph:  # noqa: ANN401 - as `cg.build` takes them
    """Write a case's source down and compute its keys."""
    moved = json.loads(json.dumps(case).replace(FILES, host))
    write_source(moved["source"], root)
    context = moved["context"]
    is_remote = "://" in context
    return cg.build(
        context if is_remote else root / context,
        dockerfile=None if is_remote else root / moved["dockerfile"],
        target=moved["target"],
        platform=moved["platform"],
        build_args=moved["args"],
        build_contexts={
            name: value if isinstance(value, str) else root / value["local"]
            for name, value in moved["contexts"].items()
        },
        options=dict(option.split("=", 1) for option in moved["opts"]),
        images=BASES,
        secrets=list(moved["secrets"]),
        allow=moved["allow"],
        builder="linux/amd64",
        **more,
    )


def predicted_source(case: Json) -> Json:
    """Give the source of a prediction the form of a case; its Dockerfile is beside the context."""
    source = case["source"]
    files = [
        {"path": f"context/{path}", "type": "file", "mode": f"{mode:o}", "mtime": mtime, "text": text}
        for path, (text, mode, mtime) in source["files"].items()
    ]
    dockerfile = {"path": "df/Dockerfile", "type": "file", "mode": "644", "text": source["df"]}
    return {
        "name": case["name"],
        "source": [{"path": "context", "type": "dir", "mode": "755"}, dockerfile, *files],
        "dockerfile": "df/Dockerfile",
        "context": "context",
        "args": source.get("args") or {},
        "target": source.get("target"),
        "platform": None,
        "contexts": {},
        "opts": [],
        "secrets": source.get("secrets") or {},
        "allow": [],
    }


def export_of(case: Json) -> CacheGraph:
    """Give what BuildKit exported of a case."""
    if case["config"] is None:
        return CacheGraph(())
    return from_config(json.dumps(case["config"]).encode(), [blob["digest"] for blob in case["blobs"]["layers"]])


def same_records(build: CacheGraph, export: CacheGraph) -> list[list[int]]:
    """Find each record of a build among the exported ones."""
    (own,) = build.graphs
    if not export.graphs:
        return [[] for _ in range(len(own))]
    found = match(own, export.graphs[0])
    return [found.records(record) for record in range(len(own))]


def steps_of(build: CacheGraph, export: CacheGraph, at: Mapping[int, Json]) -> Iterator[tuple[int, Json]]:
    """Give the steps of a build with what BuildKit says of them, by records of its export."""
    for record, others in enumerate(same_records(build, export)):
        told = [at[other] for other in others if other in at]
        if build.graphs[0].export.config.records[record].inputs and told:
            # Two platforms may share a record: it was executed if either was.
            yield record, next((step for step in told if step["executed"]), told[0])
