"""How long work tells what it is doing."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Report", "quiet"]

Report = Callable[[str, int, int | None], None]
"""Called during long work with what is done, how many so far, and of how many (None when unknown)."""


def quiet(what: str, done: int, total: int | None) -> None:
    """Report nothing."""
