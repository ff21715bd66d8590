"""Times in words."""

from __future__ import annotations

__all__ = ["age_text", "seconds_text"]


def seconds_text(seconds: float) -> str:
    """Write a time for people: ``0.42 s``, ``12 s``, ``3 min 20 s``, ``1 h 5 min``.

    Parameters
    ----------
    seconds : float
    """
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


_AGES = ((365 * 86_400, "year"), (30 * 86_400, "month"), (7 * 86_400, "week"), (86_400, "day"))


def age_text(seconds: float) -> str:
    """Write an age for people, by its largest unit that counts two or more: ``40 s``, ``2 h``, ``9 days``, ``5 weeks``.

    Parameters
    ----------
    seconds : float
        Negative ages, which a clock that is wrong makes, are 0.

    Examples
    --------
    >>> age_text(7500), age_text(86_400 * 20)
    ('2 h', '2 weeks')
    """
    seconds = max(0, int(seconds))
    for size, unit in _AGES:
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}s"
    if seconds >= 7200:
        return f"{seconds // 3600} h"
    return f"{seconds // 60} min" if seconds >= 120 else f"{seconds} s"
