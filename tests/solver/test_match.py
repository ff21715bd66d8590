"""Which keys match: rule by rule on small configs."""

from __future__ import annotations

import json
from typing import Any

from cachegraph.core.graph import ExportGraph
from cachegraph.reading import from_config
from cachegraph.solver.match import match


def export(*records: tuple[Any, ...]) -> ExportGraph:
    """Make an export of (digest, slots, loadable). A slot lists its alternatives: a record or (selector, record)."""
    config = {
        "layers": [{"blob": f"sha256:{number}", "parent": -1} for number in range(len(records))],
        "records": [
            {
                "digest": digest,
                "inputs": [
                    [{"link": a} if isinstance(a, int) else {"selector": a[0], "link": a[1]} for a in slot]
                    for slot in slots
                ],
                "layers": [{"layer": number}] if loadable else [],
            }
            for number, (digest, slots, loadable) in enumerate(records)
        ],
    }
    return from_config(json.dumps(config).encode()).graphs[0]


def root(digest: str) -> tuple[Any, ...]:
    return digest, [], False


def test_a_chain_matches_as_far_as_its_digests_are_equal() -> None:
    cache = export(root("base"), ("run 1", [[0]], True), ("run 2", [[1]], True))
    build = export(root("base"), ("run 1", [[0]], True), ("run 2 changed", [[1]], True), ("run 3", [[2]], True))
    found = match(build, cache)
    assert found.keys == [(0,), (1,), (), ()]


def test_one_alternative_of_each_slot_is_enough() -> None:
    cache = export(root("base"), root("files"), root("old"), ("copy", [[0], [2, ("sel", 1)]], True))
    build = export(root("new"), root("files"), root("base"), ("copy", [[0, 2], [("sel", 1)]], True))
    assert match(build, cache).keys == [(), (1,), (0,), (3,)]


def test_the_selector_counts() -> None:
    cache = export(root("files"), ("copy", [[("a", 0)]], True))
    build = export(root("files"), ("copy", [[("b", 0)]], True))
    found = match(build, cache)
    assert found.keys == [(0,), ()]
    assert not found.leads_on(1, 0)


def test_the_slot_and_the_number_of_slots_count() -> None:
    cache = export(root("a"), root("b"), ("merge", [[0], [1]], True), ("run", [[0]], True))
    build = export(root("a"), root("b"), ("merge", [[1], [0]], True), ("run", [[0], [0]], True))
    assert match(build, cache).keys == [(0,), (1,), (), ()]


def test_every_slot_must_match_the_same_key() -> None:
    cache = export(root("a"), root("b"), root("c"), root("d"), ("merge", [[0], [1]], True), ("merge", [[2], [3]], True))
    build = export(root("a"), root("d"), ("merge", [[0], [1]], True))
    found = match(build, cache)
    assert found.keys == [(0,), (3,), ()]
    assert found.leads_on(2, 0)
    assert found.leads_on(2, 1)


def test_a_key_without_result_still_matches() -> None:
    cache = export(root("a"), ("run 1", [[0]], False), ("run 2", [[1]], True))
    build = export(root("a"), ("run 1", [[0]], False), ("run 2", [[1]], False))
    assert match(build, cache).keys == [(0,), (1,), (2,)]


def test_equal_records_of_a_cache_are_one_key() -> None:
    cache = export(root("a"), ("run 1", [[0]], False), ("run 1", [[0]], True), ("run 2", [[2]], True))
    build = export(root("a"), ("run 1", [[0]], False), ("run 2", [[1]], False))
    found = match(build, cache)
    assert found.keys == [(0,), (1,), (3,)]
    assert found.records(1) == [1, 2]
    assert found.matched() == {0, 1, 2, 3}


def test_a_record_can_match_several_keys() -> None:
    cache = export(root("a"), root("b"), ("run", [[0]], True), ("run", [[1]], True))
    build = export(root("a"), root("b"), ("run", [[0, 1]], True))
    assert match(build, cache).keys[2] == (2, 3)


def test_a_refused_cache_matches_nothing() -> None:
    cache = export(root("a"), ("run", [[0]], True), ("run", [[7]], True))
    assert cache.import_error == "invalid record ID: 7"
    found = match(export(root("a"), ("run", [[0]], True)), cache)
    assert found.keys == [(), ()]
    assert found.matched() == set()


def test_loops_and_links_out_of_range_in_a_build_match_nothing() -> None:
    cache = export(root("a"), ("run", [[0]], True))
    build = export(root("a"), ("run", [[0, 9]], True), ("run", [[3]], True), ("run", [[2]], True), ("run", [[]], True))
    assert match(build, cache).keys == [(0,), (1,), (), (), ()]
