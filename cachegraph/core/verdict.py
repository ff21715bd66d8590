"""Whether BuildKit would import an export at all, and with what words it would refuse.

Sources: BuildKit ``cache/remotecache/v1/parse.go`` (``parseRecord``, ``getRemoteChain``),
``cache/remotecache/v1/chains.go`` (``CacheChains.Add``), ``cache/remotecache/import.go`` (``readBlob``) and
``makeDescriptorProviderPair`` of the S3, Azure and GitHub importers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import Enum, auto

from cachegraph.core.model import CacheConfig, CacheRecord, Kind
from cachegraph.core.results import Resolved, State
from cachegraph.core.search import Links
from cachegraph.core.versions import config_limit

__all__ = ["MAX_CONFIG_BYTES", "SIZE_LIMITED", "annotation_refusal", "parse_refusal", "too_large"]

MAX_CONFIG_BYTES = config_limit()
"""Bytes that a manifest or a cache config may have in a registry or a local export, for the newest builder."""

SIZE_LIMITED: frozenset[Kind] = frozenset({"local", "registry"})
"""Kinds whose config BuildKit reads through ``readBlob``."""

ANNOTATED: frozenset[Kind] = frozenset({"s3", "azblob", "gha"})
"""Kinds that have no manifest, and describe blobs in the config's layers."""


class _Read(Enum):
    """How far a record has been read; those not yet entered have no state."""

    OPEN = auto()
    DONE = auto()
    NOTHING = auto()  # a random: key, for which BuildKit's graph holds nil


class _Refusal(Exception):  # noqa: N818 - carries BuildKit's words out of the walk, never leaves this module
    """BuildKit's words."""


def too_large(digest: str, size: int) -> str | None:
    """BuildKit's words if a blob of this size is too large to be read, else None.

    Parameters
    ----------
    digest : str
    size : int
        Bytes.
    """
    if size <= MAX_CONFIG_BYTES:
        return None
    return f"blob {digest} is too large ({size} > {MAX_CONFIG_BYTES})"


def annotation_refusal(config: CacheConfig, kind: Kind) -> str | None:
    """BuildKit's words if an export without a manifest does not describe its blobs, else None.

    Parameters
    ----------
    config : CacheConfig
    kind : Kind
    """
    if kind not in ANNOTATED:
        return None
    for layer in config.layers:
        if layer.annotations is None:
            return "cache layer with missing annotations"
        if not layer.annotations.diff_id:
            return "cache layer with missing diffid"
    return None


def parse_refusal(config: CacheConfig, resolved: Resolved, links: Links, listed: Collection[str] | None) -> str | None:
    """BuildKit's words if its importer refuses the config, else None.

    Parameters
    ----------
    config : CacheConfig
    resolved, links
        Made of the same config.
    listed : collection of str or None
        Digests that the manifest lists; None when all are.

    Returns
    -------
    str or None
        Such as ``invalid looping record``; the first error that BuildKit meets when it walks the records in index
        order, depth first through inputs.
    """
    # The exact walk is needed only for its words: whether there is anything to say shows without it.
    if (
        links.is_sound
        and not links.has_loop
        and int(State.INVALID) not in resolved.result
        and not any(record.digest.startswith("random:") for record in config.records)
    ):
        return None
    try:
        _walk(config, listed)
    except _Refusal as refusal:
        return str(refusal)
    return None


def _walk(config: CacheConfig, listed: Collection[str] | None) -> None:
    """Visit the records as ``parseRecord`` does, without its recursion."""
    states: dict[int, _Read] = {}
    for start in range(len(config.records)):
        stack: list[tuple[int, Iterator[int]]] = []
        entered: int | None = start
        while entered is not None or stack:
            if entered is not None and _enter(config, entered, states):
                stack.append((entered, _alternatives(config.records[entered], entered)))
            if not stack:
                break
            index, rest = stack[-1]
            entered = next(rest, None)
            if entered is None:
                stack.pop()
                _leave(config, index, states, listed)


def _enter(config: CacheConfig, index: int, states: dict[int, _Read]) -> bool:
    """Tell whether the record is still to be read; refuse one that is being read or came to nothing."""
    state = states.get(index)
    if state is _Read.DONE:
        return False
    if state is not None:
        raise _Refusal("invalid looping record")
    states[index] = _Read.OPEN
    if not 0 <= index < len(config.records):
        raise _Refusal(f"invalid record ID: {index}")
    return True


def _alternatives(record: CacheRecord, index: int) -> Iterator[int]:
    for slot in record.inputs:
        if not slot:
            raise _Refusal(f"invalid empty input for record {index}")
        for alternative in slot:
            yield alternative.link


def _leave(config: CacheConfig, index: int, states: dict[int, _Read], listed: Collection[str] | None) -> None:
    """Read the record's results, then add it to BuildKit's own graph."""
    record = config.records[index]
    for result in record.layers:
        _read_layer(config, result.layer, listed)
    for chain in record.chains:
        for layer in chain.layers:
            _check_layer(config, layer)
            if listed is not None and config.layers[layer].blob not in listed:
                break
    if record.digest.startswith("random:"):
        states[index] = _Read.NOTHING
        return
    for slot in record.inputs:
        if any(states[alternative.link] is _Read.NOTHING for alternative in slot):
            raise _Refusal(f"failed to add record {index}: invalid dependency type <nil> for {record.digest}")
    states[index] = _Read.DONE


def _read_layer(config: CacheConfig, layer: int, listed: Collection[str] | None) -> None:
    seen = set()
    while True:
        if layer in seen:
            raise _Refusal("invalid looping layer")
        seen.add(layer)
        _check_layer(config, layer)
        if listed is not None and config.layers[layer].blob not in listed:
            return
        if config.layers[layer].parent == -1:
            return
        layer = config.layers[layer].parent


def _check_layer(config: CacheConfig, layer: int) -> None:
    if not 0 <= layer < len(config.layers):
        raise _Refusal(f"invalid layer index {layer}")
