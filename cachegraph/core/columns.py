"""The graph in memory: what a cache config says of results and layers, as flat lists.

The results of record ``r`` are ``result_ptr[r]`` to ``result_ptr[r + 1]``. ::

    record --result_ptr--> result --result_layer--> layer --layer_parent--> layer
                                  --chains--> layers

Inputs stand in `cachegraph.core.search.Links`. Plain lists, because the searches over them are plain Python: arrays
were turned into lists before they were read, and importing NumPy took longer than reading a small export does (see
``docs/decisions.md``).
"""

from __future__ import annotations

from dataclasses import dataclass

from cachegraph.core.model import CacheConfig

__all__ = ["Columns", "build_columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The results and layers of a cache config.

    Attributes
    ----------
    result_ptr : list of int, length records + 1
        Results in BuildKit's order: a record's ``layers`` before its ``chains``.
    result_layer : list of int, length results
        Layer index as the export says it; of a chain, its position in `chains`.
    is_chain : list of bool, length results
    chains : list of tuple of int
        Layer indexes of each chain, as the export says them.
    layer_parent : list of int, length layers
        Parent's index as the export says it, -1 for none.
    layer_blob : list of str, length layers
        Digests.
    """

    result_ptr: list[int]
    result_layer: list[int]
    is_chain: list[bool]
    chains: list[tuple[int, ...]]
    layer_parent: list[int]
    layer_blob: list[str]


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
    result_ptr, result_layer, chains = [0], list[int](), list[tuple[int, ...]]()
    is_chain: list[bool] = []
    for record in config.records:
        if record.layers:
            result_layer += [result.layer for result in record.layers]
            is_chain += [False] * len(record.layers)
        if record.chains:
            result_layer += range(len(chains), len(chains) + len(record.chains))
            is_chain += [True] * len(record.chains)
            chains += [result.layers for result in record.chains]
        result_ptr.append(len(result_layer))
    return Columns(
        result_ptr=result_ptr,
        result_layer=result_layer,
        is_chain=is_chain,
        chains=chains,
        layer_parent=[layer.parent for layer in config.layers],
        layer_blob=[layer.blob for layer in config.layers],
    )
