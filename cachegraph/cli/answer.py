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
from cachegraph.verdict.failures import failed_verdict
from cachegraph.verdict.judge import judge
from cachegraph.verdict.model import Verdict

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
    verdicts : sequence of Verdict
        On the exports, in their order; made of these and their findings where they are not given.
    """

    exports: Sequence[ExportSummary]
    findings: Findings[Any]
    failures: Sequence[Failure] = ()
    places: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    verdicts: Sequence[Verdict] = ()

    def __post_init__(self) -> None:
        if len(self.verdicts) != len(self.exports):
            own = self.findings.by_export()
            made = [judge(export, own.get(export.id, ()), "record {}".format) for export in self.exports]
            object.__setattr__(self, "verdicts", tuple(made))

    @property
    def failed_verdicts(self) -> list[Verdict]:
        """Verdicts on the sources that could not be read."""
        return [failed_verdict(failure.spec, failure.error) for failure in self.failures]

    def to_dict(self) -> dict[str, Any]:
        """Give it as the JSON of ``check``."""
        return {
            "exports": [
                {**export.to_dict(), "verdict": verdict.to_dict()}
                for export, verdict in zip(self.exports, self.verdicts, strict=True)
            ],
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
        "verdict": failed_verdict(failure.spec, failure.error).word,
    }


def where(export: ExportSummary, finding: Finding) -> str:
    """Name the place of a finding: the export, and the record if it is about one."""
    return export.name if finding.record is None else f"{export.name}#records[{finding.record}]"


def name_of(graph: ExportGraph) -> str:
    """Name an export for a heading: source and platform."""
    return f"{graph.export.source} {graph.export.platform or ''}".rstrip()
