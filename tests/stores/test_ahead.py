"""Rows are made ahead of the server: in order, one part at most, and nothing is lost of an error."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from cachegraph.stores.neo4j.ahead import ahead


def test_parts_come_in_order_and_one_at_most_is_made_ahead() -> None:
    made: list[int] = []
    second = threading.Event()

    def parts() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    got = []
    for number in ahead(parts()):
        if number == 0:
            assert second.wait(10)  # it is made while the first is in use
        assert len(made) <= number + 2
        got.append(number)
    assert got == [0, 1, 2, 3, 4]
    assert list(ahead([])) == []


def test_an_error_comes_in_its_turn() -> None:
    def parts() -> Iterator[int]:
        yield 0
        raise ValueError("the third record is odd")

    got = []
    with pytest.raises(ValueError, match="the third record is odd"):  # noqa: PT012 - what came before it counts
        for number in ahead(parts()):
            got.append(number)  # noqa: PERF402 - one after the other, as a reader takes them
    assert got == [0]


def test_who_stops_listening_leaves_no_thread() -> None:
    stream = ahead(range(3))
    assert next(iter(stream)) == 0
    stream.close()  # type: ignore[attr-defined] # a generator
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rows")]
