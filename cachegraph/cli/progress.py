"""Progress on standard error: one region of constant height on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock, Thread

from cachegraph.cli.output import say
from cachegraph.core.progress import Report
from cachegraph.text.clean import one_line

__all__ = ["SECONDS", "progress"]

SECONDS = 30.0
"""Between two lines where there is no terminal."""

_OVERALL = "sources"
"""What the loaders call the work as a whole."""


@dataclass(slots=True)
class _State:
    """How far the work is: as a whole, and what was reported last."""

    whole: tuple[int, int | None] | None = None
    latest: tuple[str, int, int | None] | None = None

    def report(self, what: str, done: int, total: int | None) -> None:
        if what == _OVERALL:
            self.whole = (done, total)
        else:
            self.latest = (one_line(what), done, total)

    def words(self) -> str:
        parts = [f"sources: {_count(*self.whole)}"] if self.whole else []
        if self.latest:
            what, done, total = self.latest
            parts.append(f"{what}: {_count(done, total)}" if done or total else what)
        return ", ".join(parts) or "working"


@contextmanager
def progress() -> Iterator[Report]:
    """Show on standard error how far long work is, and leave nothing of it on a terminal.

    Yields
    ------
    callable
        Takes reports from any thread.
    """
    shown = _on_terminal() if sys.stderr.isatty() else _in_lines()
    with shown as report:
        yield report


@contextmanager
def _on_terminal() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.table import Column

    text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1))
    columns = (SpinnerColumn(), BarColumn(bar_width=20), text, TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as bar:
        task = bar.add_task("working", total=None)
        state, lock = _State(), Lock()

        def report(what: str, done: int, total: int | None) -> None:
            with lock:
                state.report(what, done, total)
                counted = state.whole or (done, total)
                bar.update(task, description=state.words(), completed=counted[0], total=counted[1])

        yield report


@contextmanager
def _in_lines() -> Iterator[Report]:
    state, lock, ended = _State(), Lock(), Event()
    began = time.monotonic()

    def report(what: str, done: int, total: int | None) -> None:
        with lock:
            state.report(what, done, total)

    def tell() -> None:
        while not ended.wait(SECONDS):
            with lock:
                words = state.words()
            say(f"{words} ({time.monotonic() - began:.0f} s)")

    thread = Thread(target=tell, name="progress", daemon=True)
    thread.start()
    try:
        yield report
    finally:
        ended.set()
        thread.join()


def _count(done: int, total: int | None) -> str:
    return f"{done:,}" if total is None else f"{done:,} of {total:,}"
