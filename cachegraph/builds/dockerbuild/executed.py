"""Which steps of a build really ran, from its progress events.

What the display prints is not enough: a step that was loaded may end as DONE, and one that was CACHED may run later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cachegraph.builds.dockerbuild.status import Event, Time

__all__ = [
    "completed_last",
    "error_of",
    "seconds_spent",
    "started_first",
    "time_text",
    "was_cached",
    "was_executed",
    "was_loaded",
]


def _is_load(event: Event) -> bool:
    """Tell whether an event says that a result is being loaded, and not just that its key was found."""
    return event.cached and not event.error and event.started is not None and event.completed != event.started


def was_loaded(events: Iterable[Event]) -> bool:
    """Tell whether a result of the step was loaded from a cache."""
    return any(map(_is_load, events))


def was_cached(events: Iterable[Event]) -> bool:
    """Tell whether the step was called cached at any time, as ``numCachedSteps`` counts it."""
    return any(event.cached for event in events)


def was_executed(events: Sequence[Event]) -> bool | None:
    """Tell whether a step was executed.

    Parameters
    ----------
    events : sequence of Event
        Of one vertex, in order.

    Returns
    -------
    bool or None
        None where the step never started.

    Notes
    -----
    The first event that starts without being cached means that it was executed, unless a load came before it that did
    not fail: a blob that the store has lost shows when it is loaded, and the step runs instead.
    Source: BuildKit ``solver/jobs.go`` (``sharedOp.Exec``, ``sharedOp.LoadCache``) and ``solver/progress.go``.
    """
    started = loading = False
    for event in events:
        if event.started is None:
            continue
        started = True
        if event.cached:
            loading = _is_load(event) or (loading and not event.error)
        elif not loading:
            return True
    return False if started else None


def started_first(events: Iterable[Event]) -> str | None:
    """Give the time at which the step first started, RFC 3339."""
    return time_text(min((event.started for event in events if event.started), default=None))


def completed_last(events: Iterable[Event]) -> str | None:
    """Give the time at which the step last completed, RFC 3339."""
    return time_text(max((event.completed for event in events if event.completed), default=None))


def error_of(events: Iterable[Event]) -> str | None:
    """Give the last error of the step."""
    return next((event.error for event in reversed(tuple(events)) if event.error), None)


def seconds_spent(events: Iterable[Event]) -> float | None:
    """Add up the time in which the step was at work; None where it never completed."""
    spans = sorted({(event.started, event.completed) for event in events if event.started and event.completed})
    if not spans:
        return None
    total, until = 0, None
    for started, completed in spans:
        low, high = _nanoseconds(started), _nanoseconds(completed)
        low = low if until is None else max(low, until)
        total += max(0, high - low)
        until = high if until is None else max(until, high)
    return total / 1e9


def _nanoseconds(time: Time) -> int:
    return time[0] * 1_000_000_000 + time[1]


def time_text(time: Time | None) -> str | None:
    """Write a time as Go does: nanoseconds without trailing zeros; None for none, or beyond the calendar."""
    if time is None:
        return None
    try:
        moment = datetime.fromtimestamp(time[0], UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return None
    fraction = f"{time[1] % 1_000_000_000:09d}".rstrip("0")
    return f"{moment}.{fraction}Z" if fraction else f"{moment}Z"
