"""The graph in memory: a cache config as columns.

Lists of lists are stored flat with offsets (CSR): the alternatives of slot ``s`` are ``link[alt_ptr[s]:alt_ptr[s+1]]``,
the slots of record ``r`` are ``slot_ptr[r]`` to ``slot_ptr[r+1]``. ::

    record --slot_ptr--> slot --alt_ptr--> link, selector
    record --result_ptr--> result --result_layer--> layer --layer_parent--> layer
                                  --chain_ptr--> chain_layer
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import add

import numpy as np
from numpy.typing import NDArray

from cachegraph.core.model import CacheConfig

__all__ = ["Columns", "build_columns"]

Ints = NDArray[np.int32]
_LOW, _HIGH = -(2**31), 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A cache config as columns.

    Attributes
    ----------
    slot_ptr : numpy.ndarray of int32, shape (records + 1,)
    alt_ptr : numpy.ndarray of int32, shape (slots + 1,)
    link, selector : numpy.ndarray of int32, shape (alternatives,)
        Record index as the export says it (held to 32 bits), position in `selectors`.
    result_ptr : numpy.ndarray of int32, shape (records + 1,)
        Results in BuildKit's order: a record's ``layers`` before its ``chains``.
    result_layer : numpy.ndarray of int32, shape (results,)
        Layer index; of a chain, its position in `chain_ptr`.
    is_chain : numpy.ndarray of bool, shape (results,)
    chain_ptr : numpy.ndarray of int32, shape (chains + 1,)
    chain_layer : numpy.ndarray of int32
        Layer indexes of all chains.
    layer_parent, layer_blob : numpy.ndarray of int32, shape (layers,)
        Parent's index (-1 for none), position in `blobs`.
    selectors, blobs : tuple of str
        Distinct selectors and blob digests, in order of appearance. ``selectors[0]`` is always empty.
    """

    slot_ptr: Ints
    alt_ptr: Ints
    link: Ints
    selector: Ints
    result_ptr: Ints
    result_layer: Ints
    is_chain: NDArray[np.bool_]
    chain_ptr: Ints
    chain_layer: Ints
    layer_parent: Ints
    layer_blob: Ints
    selectors: tuple[str, ...]
    blobs: tuple[str, ...]

    @property
    def nbytes(self) -> int:
        """Bytes that the arrays take."""
        arrays = (getattr(self, name) for name in self.__slots__)
        return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))

    @property
    def alt_record(self) -> Ints:
        """The record that each alternative belongs to, shape (alternatives,)."""
        per_record = np.diff(self.alt_ptr[self.slot_ptr])
        return np.repeat(np.arange(len(per_record), dtype=np.int32), per_record)


def build_columns(config: CacheConfig) -> Columns:
    """Lay a cache config out as columns.

    Parameters
    ----------
    config : CacheConfig
        Any; indexes need not be in range.

    Returns
    -------
    Columns
    """
    records, layers = config.records, config.layers
    slots = list(chain.from_iterable([record.inputs for record in records]))
    alternatives = list(chain.from_iterable(slots))
    selector, selectors = _numbered([alternative.selector for alternative in alternatives], first="")
    layer_blob, blobs = _numbered([layer.blob for layer in layers])

    layered = [len(record.layers) for record in records]
    chained = [len(record.chains) for record in records]
    chains = list(chain.from_iterable([record.chains for record in records]))
    counts = np.fromiter(chain.from_iterable(zip(layered, chained, strict=True)), dtype=np.intp)
    is_chain = np.repeat(np.tile([False, True], len(records)), counts)
    result_layer = np.empty(len(is_chain), dtype=np.int32)
    result_layer[~is_chain] = _ints([result.layer for record in records for result in record.layers])
    result_layer[is_chain] = np.arange(len(chains), dtype=np.int32)

    return Columns(
        slot_ptr=_offsets([len(record.inputs) for record in records]),
        alt_ptr=_offsets(list(map(len, slots))),
        link=_ints([alternative.link for alternative in alternatives]),
        selector=_ints(selector),
        result_ptr=_offsets(list(map(add, layered, chained))),
        result_layer=result_layer,
        is_chain=is_chain,
        chain_ptr=_offsets([len(result.layers) for result in chains]),
        chain_layer=_ints(list(chain.from_iterable([result.layers for result in chains]))),
        layer_parent=_ints([layer.parent for layer in layers]),
        layer_blob=_ints(layer_blob),
        selectors=selectors,
        blobs=blobs,
    )


def _numbered(texts: list[str], first: str | None = None) -> tuple[list[int], tuple[str, ...]]:
    """Give texts numbers in order of appearance; a `first` is number 0 whether it appears or not."""
    distinct = dict.fromkeys([] if first is None else [first]) | dict.fromkeys(texts)
    numbers = {text: number for number, text in enumerate(distinct)}
    return list(map(numbers.__getitem__, texts)), tuple(numbers)


def _offsets(lengths: Sequence[int]) -> Ints:
    return np.concatenate([np.zeros(1, dtype=np.int32), np.cumsum(np.array(lengths, dtype=np.int32), dtype=np.int32)])


def _ints(values: Sequence[int]) -> Ints:
    """Make an int32 column; what does not fit is out of range for every use, and stays so."""
    return np.array(values, dtype=np.int64).clip(_LOW, _HIGH).astype(np.int32)
