"""Making the next rows while the server is at work on the last ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

__all__ = ["ahead"]

T = TypeVar("T")


def ahead(parts: Iterable[T]) -> Iterator[T]:
    """Give the parts in their order, and make each next one in a thread meanwhile.

    Parameters
    ----------
    parts : iterable
        What takes time to make. One part waits in memory beside the one that is in use.

    Yields
    ------
    object
        Each part; what making it raises is raised in its turn.
    """
    waiting = iter(parts)
    first = list(islice(waiting, 1))  # most exports are one part, and need no thread
    if not first:
        return
    with ThreadPoolExecutor(1, thread_name_prefix="rows") as pool:
        while first:
            coming = pool.submit(lambda: list(islice(waiting, 1)))
            yield first[0]
            first = coming.result()
