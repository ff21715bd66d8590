"""What holds for every build and every cache."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import cachegraph as cg
from cachegraph.core.model import CacheConfig, CacheRecord
from cachegraph.graph import CacheGraph
from cachegraph.solver.keys import CacheKeys
from cachegraph.solver.match import match
from tests.laws.test_laws import configs as unsound
from tests.solver.strategies import build_and_caches, configs, graph, permuted, versions

BuildAndCaches = tuple[CacheConfig, list[CacheConfig]]


def runs(build: CacheGraph, caches: list[CacheGraph]) -> tuple[set[int], set[int]]:
    """Records that run at best, and at worst."""
    prediction = cg.predict(build, caches)
    return {s.record for s in prediction if s.best == "runs"}, {s.record for s in prediction if s.worst == "runs"}


@given(configs())
def test_changing_nothing_runs_nothing_that_has_a_result(config: CacheConfig) -> None:
    build = graph(config)
    keys = CacheKeys(build.graphs[0])
    for step in cg.predict(build, build):
        members = keys.members(keys.key[step.record])
        assert not step.executed or not any(config.records[member].layers for member in members)


@given(build_and_caches(), st.data())
def test_the_order_of_caches_changes_nothing(made: BuildAndCaches, data: st.DataObject) -> None:
    build, caches = graph(made[0]), [graph(config) for config in made[1]]
    assert runs(build, data.draw(st.permutations(caches))) == runs(build, caches)


@given(build_and_caches(), st.data())
def test_the_order_of_records_changes_nothing(made: BuildAndCaches, data: st.DataObject) -> None:
    build, caches = made
    order = data.draw(st.permutations(range(len(build.records))))
    moved = [permuted(cache, data.draw(st.permutations(range(len(cache.records))))) for cache in caches]
    best, worst = runs(graph(permuted(build, order)), [graph(cache) for cache in moved])
    expected = runs(graph(build), [graph(cache) for cache in caches])
    assert ({order[record] for record in best}, {order[record] for record in worst}) == expected


@given(build_and_caches(most=3))
def test_another_cache_makes_the_best_case_no_worse(made: BuildAndCaches) -> None:
    build, caches = graph(made[0]), [graph(config) for config in made[1]]
    assert runs(build, caches)[0] <= runs(build, caches[1:])[0]


@given(build_and_caches())
def test_the_best_case_is_no_worse_than_the_worst(made: BuildAndCaches) -> None:
    best, worst = runs(graph(made[0]), [graph(config) for config in made[1]])
    assert best <= worst


@given(build_and_caches(most=1))
def test_one_cache_leaves_nothing_open(made: BuildAndCaches) -> None:
    prediction = cg.predict(graph(made[0]), [graph(config) for config in made[1]])
    assert prediction.exact
    assert all((step.executed is True) == (step.why is not None) for step in prediction)
    assert all((step.how == "loaded") == (step.loads is not None) for step in prediction)


@given(build_and_caches(most=2))
def test_what_is_open_says_what_decides(made: BuildAndCaches) -> None:
    for step in cg.predict(graph(made[0]), [graph(config) for config in made[1]]):
        assert (step.executed is None) == (step.depends is not None)


@given(configs(), st.data())
def test_unknown_content_is_a_range_around_what_it_turns_out_to_be(config: CacheConfig, data: st.DataObject) -> None:
    records = list(config.records)
    unknown = set()
    for index, record in enumerate(records):
        slots = []
        for number, slot in enumerate(record.inputs):
            steps = tuple(a for a in slot if records[a.link].inputs)
            if 0 < len(steps) < len(slot) and all(not a.selector for a in slot if a not in steps):
                unknown.add((index, number))
            slots.append(steps if (index, number) in unknown else slot)
        records[index] = CacheRecord(digest=record.digest, inputs=tuple(slots), layers=record.layers)
    cache = graph(data.draw(versions(config)))
    turned_out = {step.record: step.executed for step in cg.predict(graph(config), cache)}
    before = CacheConfig(layers=config.layers, records=tuple(records))
    for step in cg.predict(graph(before, frozenset(unknown)), cache, target=None):
        if step.record in turned_out:
            assert step.executed in (None, turned_out[step.record])


@given(build_and_caches(most=1))
def test_matching_is_what_its_definition_says(made: BuildAndCaches) -> None:
    build, cache = graph(made[0]).graphs[0], graph(made[1][0]).graphs[0]
    found = match(build, cache)
    key = found.cache.key
    if len(set(key)) < len(key):
        return  # the definition is about keys, of which folded records make one
    by_definition: list[set[int]] = []
    for record in build.export.config.records:
        by_definition.append(
            {b for b, other in enumerate(cache.export.config.records) if _matches(record, other, by_definition)}
        )
    assert [set(keys) for keys in found.keys] == by_definition


def _matches(record: CacheRecord, other: CacheRecord, matched: list[set[int]]) -> bool:
    return (
        record.digest == other.digest
        and len(record.inputs) == len(other.inputs)
        and all(
            any(a.selector == b.selector and b.link in matched[a.link] for a in slot for b in others)
            for slot, others in zip(record.inputs, other.inputs, strict=True)
        )
    )


@given(unsound(sound=False), unsound(sound=False), st.integers(0, 7))
def test_broken_exports_are_answered_too(build: CacheConfig, cache: CacheConfig, change: int) -> None:
    broken, other = graph(build), graph(cache)
    prediction = cg.predict(broken, [other, broken])
    assert {step.record for step in prediction} <= {r for r, record in enumerate(build.records) if record.inputs}
    assert len(cg.sources(broken, [other, broken])) == 2
    assert all(row.runs <= len(prediction) for row in cg.blast_radius(broken))
    if change < len(build.records):
        assert cg.simulate(broken, change).changes == (change,)
