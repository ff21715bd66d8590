"""Records that BuildKit 0.25.0 to 0.32 can miss, as the links to them may be lost, and what that costs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cachegraph.core.lost_links import links_lost_within
from cachegraph.core.resolved import ResolvedExport

__all__ = ["BUDGET", "Missable", "missable"]

BUDGET = 100_000
"""What a question may cost: some four seconds, which is what 12,000 records of many targets take."""

_STEPS = 20
"""Steps that are listed of those that a missed record costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missable:
    """A record that such a builder can miss.

    Attributes
    ----------
    record : int
    slots : tuple of int
        Those all of whose links can be lost.
    count : int
        Number of steps (records with inputs) that match no longer then, itself among them.
    steps : tuple of int
        The first of them by index, at most 20.
    """

    record: int
    slots: tuple[int, ...]
    count: int
    steps: tuple[int, ...]


def missable(graph: ResolvedExport, budget: int | None = BUDGET) -> list[Missable] | None:
    """Find the records that can be missed, and what runs then.

    Parameters
    ----------
    graph : ResolvedExport
    budget : int or None
        Links, times the groups of 4,096 sets of rivals, that may be looked at; None for any number.

    Returns
    -------
    list of Missable, or None
        By record; None where that is not known: it would take longer than the budget allows, or records of one key
        depend on each other.
    """
    lost = links_lost_within(graph, budget)
    if lost is None:
        return None
    slots: dict[int, list[int]] = {}
    for index, slot in sorted({place[:2] for place in lost}):
        alternatives = graph.export.config.records[index].inputs[slot]
        if all((index, slot, number) in lost for number in range(len(alternatives))):
            slots.setdefault(index, []).append(slot)
    costs = _unmatched_without(graph, slots)
    return [
        Missable(record=record, slots=tuple(found), count=costs[record][0], steps=tuple(costs[record][1]))
        for record, found in slots.items()
    ]


def _unmatched_without(graph: ResolvedExport, records: Collection[int]) -> dict[int, tuple[int, list[int]]]:
    """Say of each of some records how many match no longer once it does not, and which are the first of them.

    By AND over slots, OR over alternatives. A record needs, of those asked about, itself and, for each of its slots,
    what all of the slot's alternatives need: a bit for each.
    """
    asked = list(records)
    bit = {record: 1 << place for place, record in enumerate(asked)}
    needs: dict[int, int] = {}
    for index in graph.links.order if asked else ():
        needed = bit.get(index, 0)
        for slot in graph.export.config.records[index].inputs:
            shared = -1
            for alternative in slot:
                shared &= needs[alternative.link]
            needed |= shared
        needs[index] = needed
    digits: list[int] = []  # of all counts at once: a number for each binary digit, with a bit for each record
    first: list[list[int]] = [[] for _ in asked]
    wanting = (1 << len(asked)) - 1
    for index, needed in sorted(needs.items()):
        carry, digit = needed, 0
        while carry:
            if digit == len(digits):
                digits.append(0)
            digits[digit], carry = digits[digit] ^ carry, digits[digit] & carry
            digit += 1
        listed = needed & wanting
        while listed:
            place = (listed & -listed).bit_length() - 1
            listed ^= 1 << place
            first[place].append(index)
            if len(first[place]) == _STEPS:
                wanting ^= 1 << place
    counts = [sum((number >> place & 1) << digit for digit, number in enumerate(digits)) for place in range(len(asked))]
    return {record: (counts[place], first[place]) for place, record in enumerate(asked)}
