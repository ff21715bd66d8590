"""Progress on standard error: one region of constant height on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from cachegraph.cli.output import say
from cachegraph.core.progress import Report
from cachegraph.text.clean import one_line

__all__ = ["SECONDS", "progress"]

SECONDS = 30.0
"""Between two lines where there is no terminal."""

_AT_ONCE = 0.5
"""Seconds before anything is shown on a terminal."""

_REFRESH = 0.1
"""Seconds between two looks at how far the work is."""

_OVERALL = "sources"
"""What the loaders call the work as a whole."""


class _State:
    """How far the work is: as a whole, and what was reported last."""

    def __init__(self) -> None:
        self._lock = Lock()  # loaders report from their threads
        self._whole: tuple[int, int | None] | None = None
        self._latest: tuple[str, int, int | None] | None = None

    def report(self, what: str, done: int, total: int | None) -> None:
        with self._lock:
            if what == _OVERALL:
                self._whole = (done, total)
            else:
                self._latest = (what, done, total)

    def counted(self) -> tuple[int, int | None]:
        """How many of how many: of the whole if that is known, else of what was reported last."""
        with self._lock:
            return self._whole or (self._latest[1:] if self._latest else (0, None))

    def words(self) -> str:
        with self._lock:
            parts = [f"sources: {_count(*self._whole)}"] if self._whole else []
            if self._latest:
                what, done, total = self._latest
                parts.append(one_line(f"{what}: {_count(done, total)}" if done or total else what))
        return ", ".join(parts) or "working"


@contextmanager
def progress() -> Iterator[Report]:
    """Show on standard error how far long work is, and leave nothing of it on a terminal.

    Work that is done at once shows nothing at all.

    Yields
    ------
    callable
        Takes reports from any thread; what is shown does not depend on how many there are.
    """
    state, ended = _State(), Event()
    show = _on_terminal if sys.stderr.isatty() else _in_lines
    thread = Thread(target=show, args=(state, ended), name="progress", daemon=True)
    thread.start()
    try:
        yield state.report
    finally:
        ended.set()
        thread.join()


def _on_terminal(state: _State, ended: Event) -> None:
    if ended.wait(_AT_ONCE):
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.table import Column

    text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1))
    columns = (SpinnerColumn(), BarColumn(bar_width=20), text, TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as bar:
        task = bar.add_task("working", total=None)
        while not ended.wait(_REFRESH):
            done, total = state.counted()
            bar.update(task, description=state.words(), completed=done, total=total)


def _in_lines(state: _State, ended: Event) -> None:
    began = time.monotonic()
    while not ended.wait(SECONDS):
        say(f"{state.words()} ({time.monotonic() - began:.0f} s)")


def _count(done: int, total: int | None) -> str:
    return f"{done:,}" if total is None else f"{done:,} of {total:,}"
