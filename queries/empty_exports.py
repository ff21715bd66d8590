"""Exports that hold no step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole
from cachegraph.text.words import plural

__all__ = ["QUERY", "EmptyExport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyExport(Finding):
    """An export without a step.

    Attributes
    ----------
    records : int
        Records that it holds all the same: sources, and operations on scratch.
    """

    records: int


def ask(graph: ExportGraph) -> Iterator[EmptyExport]:
    """Say whether the export holds no step.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    EmptyExport
        One, if BuildKit imports it and finds no record.
    """
    for export, records, roots, importable in whole(graph, "Export").each("id", "records", "roots", "importable"):
        if records == roots and importable:
            yield EmptyExport(query=QUERY.name, severity=_SEVERITIES.of(), export=export, records=records)


_SEVERITIES = Severities(otherwise="error")


def _sentence(finding: EmptyExport, title: Title) -> str:  # noqa: ARG001 - about no record
    holds = f"{plural(finding.records, 'record')} without inputs and no step" if finding.records else "no record"
    return f"the export holds {holds}: BuildKit imports it, finds nothing, and every step runs. Export again."


QUERY = Query(
    name="empty-exports",
    title="Is the export empty?",
    meaning=(
        "BuildKit imports a cache config without records, or with sources alone, and says nothing; every step runs. A "
        "build writes one when it ran nothing, or when none of its results could be exported."
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
