"""Merges laid out over their inputs. Layers stand for themselves: a result is a chain of their numbers."""

from __future__ import annotations

import pytest

from cachegraph.core.graph import ExportGraph
from cachegraph.core.merges import Merge, Slot, lay_out
from cachegraph.core.model import CacheRecord, CacheResult, ChainedResult, Kind
from cachegraph.core.spans import Span
from tests.builders import export_graph, layers, merge, record

Chain = tuple[int, ...] | None
STACK = layers(-1, -1, -1, -1, -1, -1)


def merged(whole: Chain, *inputs: Chain, kind: Kind = "local") -> ExportGraph:
    """Make a merge whose inputs are roots with these results; it is the last record."""
    roots = [record(f"root-{number}", chain=chain) for number, chain in enumerate(inputs)]
    slots = [[number] for number in range(len(inputs))]
    return export_graph(*roots, record(merge(len(inputs)), *slots, chain=whole), stack=STACK, kind=kind)


def laid_out(whole: Chain, *inputs: Chain, known: dict[int, tuple[str, ...]] | None = None) -> Merge:
    return lay_out(merged(whole, *inputs), len(inputs), known or {})


def places(found: Merge) -> list[tuple[tuple[int, int] | None, bool]]:
    return [(slot.place, slot.inferred) for slot in found.slots]


def relations(found: Merge) -> list[list[str | None]]:
    return [[span.relation if span else None for _, span in slot.alternatives] for slot in found.slots]


def test_one_input_after_the_other() -> None:
    found = laid_out((0, 1, 2), (0, 1), (2,))
    assert found.blobs == ("blob-0", "blob-1", "blob-2")
    assert found.slots == (
        Slot(alternatives=((0, Span("prefix", 0, 2)),), place=(0, 2), inferred=False),
        Slot(alternatives=((1, Span("subset", 2, 3)),), place=(2, 3), inferred=False),
    )


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ((None, (2, 3)), [((0, 2), True), ((2, 4), False)]),
        (((0, 1), None), [((0, 2), False), ((2, 4), True)]),
        (((0,), None, (3,)), [((0, 1), False), ((1, 3), True), ((3, 4), False)]),
        # An input may have brought nothing.
        (((0, 1), None, (2, 3)), [((0, 2), False), ((2, 2), True), ((2, 4), False)]),
        # Two unknown neighbours leave no single gap.
        ((None, None, (3,)), [(None, False), (None, False), ((3, 4), False)]),
        ((None, None), [(None, False), (None, False)]),
    ],
)
def test_an_input_without_a_result_brought_what_its_neighbours_leave(
    inputs: tuple[Chain, ...], expected: list[tuple[tuple[int, int] | None, bool]]
) -> None:
    found = laid_out((0, 1, 2, 3), *inputs)
    assert places(found) == expected


def test_scattered_layers_have_no_place_of_their_own() -> None:
    found = laid_out((0, 1, 2, 3), (0, 2), (3,))
    assert relations(found) == [["scattered"], ["subset"]]
    assert places(found) == [((0, 3), True), ((3, 4), False)]


def test_absent_layers_have_no_place() -> None:
    found = laid_out((0, 1), (5,), (1,))
    assert relations(found) == [["absent"], ["subset"]]
    assert places(found) == [((0, 1), True), ((1, 2), False)]


def test_inputs_that_overlap_leave_no_gap() -> None:
    found = laid_out((0, 1, 2), (1, 2), None, (0,))
    assert places(found) == [((1, 3), False), (None, False), ((0, 1), False)]
    assert found.gap(1) is None
    assert places(laid_out((0, 1, 2, 3), (1, 2), None, (2, 3))) == [((1, 3), False), (None, False), ((2, 4), False)]


def test_layers_that_come_twice_are_expected_behind_the_input_before() -> None:
    stack = (*STACK, *STACK)  # blob-0 to blob-5 twice, as layers 0 to 11
    roots = [record("a", chain=(0,)), record("b", chain=(1,)), record("c", chain=(0,))]
    graph = export_graph(*roots, record(merge(3), [0], [1], [2], chain=(0, 1, 6)), stack=stack)
    assert places(lay_out(graph, 3, {})) == [((0, 1), False), ((1, 2), False), ((2, 3), False)]


def test_a_merge_without_a_result_has_no_places() -> None:
    found = laid_out(None, (0,), (1,))
    assert found == Merge(
        record=2,
        blobs=None,
        slots=tuple(Slot(alternatives=((link, None),), place=None, inferred=False) for link in (0, 1)),
    )
    assert found.gap(0) is None


def test_a_daemons_results_cannot_be_compared() -> None:
    assert lay_out(merged((0, 1), (0,), (1,), kind="daemon"), 2, {}).blobs is None
    assert lay_out(merged((0, 1), (0,), (1,), kind="local"), 2, {}).blobs is not None


def test_of_several_alternatives_the_first_that_stands_together_places_the_slot() -> None:
    roots = [
        record("none"),
        record("scattered", chain=(0, 2)),
        record("prefix", chain=(0, 1)),
        record("end", chain=(2,)),
    ]
    graph = export_graph(*roots, record(merge(2), [0, 1, 2], [3], chain=(0, 1, 2)), stack=STACK)
    found = lay_out(graph, 4, {})
    assert relations(found) == [[None, "scattered", "prefix"], ["subset"]]
    assert places(found) == [((0, 2), False), ((2, 3), False)]


def test_alternatives_out_of_range_are_left_out() -> None:
    graph = export_graph(record("a", chain=(0,)), record(merge(2), [-1, 0, 2], [9], chain=(0, 1)), stack=STACK)
    found = lay_out(graph, 1, {})
    assert [[link for link, _ in slot.alternatives] for slot in found.slots] == [[0], []]
    assert places(found) == [((0, 1), False), ((1, 2), True)]


def test_of_a_records_results_the_most_telling_counts() -> None:
    """Absent, scattered, further up, at the bottom: any order gives the bottom."""
    graph = export_graph(
        record("a", chains=[(5,), (0, 2), (1, 2), (0, 1)]),
        record("b", chains=[(5,), (0, 2), (1, 2)]),
        record("c", chains=[(5,), (0, 2)]),
        *(record(merge(2), [number], [number], chain=(0, 1, 2)) for number in range(3)),
        stack=STACK,
    )
    assert [relations(lay_out(graph, index, {}))[0] for index in (3, 4, 5)] == [["prefix"], ["subset"], ["scattered"]]


def test_of_equally_telling_results_the_one_where_it_is_expected_counts() -> None:
    graph = export_graph(
        record("a", chain=(0,)),
        record("b", chains=[(2,), (1,)]),
        record(merge(2), [0], [1], chain=(0, 1, 2)),
        stack=STACK,
    )
    assert places(lay_out(graph, 2, {})) == [((0, 1), False), ((1, 2), False)]


def test_layers_known_otherwise_place_a_slot_and_are_no_result() -> None:
    found = laid_out((0, 1, 2, 3), None, None, (3,), known={0: ("blob-0", "blob-1")})
    assert relations(found) == [[None], [None], ["subset"]]
    assert places(found) == [((0, 2), True), ((2, 3), True), ((3, 4), False)]
    # Not if they are apart in it, and not those of another record.
    assert places(laid_out((0, 1, 2), None, None, known={0: ("blob-0", "blob-2")})) == [(None, False), (None, False)]
    assert places(laid_out((0, 1, 2), None, None, known={7: ("blob-0",)})) == [(None, False), (None, False)]
    assert places(laid_out((0, 1, 2), None, None, known={1: ("blob-2",)})) == [((0, 2), True), ((2, 3), True)]


def test_the_gap_of_a_slot_is_what_the_others_leave() -> None:
    """A slot that is placed by its own result may fill less than its gap."""
    found = laid_out((0, 1, 2, 3), (0,), (2,), None)
    assert found.slots[1].place == (2, 3)
    assert [found.gap(slot) for slot in range(3)] == [(0, 2), (1, 3), (3, 4)]
    found = laid_out((0, 1, 2, 3), (0,), (2,), (3,))
    assert [found.gap(slot) for slot in range(3)] == [(0, 2), (1, 3), (3, 4)]


def test_the_gap_of_an_inferred_slot_is_its_place() -> None:
    found = laid_out((0, 1, 2), None, None, known={0: ("blob-0",)})
    assert found.slots[0] == Slot(alternatives=((0, None),), place=(0, 1), inferred=True)
    assert found.gap(0) == (0, 1)


def test_the_newest_result_of_the_merge_is_laid_out() -> None:
    times = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    both = CacheRecord(
        digest=merge(2),
        inputs=record("", [0], [1]).inputs,
        chains=tuple(ChainedResult(layers=(n, 2), created_at=at) for n, at in enumerate(times)),
    )
    graph = export_graph(record("a", chain=(1,)), record("b", chain=(2,)), both, stack=STACK)
    assert lay_out(graph, 2, {}).blobs == ("blob-1", "blob-2")


def test_a_layer_brings_its_parents() -> None:
    whole = CacheRecord(digest=merge(2), inputs=record("", [0], [1]).inputs, layers=(CacheResult(layer=2),))
    graph = export_graph(record("a", layer=1), record("b", chain=(2,)), whole, stack=layers(-1, 0, 1))
    assert places(lay_out(graph, 2, {})) == [((0, 2), False), ((2, 3), False)]
