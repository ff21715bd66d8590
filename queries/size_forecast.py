"""Bytes of the config against BuildKit's limit, and what fills it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import MoreThan, Severities
from cachegraph.schema.facts import whole
from cachegraph.text.words import plural, size_text

__all__ = ["QUERY", "SizeForecast"]

_PARTS = ("layers_bytes", "inputs_bytes", "results_bytes", "other_bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeForecast(Finding):
    """Size of an export's config.

    Attributes
    ----------
    bytes : int
        Bytes of the config.
    limit : int or None
        Bytes after which BuildKit refuses it; None where there is no limit.
    records : int
        Number of records.
    layers_bytes : int
        Bytes of it that describe layers.
    inputs_bytes : int
        Bytes of it that describe inputs of records.
    results_bytes : int
        Bytes of it that describe results of records.
    other_bytes : int
        Bytes of it for digests and the rest.
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
    columns = ("bytes", "bytes_limit", "records", *_PARTS, "records_left", "importable")
    for size, limit, records, layers, inputs, results, other, left, importable in whole(graph, "Export").each(*columns):
        if other is not None:
            yield SizeForecast(
                query=QUERY.name,
                severity=_SEVERITIES.of(bytes=size, limit=limit, refused=int(not importable)),
                export=graph.id,
                bytes=size,
                limit=limit,
                records=records,
                layers_bytes=layers,
                inputs_bytes=inputs,
                results_bytes=results,
                other_bytes=other,
                records_left=left,
            )


_SEVERITIES = Severities(
    ("note", MoreThan("refused", 0)),
    ("error", MoreThan("bytes", "limit")),
    ("warning", MoreThan("bytes", "limit", share=0.8)),
    otherwise="note",
)


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
    if finding.records_left is None:
        return f"{start}."
    left = plural(finding.records_left, "more record")
    if finding.bytes > finding.limit:
        return f"{start}. BuildKit refuses it: export less, or export to S3, Azure or GitHub."
    match finding.severity:
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
    severity="error over the limit, warning from 80 % on, else note; a note where import-errors says it already",
    finding=SizeForecast,
    heading="Size of the config",
    severities=_SEVERITIES,
    ask=ask,
    sentence=_sentence,
    example="A cache that several branches export to grows by 40 records a week, and its config takes 900 KiB.",
    cure="Export less (mode=min, fewer stages, one cache for each target), or export to S3, Azure or GitHub.",
)
