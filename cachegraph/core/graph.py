"""One export as a graph: what every question is asked of."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

from cachegraph.core.folding import fold_results
from cachegraph.core.images import Images, recognise_images
from cachegraph.core.merges import Merge, lay_out
from cachegraph.core.model import CacheExport, Name, Names
from cachegraph.core.naming import LayerNames, content_names
from cachegraph.core.resolved import ResolvedExport

__all__ = ["ExportGraph", "record_title"]

RANDOM = "random:"
"""How the key of a local context begins: a new one for every build."""

_UNKNOWN = Name(op="unknown", name="")
_CONTEXT = Name(op="source", name="local context")


class ExportGraph(ResolvedExport):
    """An export with its merges laid out, its base images recognised, and its records named.

    Parameters
    ----------
    export : CacheExport
    names : Names, optional
        Plaintexts of digests.

    Attributes
    ----------
    names : Names
    read_at : int
        When the graph was made, nanoseconds since 1970 UTC.
    computed : dict
        What the facts of `cachegraph.schema` have been computed to, so that each is computed once.
    """

    def __init__(self, export: CacheExport, names: Names | None = None) -> None:
        super().__init__(export)
        self.names = names or Names()
        self.read_at = time.time_ns()
        self.computed: dict[object, Any] = {}

    def __repr__(self) -> str:
        """Name it by its source."""
        return f"<{type(self).__name__}: {self.export.source}, {len(self):,} records>"

    @cached_property
    def images(self) -> Images:
        """Roots recognised as base images."""
        return recognise_images(self)

    @cached_property
    def merge_layouts(self) -> list[Merge]:
        """Every merge laid out, by index."""
        return [lay_out(self, record, self.images.layers) for record in self.merges]

    @cached_property
    def namings(self) -> list[Name]:
        """What each record does, as `naming` says it."""
        return [self.naming(record) for record in range(len(self))]

    def naming(self, record: int) -> Name:
        """Say what a record does.

        By its plaintext; else by what its digest gives away; by the layer that its result ends in, where an image's
        history says what made it; or, of a root, by the named step that takes it.

        Parameters
        ----------
        record : int

        Returns
        -------
        Name
            ``op`` is ``unknown`` where that is not known.
        """
        return self._own_naming(record) or self._content_names.get(record) or _UNKNOWN

    def _own_naming(self, record: int) -> Name | None:
        """Name a record by itself, not by what takes it."""
        found = self.export.config.records[record]
        if name := self.names.records.get(found.digest):
            return name
        if found.digest.startswith(RANDOM):
            return _CONTEXT
        match self.operations.get(record):
            case "merge":
                return Name(op="merge", name=f"merge of {len(found.inputs)} inputs")
            case "diff":
                return Name(op="diff", name="diff")
        if (layers := self.images.layers.get(record)) is not None:
            return Name(op="source", name=f"base image of {len(layers)} layer{'s' * (len(layers) != 1)}")
        return self._layer_names.of(record) if self._layer_names is not None and found.inputs else None

    @cached_property
    def _layer_names(self) -> LayerNames | None:
        """What made layers, if anything says that."""
        if not self.names.layers and not any(self.export.layer_names):
            return None
        return LayerNames(self, self.names.layers)

    @cached_property
    def _content_names(self) -> dict[int, Name]:
        """Names of roots that named steps take."""
        unnamed = [root for root in self.roots if self._own_naming(root) is None]
        return content_names(self, lambda record: self._own_naming(record) or _UNKNOWN, unnamed) if unnamed else {}

    def is_source(self, record: int) -> bool:
        """Tell whether a root is known to be fetched from elsewhere: an image, git, a local context."""
        return self.naming(record).op == "source"

    def title(self, record: int) -> str:
        """Name a record for a sentence: ``record 7 (RUN make)``."""
        return record_title(record, self.naming(record).name, self.export.config.records[record].digest)

    @cached_property
    def folded(self) -> dict[int, tuple[int, int]]:
        """Tell which records BuildKit folds into which.

        Returns
        -------
        dict of int to tuple of (int, int)
            For each record that is not its key's first: the first, and how many of its results get dropped as
            repetitions although their blobs differ. Empty when BuildKit refuses the export.
        """
        if self.import_error is not None:
            return {}
        return fold_results(self)


def record_title(index: int, name: str, digest: str) -> str:
    """Name a record for a sentence: ``record 7 (RUN make)``.

    Parameters
    ----------
    index : int
    name : str
        What it does; empty where that is not known.
    digest : str
    """
    shown = name if len(name) <= 60 else f"{name[:57].rsplit(' ', 1)[0] or name[:57]}..."
    return f"record {index} ({shown or digest[:19]})"
