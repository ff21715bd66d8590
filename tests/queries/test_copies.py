"""Many copies of one key: one finding for all of them, and no more time than they need to be read."""

from __future__ import annotations

import time

import cachegraph as cg
from cachegraph.queries.copies import MANY, without_copies
from tests.builders import graph_of, record


def test_up_to_a_number_each_copy_has_its_own_finding() -> None:
    graph = graph_of(*[record("same")] * MANY)
    assert [f.record for f in graph.unreachable_roots()] == list(range(MANY))
    assert [f.record for f in graph.query("duplicate-keys")] == list(range(1, MANY))
    assert all(
        "records" not in f.to_dict() for f in graph.check() if f.query in ("unreachable-roots", "duplicate-keys")
    )


def test_of_more_the_first_stands_for_all() -> None:
    graph = graph_of(*[record("same")] * (MANY + 2), record("other"))
    (same, other) = graph.unreachable_roots()
    assert (same.record, same.records) == (0, tuple(range(MANY + 2)))
    assert (other.record, other.records) == (MANY + 2, ())
    (folded,) = graph.query("duplicate-keys")
    assert (folded.record, folded.key, folded.records) == (1, 0, tuple(range(1, MANY + 2)))
    assert same.to_dict()["records"] == list(range(MANY + 2))


def test_what_copies_lose_is_added_up() -> None:
    from tests.builders import layers

    copies = [record("same", [0], chain=(number,)) for number in range(MANY + 2)]
    graph = graph_of(record("base"), *copies, stack=layers(*[-1] * (MANY + 2)))
    (folded,) = graph.query("duplicate-keys")
    assert (folded.severity, folded.dropped_results) == ("warning", MANY + 1)


def test_groups_stand_in_the_order_of_their_first_record() -> None:
    rows = [(1, "a"), (2, "b"), *((number, "c") for number in range(10, 10 + MANY + 1)), (50, "a")]
    assert [(record, alike, len(all_)) for record, alike, all_ in without_copies(rows)] == [
        (1, "a", 0),
        (2, "b", 0),
        (10, "c", MANY + 1),
        (50, "a", 0),
    ]


def test_hundreds_of_thousands_of_empty_records() -> None:
    config = b'{"records":[' + b",".join([b"{}"] * 300_000) + b"]}"
    start = time.process_time()
    findings = cg.from_config(config).check()
    assert time.process_time() - start < 8  # 17 s before; 2 s on an idle machine
    assert len(findings) == 4
    assert {f.query for f in findings} == {"empty-exports", "duplicate-keys", "unreachable-roots", "size-forecast"}
