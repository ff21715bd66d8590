"""Amounts in words: how many, how large, how long."""

from __future__ import annotations

__all__ = ["plural", "seconds_text", "size_text"]


def plural(count: int, noun: str) -> str:
    """Count in words: ``1 record``, ``2 records``.

    Parameters
    ----------
    count : int
    noun : str
        Singular; the plural takes an s.
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def size_text(count: int | None) -> str:
    """Write a number of bytes for people: ``1.0 MiB``; ``unknown size`` for None.

    Parameters
    ----------
    count : int or None
        Bytes.
    """
    if count is None:
        return "unknown size"
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


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
