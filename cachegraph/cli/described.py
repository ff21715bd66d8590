"""What the reports say of an export, whether it was just read or lies in a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import plural
from cachegraph.views.words import verdict

if TYPE_CHECKING:
    from cachegraph.stores.neo4j import StoredExport

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
    return Described(
        id=graph.id,
        source=graph.export.source,
        kind=graph.export.kind,
        platform=graph.export.platform,
        records=len(graph),
        layers=len(graph.export.config.layers),
        importable=graph.import_error is None,
        import_error=graph.import_error,
        verdict=verdict(graph),
    )


def described_in_store(export: StoredExport) -> Described:
    """Describe an export that lies in a store."""
    held = f"{plural(export.records, 'record')}, {plural(export.layers, 'layer')}"
    return Described(
        id=export.id,
        source=export.source,
        kind=export.kind,
        platform=export.platform,
        records=export.records,
        layers=export.layers,
        importable=export.importable,
        import_error=export.import_error,
        verdict=f"BuildKit imports it: {held}."
        if export.importable
        else f"BuildKit refuses it, so every build that imports it is cold. It holds {held}.",
    )
