"""What reading one file from outside may cost."""

from __future__ import annotations

import time
from dataclasses import dataclass

from cachegraph.errors import DecodeError

__all__ = ["Budget", "Meter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits for one build record; the defaults are hundreds of times what a large build writes.

    Attributes
    ----------
    bytes : int
        Of the archive once unpacked, which all stay in memory.
    members : int
        Files in the archive.
    events : int
        Progress events and spans of the trace, over all records of the file.
    seconds : float
        For everything.
    """

    bytes: int = 256 << 20
    members: int = 20_000
    events: int = 2_000_000
    seconds: float = 60.0


class Meter:
    """Counts what is spent of a budget.

    Parameters
    ----------
    budget : Budget
    place : str
        What errors call the file.
    """

    def __init__(self, budget: Budget, place: str) -> None:
        self.budget = budget
        self.place = place
        self._events = 0
        self._until = time.monotonic() + budget.seconds

    def check_time(self) -> None:
        """Stop once the seconds are spent."""
        if time.monotonic() > self._until:
            raise DecodeError(
                f"reading took more than {self.budget.seconds:g} seconds",
                path=self.place,
                hint="raise Budget.seconds if you trust the file",
            )

    def count_event(self) -> None:
        """Count one more event, and look at the clock now and then."""
        self._events += 1
        if self._events > self.budget.events:
            raise DecodeError(
                f"more than {self.budget.events:,} progress events",
                path=self.place,
                hint="raise Budget.events if you trust the file",
            )
        if self._events % 1024 == 0:
            self.check_time()
