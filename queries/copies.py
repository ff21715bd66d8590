"""Findings about many copies of one key: a config may hold hundreds of thousands, and they are one thing to say."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeVar

__all__ = ["MANY", "Copies", "without_copies", "without_empty"]

T = TypeVar("T")

MANY = 16
"""Of more copies than this there is one finding for all; the Cypher twins have the same number."""

Copies = tuple[int, ...]
"""Records of which there are more than `MANY`; empty for a finding about one record."""


def without_copies(
    items: Iterable[T], *, alike: Callable[[T], Hashable], record: Callable[[T], int]
) -> Iterator[tuple[T, list[T], Copies]]:
    """Give each item by itself, but of more than `MANY` that are alike the first one, and the rest with it.

    Parameters
    ----------
    items : iterable
        By record index.
    alike : callable
        What two of them have in common.
    record : callable
        An item's record.

    Yields
    ------
    tuple of item, list of item, tuple of int
        The item that stands for the others, all of them, and their records where it stands for others; in the order of
        the items.
    """
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(alike(item), []).append(item)
    singles = [(item, [item], ()) for group in groups.values() if len(group) <= MANY for item in group]
    many = [(group[0], group, tuple(map(record, group))) for group in groups.values() if len(group) > MANY]
    yield from sorted([*singles, *many], key=lambda one: record(one[0]))


def without_empty(found: dict[str, Any]) -> dict[str, Any]:
    """Leave ``records`` out of the JSON of a finding that is about one record."""
    return found if found["records"] else {name: value for name, value in found.items() if name != "records"}
