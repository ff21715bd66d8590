"""Which blobs each result has, and whether it can be loaded. Resolved once, at load.

Source: BuildKit ``cache/remotecache/v1/parse.go``, ``parseRecord`` and ``getRemoteChain``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cachegraph.core.columns import Columns

__all__ = ["Resolved", "State", "ancestors", "resolve"]


class State(IntEnum):
    """What becomes of a layer or a result, from best to worst."""

    LOADABLE = 0
    BLOB_DAMAGED = 1  # every blob is listed and there, and one of them is not what the manifest says
    BLOB_MISSING = 2  # the manifest lists every blob, the store lacks one
    BLOB_NOT_LISTED = 3  # dropped in silence: the manifest lacks a blob
    INVALID = 4  # an index out of range or a loop: the import fails

    @property
    def reason(self) -> str | None:
        """The word for it in findings; None for loadable."""
        return None if self is State.LOADABLE else self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The states of layers and results.

    Attributes
    ----------
    layer : list of int, length layers
        `State` of each layer with all of its parents.
    result : list of int, length results
        `State` of each result.
    """

    layer: list[int]
    result: list[int]


def resolve(
    columns: Columns, listed: Collection[str] | None, missing: Collection[str], damaged: Collection[str] = ()
) -> Resolved:
    """Find what becomes of every layer and result.

    Parameters
    ----------
    columns : Columns
    listed : collection of str or None
        Digests that the manifest lists; None when every layer's blob counts as listed.
    missing : collection of str
        Listed digests that the store is known to lack.
    damaged : collection of str
        Listed digests whose blobs are known to be unloadable.

    Returns
    -------
    Resolved
    """
    if listed is None and not missing:
        own = [int(State.LOADABLE)] * len(columns.layer_blob)
    else:
        own = [_own_state(blob, listed, missing, damaged) for blob in columns.layer_blob]
    layer = _resolve_layers(columns.layer_parent, own)
    chain = [_resolve_chain(layers, own) for layers in columns.chains]
    count, invalid = len(layer), int(State.INVALID)
    result = [
        chain[at] if chained else layer[at] if 0 <= at < count else invalid
        for at, chained in zip(columns.result_layer, columns.is_chain, strict=True)
    ]
    return Resolved(layer=layer, result=result)


def _own_state(blob: str, listed: Collection[str] | None, missing: Collection[str], damaged: Collection[str]) -> int:
    if listed is not None and blob not in listed:
        return int(State.BLOB_NOT_LISTED)
    if blob in missing:
        return int(State.BLOB_MISSING)
    return int(State.BLOB_DAMAGED if blob in damaged else State.LOADABLE)


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
    found: list[int] = []
    while 0 <= layer < len(parents) and len(found) <= len(parents):
        found.append(layer)
        layer = parents[layer]
    if len(found) > len(parents):  # a loop
        found = list(dict.fromkeys(found))
    return found[::-1]


def _resolve_layers(parents: list[int], own: list[int]) -> list[int]:
    """Walk up from each layer as ``getRemoteChain`` does, never twice over the same ground."""
    not_listed, invalid = int(State.BLOB_NOT_LISTED), int(State.INVALID)
    if not any(own) and all(-1 <= parent < index for index, parent in enumerate(parents)):
        return own  # as BuildKit writes them: parents first, so that no walk can loop
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
            if own[at] == not_listed:  # looked at before the parent is
                states[at] = state = not_listed
                break
            walk.append(at)
            states[at] = on_the_walk
            if parents[at] == -1:
                state = int(State.LOADABLE)
                break
            at = parents[at]
        for index in reversed(walk):
            if state < not_listed:  # what the store lacks, or has damaged: the worse of the two counts
                state = max(state, own[index])
            states[index] = state
    return states


def _resolve_chain(layers: tuple[int, ...], own: list[int]) -> int:
    """Judge a chain by its layers' own blobs; what follows an unlisted one is never looked at."""
    worst = int(State.LOADABLE)
    for layer in layers:
        if not 0 <= layer < len(own):
            return int(State.INVALID)
        if own[layer] >= State.BLOB_NOT_LISTED:
            return own[layer]
        worst = max(worst, own[layer])
    return worst
