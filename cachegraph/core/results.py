"""Which blobs each result has, and whether it can be loaded. Resolved once, at load.

Source: BuildKit ``cache/remotecache/v1/parse.go``, ``parseRecord`` and ``getRemoteChain``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cachegraph.core.columns import Columns

__all__ = ["Resolved", "State", "ancestors", "resolve"]


class State(IntEnum):
    """What becomes of a layer or a result, from best to worst."""

    LOADABLE = 0
    BLOB_MISSING = 1  # the manifest lists every blob, the store lacks one
    BLOB_NOT_LISTED = 2  # dropped in silence: the manifest lacks a blob
    INVALID = 3  # an index out of range or a loop: the import fails

    @property
    def reason(self) -> str | None:
        """The word for it in findings; None for loadable."""
        return None if self is State.LOADABLE else self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The states of layers and results.

    Attributes
    ----------
    layer : numpy.ndarray of int8, shape (layers,)
        `State` of each layer with all of its parents.
    result : numpy.ndarray of int8, shape (results,)
        `State` of each result.
    """

    layer: NDArray[np.int8]
    result: NDArray[np.int8]


def resolve(columns: Columns, listed: Collection[str] | None, missing: Collection[str]) -> Resolved:
    """Find what becomes of every layer and result.

    Parameters
    ----------
    columns : Columns
    listed : collection of str or None
        Digests that the manifest lists; None when every layer's blob counts as listed.
    missing : collection of str
        Listed digests that the store is known to lack.

    Returns
    -------
    Resolved
    """
    known = [listed is None or blob in listed for blob in columns.blobs]
    gone = [blob in missing for blob in columns.blobs]
    if all(known) and not any(gone) and _is_sound(columns):  # nearly always
        layers, results = len(columns.layer_parent), len(columns.is_chain)
        return Resolved(layer=np.zeros(layers, dtype=np.int8), result=np.zeros(results, dtype=np.int8))
    blob_of = columns.layer_blob.tolist()
    layer = _resolve_layers(columns.layer_parent.tolist(), [known[b] for b in blob_of], [gone[b] for b in blob_of])
    layer_column = np.array(layer, dtype=np.int8)
    own_column = np.array(
        [State.BLOB_NOT_LISTED if not known[b] else State.BLOB_MISSING if gone[b] else State.LOADABLE for b in blob_of],
        dtype=np.int8,
    )

    result = np.full(len(columns.is_chain), State.INVALID, dtype=np.int8)
    in_range = ~columns.is_chain & (columns.result_layer >= 0) & (columns.result_layer < len(layer))
    result[in_range] = layer_column[columns.result_layer[in_range]]
    result[columns.is_chain] = _resolve_chains(columns, own_column)
    return Resolved(layer=layer_column, result=result)


def ancestors(parents: Sequence[int], layer: int) -> list[int]:
    """List a layer and its parents, bottom first.

    Parameters
    ----------
    parents : sequence of int
        Parent of each layer, -1 for none.
    layer : int
        A layer whose state is not ``INVALID``.

    Returns
    -------
    list of int
        Layer indexes. Cut off at a loop or an index out of range, should there be one above an unlisted blob.
    """
    found: dict[int, None] = {}
    while 0 <= layer < len(parents) and layer not in found:
        found[layer] = None
        layer = parents[layer]
    return list(found)[::-1]


def _is_sound(columns: Columns) -> bool:
    """Tell whether every layer index is in range and every layer has a bottom."""
    count = len(columns.layer_parent)
    used = np.concatenate([columns.chain_layer, columns.result_layer[~columns.is_chain]])
    if (
        not ((used >= 0) & (used < count)).all()
        or not ((columns.layer_parent >= -1) & (columns.layer_parent < count)).all()
    ):
        return False
    above = np.append(columns.layer_parent, -1)  # the last stands for what lies below a bottom layer: nothing
    for _ in range(count.bit_length()):
        above = above[above]  # each step looks twice as far down
    return bool((above == -1).all())


def _resolve_layers(parents: list[int], known: list[bool], gone: list[bool]) -> list[int]:
    """Walk up from each layer as ``getRemoteChain`` does, never twice over the same ground."""
    loadable, missing, not_listed, invalid = map(int, State)
    new, on_the_walk = -1, -2
    states = [new] * len(parents)
    for start in range(len(parents)):
        walk = []
        at = start
        while True:
            if not 0 <= at < len(parents):
                state = invalid
                break
            if states[at] != new:
                state = invalid if states[at] == on_the_walk else states[at]
                break
            if not known[at]:  # looked at before the parent is
                states[at] = state = not_listed
                break
            walk.append(at)
            states[at] = on_the_walk
            if parents[at] == -1:
                state = loadable
                break
            at = parents[at]
        for index in reversed(walk):
            if state == loadable and gone[index]:
                state = missing
            states[index] = state
    return states


def _resolve_chains(columns: Columns, own: NDArray[np.int8]) -> NDArray[np.int8]:
    """Judge each chain by its layers' own blobs; what follows an unlisted one is never looked at."""
    in_range = (columns.chain_layer >= 0) & (columns.chain_layer < len(own))
    each = np.full(len(columns.chain_layer), State.INVALID, dtype=np.int8)
    each[in_range] = own[columns.chain_layer[in_range]]
    states = np.zeros(len(columns.chain_ptr) - 1, dtype=np.int8)
    bounds, flat = columns.chain_ptr.tolist(), each.tolist()
    for index in np.unique(np.searchsorted(columns.chain_ptr, np.flatnonzero(each), side="right") - 1).tolist():
        members = flat[bounds[index] : bounds[index + 1]]
        fatal = next((state for state in members if state >= State.BLOB_NOT_LISTED), None)
        states[index] = max(members) if fatal is None else fatal
    return states
