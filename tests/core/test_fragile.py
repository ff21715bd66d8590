"""Links that BuildKit 0.25 to 0.32 can lose, against what its importer lost in thousands of imports of each config."""

from __future__ import annotations

import json
import lzma
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachegraph.core.fragile import Missable, missable
from cachegraph.core.graph import ExportGraph
from cachegraph.core.lost_links import lost_links
from cachegraph.loaders.config import export_from_config
from tests.builders import export_graph, record

CASES = Path(__file__).parent.parent / "data" / "fragile.jsonl.xz"


def cases() -> Iterator[Any]:
    """Configs with the links that were missing in at least one import."""
    with lzma.open(CASES, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def graph_of(records: list[list[list[int]]]) -> ExportGraph:
    """Make a graph of records, each a list of slots, each a list of the records that it takes."""
    made = [
        {"digest": f"sha256:{index:064x}", "inputs": [[{"link": link} for link in slot] for slot in slots]}
        for index, slots in enumerate(records)
    ]
    return ExportGraph(export_from_config(json.dumps({"records": made}).encode()))


def known(graph: ExportGraph) -> list[Missable]:
    """The records that can be missed, of a graph small enough."""
    found = missable(graph)
    assert found is not None
    return found


def test_every_link_that_an_import_lost_and_no_other() -> None:
    for case in cases():
        graph = ExportGraph(export_from_config(json.dumps(case["config"]).encode(), blobs=case["blobs"]))
        assert lost_links(graph) == {tuple(place) for place in case["lost"]}, case["name"]


def test_every_record_that_an_import_missed_is_missable() -> None:
    seen = 0
    for case in cases():
        graph = ExportGraph(export_from_config(json.dumps(case["config"]).encode(), blobs=case["blobs"]))
        missed = {(record, slot) for record, slot, _ in case.get("missed", ())}
        assert missed <= {(found.record, slot) for found in known(graph) for slot in found.slots}, case["name"]
        seen += len(missed)
    assert seen > 100


BASE, FIRST, SECOND, OTHER = 0, 1, 2, 3
TWO_TARGETS = [[], [[BASE]], [[BASE], [FIRST]], [[BASE]]]
"""A base; two steps of one target on it, the second takes the base as well; another target on the base."""


def test_a_base_that_another_target_stored_is_given_out_once() -> None:
    # Walked from record 3 first, record 0 is old. The walk from record 2 then meets it in slot 0 of record 2, and again
    # in record 1: that second link is dropped, and record 1 is missed with record 2 above it.
    graph = graph_of(TWO_TARGETS)
    assert lost_links(graph) == {(FIRST, 0, 0)}
    assert missable(graph) == [Missable(record=FIRST, slots=(0,), count=2, steps=(FIRST, SECOND))]


def test_one_leaf_loses_nothing() -> None:
    assert lost_links(graph_of(TWO_TARGETS[:3])) == set()


def test_a_link_that_is_the_only_one_to_its_record_stays() -> None:
    assert lost_links(graph_of([[], [[0]], [[1]], [[1]]])) == set()


def test_within_a_slot_chance_decides() -> None:
    # Record 3 takes 1 or 2 in one slot; both take 0, which the walk from record 4 may have stored.
    graph = graph_of([[], [[0]], [[0]], [[1, 2]], [[0]]])
    assert lost_links(graph) == {(1, 0, 0), (2, 0, 0)}
    # Either loss costs its own record only: the other alternative still matches.
    assert [found.steps for found in known(graph)] == [(1,), (2,)]


def test_what_buildkit_refuses_loses_nothing() -> None:
    assert lost_links(graph_of([*TWO_TARGETS, [[4]]])) == set()


@st.composite
def graphs(draw: st.DrawFn) -> list[list[list[int]]]:
    """Records that take earlier ones."""
    count = draw(st.integers(1, 9))
    records: list[list[list[int]]] = [[]]
    for index in range(1, count):
        earlier = st.lists(st.integers(0, index - 1), min_size=1, max_size=2, unique=True)
        records.append(draw(st.lists(earlier, max_size=3)))
    return records


def by_the_rule(records: list[list[list[int]]]) -> set[tuple[int, int, int]]:
    """Find the links that can be lost as the rule is told: pair by pair, leaf by leaf."""
    links = [
        (r, s, a, o) for r, slots in enumerate(records) for s, slot in enumerate(slots) for a, o in enumerate(slot)
    ]
    below = [{index} for index in range(len(records))]
    for index, slots in enumerate(records):
        below[index] |= {one for slot in slots for link in slot for one in below[link]}
    leaves = set(range(len(records))) - {link[3] for link in links}

    def can_begin(key: int, e: tuple[int, ...], f: tuple[int, ...]) -> bool:
        """Whether a walk down from a key can pass f before e."""
        for s, slot in enumerate(records[key]):
            leading = [
                (key, s, a, o) for a, o in enumerate(slot) if (key, s, a, o) in (e, f) or {e[0], f[0]} & below[o]
            ]
            if leading:
                return any(link == f or (link != e and can_begin(link[3], e, f)) for link in leading)
        return False

    return {
        e[:3]
        for e in links
        for f in links
        if e != f and e[3] == f[3]
        if any(e[3] in below[k] and not {e[0], f[0]} & below[k] for k in leaves)
        if any({e[0], f[0]} <= below[leaf] and can_begin(leaf, e, f) for leaf in leaves)
    }


@given(graphs(), st.sampled_from([1, 2, 4096]))
def test_many_sets_at_once_find_what_the_rule_says(records: list[list[list[int]]], together: int) -> None:
    with mock.patch("cachegraph.core.lost_links._TOGETHER", together):
        assert lost_links(graph_of(records)) == by_the_rule(records)


@given(graphs())
def test_what_a_missed_record_costs(records: list[list[list[int]]]) -> None:
    graph = graph_of(records)
    for found in known(graph):
        matched = graph.matched(set(graph.roots), {found.record})
        gone = [index for index in range(len(records)) if index not in matched]
        assert (found.count, list(found.steps)) == (len(gone), gone[:20])


def test_what_takes_too_long_is_not_known() -> None:
    assert missable(graph_of(TWO_TARGETS), budget=3) is None
    assert missable(graph_of(TWO_TARGETS), budget=5) is not None


def test_many_targets_on_many_shared_steps_take_a_moment() -> None:
    # 1,000 shared steps in groups on one base, 1,500 targets of three neighbours each: the base is given out once.
    shared: list[list[list[int]]] = [[], *([[(index - 1) - (index - 1) % 7]] for index in range(1, 1000))]
    targets = [[[(index + place) % 1000] for place in range(3)] for index in range(1500)]
    began = time.monotonic()
    assert len(known(graph_of(shared + targets))) > 100
    assert time.monotonic() - began < 30, "some 0.3 s on a quiet machine"


@given(graphs())
def test_a_loss_needs_two_leaves_and_two_links_to_one_record(records: list[list[list[int]]]) -> None:
    taken = [link for slots in records for slot in slots for link in slot]
    leaves = set(range(len(records))) - set(taken)
    lost = lost_links(graph_of(records))
    if len(leaves) == 1:
        assert lost == set()
    assert all(taken.count(records[record][slot][number]) > 1 for record, slot, number in lost)


@given(graphs())
def test_one_more_target_saves_no_link(records: list[list[list[int]]]) -> None:
    before = lost_links(graph_of(records))
    assert before <= lost_links(graph_of([*records, [[0]]]))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 3, 1, 2)])
def test_the_order_of_records_changes_nothing(order: tuple[int, ...]) -> None:
    places = {old: new for new, old in enumerate(order)}
    records = [[[places[link] for link in slot] for slot in TWO_TARGETS[old]] for old in order]
    assert lost_links(graph_of(records)) == {(places[FIRST], 0, 0)}


def test_records_of_one_key_that_depend_on_each_other_are_not_known() -> None:
    # The last three have one key, as the first slot says; so that key takes itself in the second one.
    looped = export_graph(record("s"), record("a", [0]), record("a", [0], [1]), record("a", [0]))
    assert looped.import_error is None
    assert lost_links(looped) == set()
    assert missable(looped) is None
