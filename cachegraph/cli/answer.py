"""What ``cachegraph check`` found out, whatever format it is written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cachegraph.core.graph import ExportGraph
from cachegraph.loaders.catalogue import Failure
from cachegraph.queries.base import Finding
from cachegraph.queries.findings import Findings
from cachegraph.schema.summary import ExportSummary

__all__ = ["Answer", "failed", "name_of", "where"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Exports, what the questions say of them, and the sources that could not be read.

    Attributes
    ----------
    exports : sequence of ExportSummary
    findings : Findings
    failures : sequence of Failure
    places : mapping of str to tuple of (str, int)
        Files and lines that ask for a record, by its digest, where a Dockerfile names it.
    """

    exports: Sequence[ExportSummary]
    findings: Findings[Any]
    failures: Sequence[Failure] = ()
    places: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Give it as the JSON of ``check``."""
        return {
            "exports": [export.to_dict() for export in self.exports],
            "findings": [finding.to_dict() for finding in self.findings],
            "sources_failed": [failed(failure) for failure in self.failures],
        }


def failed(failure: Failure) -> dict[str, Any]:
    """Give a source that could not be read as its JSON object."""
    return {
        "source": failure.spec,
        "error": type(failure.error).__name__,
        "message": failure.error.message,
        "hint": failure.error.hint,
        "place": failure.place or None,
        "buildkit": failure.error.buildkit,
        "warnings": [trap.message for trap in failure.traps],
    }


def where(export: ExportSummary, finding: Finding) -> str:
    """Name the place of a finding: the export, and the record if it is about one."""
    return export.name if finding.record is None else f"{export.name}#records[{finding.record}]"


def name_of(graph: ExportGraph) -> str:
    """Name an export for a heading: source and platform."""
    return f"{graph.export.source} {graph.export.platform or ''}".rstrip()
