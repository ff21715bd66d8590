"""What holds for every graph: permuting records changes no answer, and what else must be so whatever the export."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import cachegraph as cg
from cachegraph.core.decode import decode, encode
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheConfig, CacheInput, CacheLayer, CacheRecord, CacheResult, ChainedResult
from cachegraph.core.operations import operation_digests
from cachegraph.loaders.config import export_from_config

MERGES = {
    slots: digest for digest, (op, slots) in reversed(operation_digests().items()) if op == "merge" and slots <= 3
}
TIMES = ["0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01.000000001Z"]


@st.composite
def configs(draw: st.DrawFn, *, sound: bool = True) -> CacheConfig:
    """Make a config: sound ones refer backwards only, others anywhere."""
    layer_count = draw(st.integers(0, 6))
    layers = tuple(
        CacheLayer(blob=f"blob-{draw(st.integers(0, 5))}", parent=draw(st.integers(-1, i - 1 if sound else 7)))
        for i in range(layer_count)
    )
    layer = st.integers(0, layer_count - 1) if sound else st.integers(-2, 8)
    results = st.lists(st.builds(CacheResult, layer=layer, created_at=st.sampled_from(TIMES)), max_size=2)
    chains = st.lists(
        st.builds(ChainedResult, layers=st.lists(layer, max_size=3).map(tuple), created_at=st.sampled_from(TIMES)),
        max_size=2,
    )
    records: list[CacheRecord] = []
    for index in range(draw(st.integers(0, 8))):
        link = st.integers(0, index - 1) if sound else st.integers(-1, 9)
        alternative = st.builds(CacheInput, link=link, selector=st.sampled_from(["", "sha256:s"]))
        slot = st.lists(alternative, min_size=int(sound), max_size=3).map(tuple)
        slots = draw(st.lists(slot, max_size=3)) if index or not sound else []
        digest = draw(st.sampled_from(["a", "b", MERGES.get(len(slots), "c"), f"own-{index}"]))
        records.append(
            CacheRecord(
                digest=digest,
                inputs=tuple(slots),
                layers=tuple(draw(results)) if layer_count else (),
                chains=tuple(draw(chains)) if layer_count else (),
            )
        )
    return CacheConfig(layers=layers, records=tuple(records))


def graph_of(config: CacheConfig, blobs: list[str] | None = None) -> ExportGraph:
    return ExportGraph(export_from_config(encode(config), blobs=blobs))


def permuted(config: CacheConfig, order: list[int]) -> CacheConfig:
    """Put record ``order[i]`` in place ``i``, links along with it."""
    place = {old: new for new, old in enumerate(order)}
    records = [config.records[old] for old in order]
    return CacheConfig(
        layers=config.layers,
        records=tuple(
            CacheRecord(
                digest=record.digest,
                layers=record.layers,
                chains=record.chains,
                inputs=tuple(
                    tuple(CacheInput(selector=a.selector, link=place.get(a.link, a.link)) for a in slot)
                    for slot in record.inputs
                ),
            )
            for record in records
        ),
    )


def answers(config: CacheConfig, order: list[int]) -> dict[str, list[dict[str, Any]]]:
    """Ask everything; indexes are translated back by the order."""
    graph = cg.from_config(encode(config))
    found: dict[str, list[dict[str, Any]]] = {}
    for name in ("missing-results", "unreachable-roots", "merge-subsets", "legacy-misses", "orphan-layers"):
        rows = [finding.to_dict() for finding in graph.query(name)]
        for row in rows:
            del row["message"], row["export"]
            for field in ("record", "merge", "input"):
                if row.get(field) is not None:
                    row[field] = order[row[field]]
        found[name] = sorted(rows, key=lambda row: repr(sorted(row.items())))
    return found


@given(configs(sound=False))
def test_encode_then_decode_is_the_identity(config: CacheConfig) -> None:
    assert decode(encode(config)) == config


@given(st.data())
def test_permuting_records_changes_no_answer(data: st.DataObject) -> None:
    config = data.draw(configs())
    order = data.draw(st.permutations(range(len(config.records))))
    before = answers(config, list(range(len(config.records))))
    after = answers(permuted(config, order), order)
    # Which of several merges a lost root is told of is the first by index: all are as good.
    for found in (before, after):
        for row in found["unreachable-roots"]:
            if row["reason"] == "lost":
                row.pop("merge"), row.pop("slot"), row.pop("layers")
    assert after == before


@given(configs(sound=False), st.lists(st.sampled_from([f"blob-{i}" for i in range(6)])))
def test_every_config_is_answered(config: CacheConfig, blobs: list[str]) -> None:
    graph = cg.from_config(encode(config), blobs=blobs)
    counts = graph.check().counts()
    assert counts["error"] >= (graph.import_error is not None)


def matched(config: CacheConfig, known: set[int]) -> set[int]:
    """Which records a build that knows some roots matches: AND over slots, OR over alternatives."""
    found = {i for i, record in enumerate(config.records) if not record.inputs and i in known}
    for index, record in enumerate(config.records):
        if record.inputs and all(any(a.link in found for a in slot) for slot in record.inputs):
            found.add(index)
    return found


@given(st.data())
def test_adding_an_alternative_never_makes_a_record_unmatched(data: st.DataObject) -> None:
    config = data.draw(configs().filter(lambda c: any(r.inputs for r in c.records)))
    known = set(data.draw(st.lists(st.sampled_from(range(len(config.records))))))
    index = data.draw(st.sampled_from([i for i, record in enumerate(config.records) if record.inputs]))
    record = config.records[index]
    slot = data.draw(st.integers(0, len(record.inputs) - 1))
    more = CacheInput(link=data.draw(st.integers(0, index - 1)))
    inputs = tuple((*s, more) if n == slot else s for n, s in enumerate(record.inputs))
    changed = CacheRecord(digest=record.digest, layers=record.layers, chains=record.chains, inputs=inputs)
    records = (*config.records[:index], changed, *config.records[index + 1 :])
    assert graph_of(config).matched(known) == matched(config, known)
    assert matched(config, known) <= graph_of(CacheConfig(layers=config.layers, records=records)).matched(known)


@given(configs())
def test_downstream_counts_are_those_of_a_plain_search(config: CacheConfig) -> None:
    graph = graph_of(config)
    for record, count in graph.downstream_loadable.items():
        above = graph.links.above(record)
        assert count == sum(graph.loadable[r] for r in above)
        assert bool(graph.bridged[record]) == bool(count)


@settings(max_examples=30)
@given(configs())
def test_dropping_a_listed_blob_never_makes_a_result_loadable(config: CacheConfig) -> None:
    blobs = list(dict.fromkeys(layer.blob for layer in config.layers))
    full = graph_of(config, blobs).loadable
    for blob in blobs:
        less = graph_of(config, [b for b in blobs if b != blob]).loadable
        assert all(less[i] <= full[i] for i in range(len(full)))
