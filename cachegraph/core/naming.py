"""Names that follow from others: what made a result's layer, and what a named step takes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from cachegraph.core.model import Name

if TYPE_CHECKING:
    from cachegraph.core.resolved import ResolvedExport

__all__ = ["LayerNames", "content_names"]

_TAKES_FILES = ("COPY ", "ADD ")
_MOST = 3  # steps that are named of those that take the same


class LayerNames:
    """Finds what made the last layer of a record's result.

    Parameters
    ----------
    export : ResolvedExport
    layers : mapping of tuple of str to Name
        As `cachegraph.core.model.Names.layers`.
    """

    def __init__(self, export: ResolvedExport, layers: Mapping[tuple[str, ...], Name]) -> None:
        self._export = export
        self._layers = layers
        self._content = {blob.digest: blob.diff_id for blob in export.export.blobs or () if blob.diff_id}
        blobs = export.columns.layer_blob
        self._alone = {blob for blob, times in Counter(blobs).items() if times == 1}

    def of(self, record: int) -> Name | None:
        """Name a record by the layers of its results; None where they tell nothing."""
        for result in self._export.results(record):
            at = self._export.result_layers(result)
            if at and (name := self._own(at) or self._other(at)) is not None:
                return name
        return None

    def _own(self, at: list[int]) -> Name | None:
        """Look into the history of the image that holds the export: its layers are those of the export, in order."""
        made = self._export.export.layer_names
        if at[-1] >= len(made):
            return None
        # A blob that the image has twice does not tell which of the two layers it is, unless all below are there.
        exact = at == list(range(at[-1] + 1))
        return made[at[-1]] if exact or self._export.columns.layer_blob[at[-1]] in self._alone else None

    def _other(self, at: list[int]) -> Name | None:
        """Look into the history of other images."""
        if not self._layers:
            return None
        blobs = tuple(self._export.columns.layer_blob[layer] for layer in at)
        content = tuple(self._content.get(blob, "") for blob in blobs)
        return self._layers.get(blobs) or self._layers.get(content)


def content_names(export: ResolvedExport, named: Callable[[int], Name], unnamed: Iterable[int]) -> dict[int, Name]:
    """Name what a named ``COPY`` or ``ADD`` takes: the key of those files, in a slot of its own.

    Parameters
    ----------
    export : ResolvedExport
    named : callable
        Gives the name of a record that has inputs.
    unnamed : iterable of int
        Roots without a name.

    Returns
    -------
    dict of int to Name
        For each root that such steps alone take.
    """
    wanted = set(unnamed)
    takers: dict[int, dict[str, None]] = defaultdict(dict)
    others: set[int] = set()
    for index, record in enumerate(export.export.config.records):
        for number, slot in enumerate(record.inputs):
            roots = [alternative.link for alternative in slot if alternative.link in wanted]
            if not roots:
                continue
            name = named(index).name
            # Slot 0 of two is what the files are copied onto: a base image.
            takes = name.startswith(_TAKES_FILES) and (number > 0 or len(record.inputs) == 1)
            for root in roots:
                if takes:
                    takers[root][name] = None
                else:
                    others.add(root)
    return {root: _content(list(names)) for root, names in takers.items() if root not in others}


def _content(names: list[str]) -> Name:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return Name(op="content", name=f"files for {'; '.join(names[:_MOST])}{more}")
