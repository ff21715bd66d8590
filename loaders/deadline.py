"""Until when: the time that a source, a request within it, or an archive may take.

The source's deadline is a context variable, so every thread that works for the source sees it, and each request ends
at its own deadline or the source's, whichever is first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cachegraph.errors import SourceError

__all__ = ["Deadline", "source_deadline", "source_left", "working_until"]


class Deadline:
    """A moment that work must not pass.

    Parameters
    ----------
    seconds : float
        From now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left; negative when it has passed."""
        return self._end - time.monotonic()

    def error(self, what: str) -> SourceError:
        """Make the error of work that passed it."""
        return SourceError(
            f"{what} took longer than {self.seconds:g} s altogether",
            hint="allow more with --timeout, or with --limit source-seconds=NUMBER",
        )


_source: ContextVar[Deadline | None] = ContextVar("source_deadline", default=None)


def source_deadline() -> Deadline | None:
    """Give the deadline of the source that this thread works for, if it has one."""
    return _source.get()


def source_left(default: float) -> float:
    """Seconds that the source has left, and at most `default`."""
    deadline = _source.get()
    return default if deadline is None else min(default, deadline.left())


@contextmanager
def working_until(deadline: Deadline | None) -> Iterator[None]:
    """Set the source's deadline for what is done inside."""
    token = _source.set(deadline)
    try:
        yield
    finally:
        _source.reset(token)
