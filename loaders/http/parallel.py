"""The same work for many items, several at once, in threads that nobody waits for.

The threads are daemons: a request that hangs keeps neither Ctrl-C nor the end of the process waiting, as those of
``concurrent.futures`` would. Who waits for them waits no longer than the source has left.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, Generic, TypeVar

from cachegraph.loaders.base import Options
from cachegraph.loaders.deadline import Deadline, source_deadline, working_until

__all__ = ["Task", "Workers", "concurrently", "within", "workers"]

_T = TypeVar("_T")
_R = TypeVar("_R")
_POLL = 0.05  # seconds after which to look again whether a waiting task has begun


class Task(Generic[_R]):
    """Work that was handed over.

    Parameters
    ----------
    work : callable
    seconds : float, optional
        That it may take from when it begins; without, it keeps the deadline of who handed it over.
    """

    def __init__(self, work: Callable[[], _R], seconds: float | None) -> None:
        self._work = work
        self._seconds = seconds
        self._context = copy_context()
        self.future: Future[_R] = Future()
        self.deadline: Deadline | None = source_deadline()

    def run(self) -> None:
        """Do the work, unless nobody wants it any more."""
        if self._seconds is not None:
            self.deadline = Deadline(self._seconds)
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._context.run(self._run)
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def _run(self) -> _R:
        with working_until(self.deadline):
            return self._work()

    def left(self) -> float | None:
        """Seconds after which to look again, or None to wait for the end."""
        if self._seconds is not None and not (self.future.running() or self.future.done()):
            return _POLL
        return None if self.deadline is None else max(self.deadline.left(), 0.0)

    @property
    def overdue(self) -> bool:
        """Whether it runs and has taken longer than it may."""
        return not self.future.done() and self.left() == 0.0


class Workers:
    """Daemon threads, started when they are needed.

    Parameters
    ----------
    count : int
        How many work at once.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._tasks: queue.SimpleQueue[Task[Any] | None] = queue.SimpleQueue()
        self._threads = 0

    def submit(self, work: Callable[[], _R], seconds: float | None = None) -> Task[_R]:
        """Hand over work; it begins in the order of handing over."""
        task = Task(work, seconds)
        self._tasks.put(task)
        if self._threads < self._count:
            self._start()
        return task

    def result(self, task: Task[_R], what: str) -> _R:
        """Wait for a task's result, and no longer than it may take.

        Raises
        ------
        cachegraph.errors.SourceError
            It took longer: it is left alone, and another thread takes the next task.
        """
        while not wait([task.future], task.left()).done:
            if task.overdue and task.deadline is not None:
                self._start()
                raise task.deadline.error(what)
        return task.future.result()

    def close(self) -> None:
        """Begin nothing any more, and wait for nobody."""
        try:
            while task := self._tasks.get_nowait():
                task.future.cancel()
        except queue.Empty:
            pass
        for _ in range(self._threads):
            self._tasks.put(None)

    def _start(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, name="cachegraph", daemon=True).start()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task.run()
            del task  # or its result would live until the next one


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    """Have workers for what is done inside."""
    pool = Workers(count)
    try:
        yield pool
    finally:
        pool.close()


def within(seconds: float | None, work: Callable[[], _R], what: str) -> _R:
    """Do work that may take so many seconds (None: as long as it likes), and that Ctrl-C ends at once.

    Raises
    ------
    cachegraph.errors.SourceError
        It took longer.
    """
    with workers(1) as pool:
        return pool.result(pool.submit(work, seconds), what)


def concurrently(work: Callable[[_T], _R], items: Sequence[_T], options: Options, what: str) -> list[_R]:
    """Do the work for each item, ``options.concurrency`` at once.

    Parameters
    ----------
    work : callable
    items : sequence
    options : Options
    what : str
        What is reported to be done, such as ``listing blobs``.

    Returns
    -------
    list
        The answers, in the items' order.

    Raises
    ------
    cachegraph.errors.SourceError
        The source's time is over.
    """
    options.report(what, 0, len(items))
    answers: list[_R] = []
    with workers(options.concurrency) as pool:
        tasks = [pool.submit(partial(work, item)) for item in items]
        for task in tasks:
            answers.append(pool.result(task, what))
            options.report(what, len(answers), len(items))
    return answers
