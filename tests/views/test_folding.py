"""What folds into one mark, and what must not."""

from __future__ import annotations

import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

import cachegraph as cg
from cachegraph.views.drawing.folding import Fold, Group, depths, fold, gather
from cachegraph.views.html.drawing import scene_of
from tests.views.monorepo import monorepo
from tests.views.test_layout import GRAPHS


def _records(made: Fold, mark: int, count: int) -> list[int]:
    if mark < count:
        return [mark]
    return [record for member in made.groups[mark - count].members for record in _records(made, member, count)]


@given(GRAPHS, st.data())
def test_every_record_is_in_one_mark_and_no_link_is_lost(inputs: list[list[int]], data: st.DataObject) -> None:
    count = len(inputs)
    kinds = data.draw(st.lists(st.sampled_from("ab"), min_size=count, max_size=count))
    made = fold(inputs, kinds)
    of = {record: at for at, mark in enumerate(made.marks) for record in _records(made, mark, count)}
    assert sorted(of) == list(range(count))
    drawn = {(link, mark) for mark, links in enumerate(made.inputs) for link in links}
    assert drawn == {
        (of[link], of[mark]) for mark, links in enumerate(inputs) for link in links if of[link] != of[mark]
    }
    # No loop comes of folding.
    assert all(depth <= len(made.marks) for depth in depths(made.inputs))
    assert len(depths(made.inputs)) == len(made.marks)
    waiting = [len(set(links)) for links in made.inputs]
    order = [mark for mark, left in enumerate(waiting) if not left]
    for mark in order:
        for taker, links in enumerate(made.inputs):
            if mark in links:
                waiting[taker] -= 1
                if not waiting[taker]:
                    order.append(taker)
    assert len(order) == len(made.marks)


def test_a_chain() -> None:
    made = fold([[], [0], [1], [2]], "rsss")
    assert made.groups == [Group(kind="chain", members=(0, 1, 2, 3))]
    assert (made.marks, made.inputs) == ([4], [()])


def test_two_in_a_row_stay_two() -> None:
    assert fold([[], [0]], "rs").groups == []


def test_a_fan_needs_one_kind() -> None:
    inputs = [[], [0], [0], [0], [1, 2, 3]]
    assert fold(inputs, "rsssm").groups[0] == Group(kind="fan", members=(1, 2, 3))
    assert fold(inputs, "rsstm").groups == []


def test_a_step_and_the_files_that_it_alone_takes() -> None:
    """The base is shared, so that the step begins no chain; the files are its own."""
    made = fold([[], [0], [], [0, 2]], "rsfs")
    assert Group(kind="row", members=(3, 2)) in made.groups


def test_equal_chains_are_one_mark() -> None:
    """Three times a step and its diff, which takes the base again, and their merge."""
    inputs = [[], [0], [0], [0], [0, 1], [0, 2], [0, 3], [4, 5, 6]]
    made = fold(inputs, "rsssdddm")
    assert Counter(group.kind for group in made.groups) == {"chain": 4, "fan": 1}
    assert len(made.marks) == 1


def test_services_of_a_monorepo_are_one_mark_each_then_one_together() -> None:
    some = scene_of(monorepo(16).graphs[0])
    assert 200 < len(some.nodes) < 300
    assert Counter(group.kind for group in some.fold.groups)["bundle"] == 16
    assert len(some.fold.marks) == 16 + 6
    named = [label for label, group in zip(some.labels, some.fold.groups, strict=True) if group.kind == "bundle"]
    assert all(re.fullmatch(r"1\d for RUN test service-00\d\d", label) for label in named)
    assert len({label[-4:] for label in named}) == 16
    many = scene_of(monorepo(140).graphs[0])
    assert 2000 < len(many.nodes) < 2500
    assert len(many.fold.marks) < 15
    assert sorted(many.members(mark)[0] for mark in many.fold.marks)[0] == 0
    fans = [group for group in many.fold.groups if group.kind == "fan"]
    assert sum(len(fan.members) for fan in fans) == 140


def test_up_to_200_records_nothing_is_folded(large: cg.CacheGraph) -> None:
    small = scene_of(large.focus(3000, up=4, down=4).graphs[0])
    assert len(small.nodes) <= 200
    assert small.fold.groups == []
    assert len(scene_of(large.graphs[0]).fold.marks) < 5000


def test_too_many_are_counted_by_depth_and_state() -> None:
    inputs = [[], [0], [1], [0], [2, 3]]
    made = gather("rsktk", depths(inputs), 2)
    assert [group.members for group in made.groups] == [(0,), (1,), (3,), (2, 4)]
    assert made.marks == [5, 6, 7, 8]
    assert made.inputs == [(), (), (), ()]
    assert {group.kind for group in made.groups} == {"band"}
