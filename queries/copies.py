"""Findings about many copies of one key: a config may hold hundreds of thousands, and they are one thing to say."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from operator import itemgetter
from typing import Any, TypeVar

__all__ = ["MANY", "Copies", "without_copies", "without_empty"]

K = TypeVar("K", bound=Hashable)

MANY = 16
"""Of more copies than this there is one finding for all; the Cypher twins have the same number."""

Copies = tuple[int, ...]
"""Records of which there are more than `MANY`; empty for a finding about one record."""


def without_copies(records: Iterable[tuple[int, K]]) -> list[tuple[int, K, Copies]]:
    """Give each record by itself, but of more than `MANY` that are alike the first, and all of them with it.

    Parameters
    ----------
    records : iterable of (int, hashable)
        A record, and what it has in common with others.

    Returns
    -------
    list of (int, hashable, tuple of int)
        By record; the last is empty where it stands for itself.
    """
    groups: dict[K, list[int]] = {}
    for record, alike in records:
        groups.setdefault(alike, []).append(record)
    found: list[tuple[int, K, Copies]] = []
    for alike, group in groups.items():
        if len(group) > MANY:
            found.append((group[0], alike, tuple(group)))
        else:
            found += [(record, alike, ()) for record in group]
    return sorted(found, key=itemgetter(0))


def without_empty(found: dict[str, Any]) -> dict[str, Any]:
    """Leave ``records`` out of the JSON of a finding that is about one record."""
    return found if found["records"] else {name: value for name, value in found.items() if name != "records"}
