"""Times, modes and lists in words."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from cachegraph.text.words import plural, some_of

__all__ = ["age", "is_secret", "listed", "mode_text"]

_UNITS = ((86_400 * 365, "year"), (86_400 * 30, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"))


def age(seconds: int, now: float | None = None) -> str:
    """Say how long ago something was, such as ``2 days ago``.

    Parameters
    ----------
    seconds : int
        Since 1970.
    now : float, optional
    """
    past = (time.time() if now is None else now) - seconds
    for length, unit in _UNITS:
        if past >= length:
            return f"{plural(int(past // length), unit)} ago"
    return "just now"


def mode_text(mode: int) -> str:
    """Write a mode as ``chmod`` takes it."""
    return f"{mode:03o}"


def listed(paths: Sequence[str], most: int = 3) -> str:
    """Name a few paths and count the rest."""
    return some_of(paths[:most], len(paths))


def is_secret(name: str) -> bool:
    """Tell a variable that may hold a password by its name."""
    return re.search(r"(?i)token|secret|passw|key|credential|auth", name) is not None
