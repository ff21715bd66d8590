"""Searches over a small graph with everything in it: a diamond, a loop, links out of range, a record apart."""

from __future__ import annotations

import pytest

from cachegraph.core.model import CacheInput, CacheRecord
from cachegraph.core.search import Links


def links(*inputs: list[int]) -> Links:
    """Make records by their inputs, each input a slot of its own."""
    slots = [tuple((CacheInput(link=link),) for link in own) for own in inputs]
    return Links([CacheRecord(inputs=own) for own in slots])


#       4
#      / \
#     2   3
#      \ /
#   0   1        0 stands apart
DIAMOND: tuple[list[int], ...] = ([], [], [1], [1], [2, 3])


def test_both_directions() -> None:
    found = links(*DIAMOND)
    assert found.inputs == [[], [], [1], [1], [2, 3]]
    assert found.dependents == [[], [2, 3], [4], [4], []]
    assert found.order == [0, 1, 2, 3, 4]
    assert not found.has_loop


def test_links_out_of_range_are_left_out() -> None:
    found = links([-1, 3, 1], [2], [])
    assert found.inputs == [[1], [2], []]
    assert found.dependents == [[], [0], [1]]
    assert found.order == [2, 1, 0]
    assert links([], [0, 9]).inputs == [[], [0]]


def test_the_same_input_twice_counts_twice() -> None:
    found = links([], [0, 0])
    assert found.inputs == [[], [0, 0]]
    assert found.dependents == [[1, 1], []]
    assert found.order == [0, 1]
    assert found.count_above([0], bytearray([0, 1])) == {0: 1}


def test_an_order_leaves_out_loops_and_what_stands_on_them() -> None:
    found = links([], [0, 2], [1], [2], [0])
    assert found.has_loop
    assert found.order == [0, 4]
    assert links([0]).has_loop
    assert links([0]).order == []


@pytest.mark.parametrize(
    ("starts", "reached"),
    [
        ([], []),
        ([0], []),
        ([1], []),
        ([4], [1, 2, 3]),
        ([2], [1]),
        ([2, 4], [1, 2, 3]),
        ([1, 2], [1]),
    ],
)
def test_what_some_records_depend_on(starts: list[int], reached: list[int]) -> None:
    marks = bytearray(record in starts for record in range(5))
    assert [record for record, found in enumerate(links(*DIAMOND).below(marks)) if found] == reached


def test_what_a_loop_depends_on() -> None:
    marks = bytearray([0, 0, 1, 0])
    assert list(links([], [0, 2], [1], []).below(marks)) == [1, 1, 1, 0]


def test_below_goes_on_through_records_that_are_no_start() -> None:
    chain = links([], [0], [1], [2], [3])
    assert list(chain.below(bytearray([0, 0, 0, 0, 1]))) == [1, 1, 1, 1, 0]


@pytest.mark.parametrize(("start", "above"), [(0, []), (1, [2, 3, 4]), (2, [4]), (4, [])])
def test_what_depends_on_a_record_nearest_first(start: int, above: list[int]) -> None:
    assert links(*DIAMOND).above(start) == above


def test_what_depends_on_a_record_of_a_loop() -> None:
    assert links([], [0, 2], [1], [2]).above(1) == [2, 3]


def test_counting_what_counts_above() -> None:
    found = links(*DIAMOND)
    assert found.count_above([0, 1, 2, 3, 4], bytearray([1, 1, 1, 1, 1])) == {0: 0, 1: 3, 2: 1, 3: 1, 4: 0}
    assert found.count_above([1, 2], bytearray([0, 0, 0, 0, 1])) == {1: 1, 2: 1}
    assert found.count_above([1], bytearray([0, 1, 1, 0, 0])) == {1: 1}
    assert found.count_above([], bytearray([1, 1, 1, 1, 1])) == {}


def test_counting_on_many_ways() -> None:
    """Ten diamonds on each other: 2**10 ways, 30 records."""
    inputs: list[list[int]] = [[]]
    for _ in range(10):
        bottom = len(inputs) - 1
        inputs += [[bottom], [bottom], [bottom + 1, bottom + 2]]
    found = links(*inputs)
    assert found.count_above([0, 3, 29], bytearray([1] * 31)) == {0: 30, 3: 27, 29: 1}


def test_nobody_can_count_what_a_loop_hides() -> None:
    found = links([], [0, 2], [1], [], [3])
    assert found.count_above([0, 1, 2, 3, 4], bytearray([1] * 5)) == {0: None, 1: None, 2: None, 3: 1, 4: 0}
    found = links([], [0], [1, 2])
    assert found.count_above([0, 1], bytearray([1] * 3)) == {0: None, 1: None}
    # What stands on a loop is beyond it.
    found = links([1], [0], [1], [2])
    assert found.count_above([0, 2, 3], bytearray([1] * 4)) == {0: None, 2: 1, 3: 0}


@pytest.mark.parametrize(
    ("inputs", "sound"),
    [([], True), ([[]], True), ([[], [0]], True), ([[-1]], False), ([[], [2]], False), ([[], [1]], True)],
)
def test_links_are_sound_in_range(inputs: list[list[int]], sound: bool) -> None:
    assert links(*inputs).is_sound is sound


def test_links_are_sound_if_every_slot_has_an_alternative() -> None:
    slot = (CacheInput(link=0),)
    assert Links((CacheRecord(), CacheRecord(inputs=(slot,)))).is_sound
    assert not Links((CacheRecord(), CacheRecord(inputs=(slot, ())))).is_sound
    assert not Links((CacheRecord(inputs=((),)), CacheRecord(inputs=(slot,)))).is_sound
