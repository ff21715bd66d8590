"""Bytes of the config against BuildKit's limit, and what fills it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from cachegraph.core.graph import ExportGraph
from cachegraph.core.verdict import MAX_CONFIG_BYTES, SIZE_LIMITED
from cachegraph.queries.base import Finding, Query, Severity, Title
from cachegraph.text.words import plural, size_text

__all__ = ["QUERY", "SizeForecast"]

_NEAR = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeForecast(Finding):
    """Size of an export's config.

    Attributes
    ----------
    bytes : int
    limit : int or None
        Bytes after which BuildKit refuses it; None where there is no limit.
    records : int
        Number of records.
    layers_bytes, inputs_bytes, results_bytes, other_bytes : int
        What fills it: descriptions of layers, inputs of records, results of records, digests and the rest.
    records_left : int or None
        How many more records of the present average size fit; None without a limit or without records.
    """

    bytes: int
    limit: int | None
    records: int
    layers_bytes: int
    inputs_bytes: int
    results_bytes: int
    other_bytes: int
    records_left: int | None


def ask(graph: ExportGraph) -> Iterator[SizeForecast]:
    """Weigh the config.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    SizeForecast
        One; none for a daemon, which has no config.
    """
    if graph.export.kind == "daemon":
        return
    config, total = graph.export.config, graph.export.config_bytes
    # An inline cache is the records alone: its layers are the image's.
    own_layers = config.layers if graph.export.kind != "inline" else ()
    layers = len(msgspec.json.encode(own_layers)) if own_layers else 0
    inputs = sum(len(msgspec.json.encode(record.inputs)) for record in config.records if record.inputs)
    results = sum(
        len(msgspec.json.encode((record.layers, record.chains)))
        for record in config.records
        if record.layers or record.chains
    )
    limit = MAX_CONFIG_BYTES if graph.export.kind in SIZE_LIMITED else None
    count = len(config.records)
    yield SizeForecast(
        query=QUERY.name,
        severity=_severity(total, limit),
        export=graph.id,
        bytes=total,
        limit=limit,
        records=count,
        layers_bytes=layers,
        inputs_bytes=inputs,
        results_bytes=results,
        other_bytes=max(0, total - layers - inputs - results),
        records_left=None if limit is None or not count else max(0, (limit - total) * count // total),
    )


def _severity(total: int, limit: int | None) -> Severity:
    if limit is None or total <= _NEAR * limit:
        return "note"
    return "error" if total > limit else "warning"


def _sentence(finding: SizeForecast, title: Title) -> str:  # noqa: ARG001 - about no record
    parts = {
        "layers": finding.layers_bytes,
        "inputs": finding.inputs_bytes,
        "results": finding.results_bytes,
        "digests": finding.other_bytes,
    }
    most = max(parts, key=lambda part: parts[part])
    size = size_text(finding.bytes)
    if finding.limit is None:
        return f"the config takes {size}, most of it {most}. BuildKit sets no limit for this kind of cache."
    share = f"{finding.bytes / finding.limit:.0%} of BuildKit's limit of {size_text(finding.limit)}"
    start = f"the config takes {size}, {share}, most of it {most}"
    left = plural(finding.records_left or 0, "more record")
    match finding.severity:
        case "error":
            return f"{start}. BuildKit refuses it: export less, or export to S3, Azure or GitHub."
        case "warning":
            return f"{start}. It has room for about {left}; then BuildKit refuses it and every step runs. Export less."
    return f"{start}. It has room for about {left}."


QUERY = Query(
    name="size-forecast",
    title="How near is the config to BuildKit's limit?",
    meaning=(
        "BuildKit refuses a manifest or a cache config over 1 MiB in a registry or a local directory, and then every "
        "build starts cold, from one day to the next. S3, Azure, GitHub and inline caches have no such limit."
    ),
    severity="error over the limit, warning from 80 % on, else note",
    finding=SizeForecast,
    ask=ask,
    sentence=_sentence,
    example="A cache that several branches export to grows by 40 records a week, and its config takes 900 KiB.",
    cure="Export less (mode=min, fewer stages, one cache for each target), or export to S3, Azure or GitHub.",
)
