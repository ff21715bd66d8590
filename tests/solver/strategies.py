"""Builds and caches for Hypothesis: small graphs, and versions of them that share most of their keys."""

from __future__ import annotations

from hypothesis import strategies as st

from cachegraph.core.model import CacheConfig, CacheExport, CacheInput, CacheLayer, CacheRecord, CacheResult
from cachegraph.graph import CacheGraph

__all__ = ["build_and_caches", "configs", "graph", "permuted", "versions"]


def graph(config: CacheConfig, unknown: frozenset[tuple[int, int]] = frozenset()) -> CacheGraph:
    """Make a graph of a config."""
    export = CacheExport(
        source="made", kind="config", config=config, config_digest="sha256:0", config_bytes=0, unknown=unknown
    )
    return CacheGraph([export])


@st.composite
def configs(draw: st.DrawFn, most: int = 9) -> CacheConfig:
    """A config that BuildKit imports: records in any shape, some with a result."""
    count = draw(st.integers(1, most))
    records: list[CacheRecord] = []
    for index in range(count):
        inputs: tuple[tuple[CacheInput, ...], ...] = ()
        if index and draw(st.integers(0, 3)):
            alternative = st.builds(
                CacheInput, link=st.integers(max(0, index - 5), index - 1), selector=st.sampled_from(("", "", "sel"))
            )
            slot = st.lists(alternative, min_size=1, max_size=2)
            inputs = tuple(tuple(dict.fromkeys(found)) for found in draw(st.lists(slot, min_size=1, max_size=2)))
        loadable = bool(inputs) and draw(st.booleans())
        records.append(
            CacheRecord(
                digest=f"sha256:{draw(st.integers(0, 5)) + 32 * len(inputs) if inputs else index:064x}",
                inputs=inputs,
                layers=(CacheResult(layer=index),) if loadable else (),
            )
        )
    layers = tuple(CacheLayer(blob=f"sha256:{index:064x}", parent=-1) for index in range(count))
    return CacheConfig(layers=layers, records=tuple(records))


@st.composite
def versions(draw: st.DrawFn, config: CacheConfig) -> CacheConfig:
    """The same config after some changes: other digests, fewer alternatives, other results."""
    records = []
    for index, record in enumerate(config.records):
        digest, inputs = record.digest, record.inputs
        if draw(st.integers(0, 5)) == 0:
            digest = f"sha256:{index + 16:064x}"
        if draw(st.integers(0, 5)) == 0:
            inputs = tuple(slot[:1] for slot in inputs)
        loadable: bool = draw(st.booleans())
        layers = (CacheResult(layer=index),) if loadable and inputs else ()
        records.append(CacheRecord(digest=digest, inputs=inputs, layers=layers))
    return CacheConfig(layers=config.layers, records=tuple(records))


@st.composite
def build_and_caches(draw: st.DrawFn, most: int = 3) -> tuple[CacheConfig, list[CacheConfig]]:
    """A build and caches of earlier builds."""
    build = draw(configs())
    return build, draw(st.lists(versions(build), min_size=1, max_size=most))


def permuted(config: CacheConfig, order: list[int]) -> CacheConfig:
    """The same config with its records in another order: position ``i`` holds record ``order[i]``."""
    place = {record: position for position, record in enumerate(order)}
    return CacheConfig(
        layers=config.layers,
        records=tuple(
            CacheRecord(
                digest=record.digest,
                inputs=tuple(
                    tuple(CacheInput(link=place[a.link], selector=a.selector) for a in slot) for slot in record.inputs
                ),
                layers=record.layers,
                chains=record.chains,
            )
            for record in (config.records[index] for index in order)
        ),
    )
