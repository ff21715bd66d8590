"""What the vendors' libraries need around them: silence, one line of what they say, listings with an end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from cachegraph.loaders.deadline import source_deadline
from cachegraph.loaders.limits import Limits, over_limit

__all__ = ["bounded_pages", "one_line", "quiet_library"]

_T = TypeVar("_T")
_LONGEST = 300  # characters of what a server or library says


def quiet_library(name: str) -> None:
    """Keep a library's log from standard error, where it goes unless somebody set up logging."""
    logger = logging.getLogger(name)
    if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
        logger.addHandler(logging.NullHandler())


def one_line(text: str) -> str:
    """Give a text from outside as one line of bounded length, without control characters."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 4 * _LONGEST])
    line = " ".join(printable.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}.."


def bounded_pages(pages: Iterable[_T], place: str, limits: Limits, count: Callable[[_T], int]) -> Iterator[_T]:
    """Pass on the pages of a listing, until there are too many of them, or of what they list, or time is over.

    Raises
    ------
    cachegraph.errors.DecodeError
        A limit was reached; the message says how many entries were read.
    cachegraph.errors.SourceError
        The source's time is over.
    """
    listed = 0
    deadline = source_deadline()
    for number, page in enumerate(pages, 1):
        if number > limits.pages:
            raise over_limit(place, limits.pages, f"pages ({listed:,} objects read)", "pages")
        listed += count(page)
        if listed > limits.items:
            raise over_limit(place, limits.items, f"objects ({number:,} pages read)", "items")
        if deadline is not None and deadline.left() <= 0:
            raise deadline.error(f"{place}: listing ({listed:,} objects read)")
        yield page
