"""Exports that hold nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole

__all__ = ["QUERY", "EmptyExport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyExport(Finding):
    """An export without a record.

    Attributes
    ----------
    layers : int
        Layers that it holds all the same.
    """

    layers: int


def ask(graph: ExportGraph) -> Iterator[EmptyExport]:
    """Say whether the export holds nothing.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    EmptyExport
        One, if BuildKit imports it and finds no record.
    """
    for export, records, layers, importable in whole(graph, "Export").each("id", "records", "layers", "importable"):
        if not records and importable:
            yield EmptyExport(query=QUERY.name, severity=_SEVERITIES.of(), export=export, layers=layers)


_SEVERITIES = Severities(otherwise="error")


def _sentence(finding: EmptyExport, title: Title) -> str:  # noqa: ARG001 - about no record
    return (
        "the export holds no record: BuildKit imports it, finds nothing, and every step runs. Export again."
    )


QUERY = Query(
    name="empty-exports",
    title="Is the export empty?",
    meaning=(
        "BuildKit imports a cache config without records and says nothing; every step runs. A build writes one when it "
        "ran nothing, or when none of its results could be exported."
    ),
    severity="error",
    finding=EmptyExport,
    heading="Empty exports",
    severities=_SEVERITIES,
    ask=ask,
    sentence=_sentence,
    example='{"records": [], "layers": []}',
    cure="Export a build that ran its steps, with mode=max.",
)
