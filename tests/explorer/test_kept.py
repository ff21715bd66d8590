"""Pages that were made are kept for the next visit, and no more of them than fit."""

from __future__ import annotations

import threading
import time

import pytest

import cachegraph as cg
from cachegraph.explorer import app
from cachegraph.explorer.kept import KeptPages
from cachegraph.explorer.pages import export_page
from cachegraph.explorer.shelf import Shelf, Shown
from tests.explorer.conftest import serving


class _Maker:
    """Makes pages of a size, and remembers which."""

    def __init__(self, kept: KeptPages) -> None:
        self.kept = kept
        self.made: list[str] = []

    def ask(self, name: str, size: int = 4) -> bytes:
        def make() -> str:
            self.made.append(name)
            return name * size

        return self.kept.get(name, make)


def test_a_page_is_made_once() -> None:
    maker = _Maker(KeptPages())
    assert [maker.ask("a"), maker.ask("b"), maker.ask("a")] == [b"aaaa", b"bbbb", b"aaaa"]
    assert maker.made == ["a", "b"]


def test_the_page_that_was_not_seen_for_longest_goes() -> None:
    maker = _Maker(KeptPages(most_bytes=8))
    for name in ("a", "b", "a", "c", "a", "b"):
        maker.ask(name)
    assert maker.made == ["a", "b", "c", "b"]


def test_bytes_count_not_letters_and_what_does_not_fit_drives_nothing_out() -> None:
    maker = _Maker(KeptPages(most_bytes=8))
    for name, size in (("a", 4), ("é", 5), ("é", 5), ("a", 4)):
        maker.ask(name, size)
    assert maker.made == ["a", "é", "é"]


def test_a_page_that_failed_is_not_kept() -> None:
    kept = KeptPages()
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: str(1 // 0))
    assert kept.get("a", lambda: "made") == b"made"


def test_two_who_ask_at_once_wait_for_one_page() -> None:
    kept, made = KeptPages(), list[int]()

    def make() -> str:
        made.append(1)
        time.sleep(0.1)
        return "page"

    threads = [threading.Thread(target=kept.get, args=("a", make)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_each_page_of_an_export_is_made_at_its_first_visit(
    graph: cg.CacheGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, int | None, int, int]] = []

    def counted(shown: Shown, record: int | None, up: int, down: int) -> str:
        made.append((shown.title, record, up, down))
        return export_page(shown, record, up, down)

    monkeypatch.setattr(app, "export_page", counted)
    one, two, *_ = Shelf(graph)
    paths = [one.graph.id, one.graph.id[:8], two.graph.id, f"{one.graph.id}?record=3", f"{one.graph.id}?record=3&up=1"]
    with serving(graph) as served:
        answers = [served.ask(f"/exports/{path}") for path in paths * 2]
        missing = [served.ask(f"/exports/{one.graph.id}?record=999").status for _ in range(2)]
    assert made[:4] == [(one.title, None, 3, 3), (two.title, None, 3, 3), (one.title, 3, 3, 3), (one.title, 3, 1, 3)]
    assert len(made) == 6  # the two that there is no record for
    assert [answer.data for answer in answers[:5]] == [answer.data for answer in answers[5:]]
    assert answers[0].data.decode() == export_page(one, None, 3, 3)
    assert {answer.headers["Content-Type"] for answer in answers} == {"text/html; charset=utf-8"}
    assert missing == [404, 404]
