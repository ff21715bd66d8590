"""An export in a few figures, whether it was just read or is held by a store: what every report says of it first."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Shape
from cachegraph.schema.facts import whole

__all__ = ["ExportSummary", "summarise"]

_JSON = ("id", "source", "kind", "platform", "records", "layers", "importable", "import_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """An export in a few figures. Its fields are properties of the schema's ``Export``, by the same names.

    Attributes
    ----------
    id, source, kind : str
    platform : str or None
    records : int
    roots : int
        Records without inputs.
    loadable_steps : int
        Records with inputs that have a loadable result.
    earlier_steps : int
        Records with inputs that only earlier builds asked for; none of them has a result.
    newest_at : int or None
        When the newest result was made, nanoseconds since 1970 UTC; None where unknown.
    shape : {"manifest", "index"} or None
    compression : tuple of str
        ``gzip``, ``zstd``, ``none``; empty where nothing tells.
    store_type : str
        Of the store that holds the blobs.
    layers : int
    bytes : int
        Of the cache config.
    bytes_limit : int or None
        After which BuildKit refuses it.
    listed_blobs : int
        That the manifest lists; without a manifest, those of the layers.
    listed_bytes : int or None
        Of these, as far as known; None where none is.
    probed_blobs, lost_blobs, damaged_blobs : int
        How many of these the store was asked for, lacks, and holds in a state that cannot be loaded.
    breaks_builds : bool
        Whether a build fails that needs what is lost or damaged, or that imports it at all.
    importable : bool
    import_error : str or None
        BuildKit's words for refusing it.
    results_known : bool
        False where the source tells keys only: then it is not known what is loadable.
    """

    id: str
    source: str
    kind: str
    platform: str | None
    records: int
    roots: int
    loadable_steps: int
    earlier_steps: int
    newest_at: int | None
    shape: Shape | None
    compression: tuple[str, ...]
    store_type: str
    layers: int
    bytes: int
    bytes_limit: int | None
    listed_blobs: int
    listed_bytes: int | None
    probed_blobs: int
    lost_blobs: int
    damaged_blobs: int
    breaks_builds: bool
    importable: bool
    import_error: str | None
    results_known: bool

    @property
    def name(self) -> str:
        """Source and platform, as a heading."""
        return f"{self.source} {self.platform or ''}".rstrip()

    @property
    def steps(self) -> int:
        """Number of records that have inputs."""
        return self.records - self.roots

    def to_dict(self) -> dict[str, Any]:
        """Give the export as its object in the JSON of ``check``."""
        return {name: getattr(self, name) for name in _JSON}


def summarise(graph: ExportGraph) -> ExportSummary:
    """Summarise an export that was read.

    Parameters
    ----------
    graph : ExportGraph
        A window (see `cachegraph.schema.focus`) is summarised as the whole export.
    """
    facts = whole(graph, "Export")
    values = {field.name: facts[field.name][0] for field in fields(ExportSummary)}
    return ExportSummary(**{**values, "compression": tuple(values["compression"])})
