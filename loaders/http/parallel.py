"""The same work for many items, several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cachegraph.loaders.base import Options

__all__ = ["concurrently"]

_T = TypeVar("_T")
_R = TypeVar("_R")


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
    """
    options.report(what, 0, len(items))
    answers: list[_R] = []
    with ThreadPoolExecutor(options.concurrency) as pool:
        for answer in pool.map(work, items):
            answers.append(answer)
            options.report(what, len(answers), len(items))
    return answers
