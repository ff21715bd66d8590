"""What the reports say of an export, whether it was just read or lies in a store."""

from __future__ import annotations

from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.schema.summary import ExportSummary, summarise
from cachegraph.views.words import verdict

__all__ = ["Described", "described", "described_in_store"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An export in a report. The first fields are its JSON object."""

    id: str
    source: str
    kind: str
    platform: str | None
    records: int
    layers: int
    importable: bool
    import_error: str | None
    verdict: str

    @property
    def name(self) -> str:
        """Source and platform."""
        return f"{self.source} {self.platform or ''}".rstrip()


def described(graph: ExportGraph) -> Described:
    """Describe an export that was read."""
    return described_in_store(summarise(graph))


def described_in_store(export: ExportSummary) -> Described:
    """Describe an export that lies in a store."""
    return Described(**export.to_dict(), verdict=verdict(export))
