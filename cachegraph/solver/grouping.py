"""Misses to causes: what begins where, what followed from it, what it costs and what to change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from cachegraph.core.resolved import ResolvedExport
from cachegraph.solver.caches import Caches
from cachegraph.solver.causes import BEGINS, Cause, Miss, MissKind
from cachegraph.solver.sentences import advice, sentence

__all__ = ["Costs", "group"]

_MAX_AS_WELL = 5


class Costs:
    """What steps cost, as far as the build and its caches tell.

    Parameters
    ----------
    build : ResolvedExport
    caches : sequence of ResolvedExport
    seconds : mapping of int to float, optional
        Time that a step took, by record.
    """

    def __init__(
        self, build: ResolvedExport, caches: Sequence[ResolvedExport], seconds: Mapping[int, float] | None = None
    ) -> None:
        self._build = build
        self._seconds = seconds or {}
        self._there = {layer.blob for cache in caches for layer in cache.export.config.layers}

    def bytes(self, records: Iterable[int]) -> int | None:
        """Add up the blobs that these steps made and no cache holds; None where that is not known."""
        blobs: set[str] = set()
        for record in records:
            result = self._build.newest_result(record)
            if result is None:
                return None
            blobs.update(self._build.result_blobs(result))
        sizes = [self._build.sizes.get(blob) for blob in blobs - self._there]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    def seconds(self, records: Iterable[int]) -> float | None:
        """Add up the time that these steps took; None where that is not known."""
        known = [self._seconds[record] for record in records if record in self._seconds]
        return sum(known) if known else None


def group(misses: Sequence[Miss], needers: Mapping[int, int], costs: Costs, caches: Caches) -> tuple[Cause, ...]:
    """Put misses together by what they begin with.

    Parameters
    ----------
    misses : sequence of Miss
        What they take first.
    needers : mapping of int to int
        For whose sake a step is needed.
    costs : Costs
    caches : Caches

    Returns
    -------
    tuple of Cause
        The one with most steps first. A step that follows from several is counted with the first.
    """
    groups: dict[tuple[MissKind, int], list[Miss]] = defaultdict(list)
    leads = {miss.record: miss for miss in misses}
    shared: dict[MissKind, int] = {}
    for miss in misses:
        lead = leads.get(miss.begins[0], miss)
        if lead.kind in BEGINS:
            groups[lead.kind, lead.record].append(miss)
        else:
            groups[lead.kind, shared.setdefault(lead.kind, lead.record)].append(miss)
    causes = [_cause(leads[record], members, needers, leads, costs, caches) for (_, record), members in groups.items()]
    return tuple(sorted(causes, key=lambda cause: (cause.kind not in BEGINS, -cause.steps)))


def _cause(
    lead: Miss,
    members: Sequence[Miss],
    needers: Mapping[int, int],
    leads: Mapping[int, Miss],
    costs: Costs,
    caches: Caches,
) -> Cause:
    records = [miss.record for miss in members]
    needer = leads.get(needers.get(lead.record, -1))
    return Cause(
        kind=lead.kind,
        record=lead.record,
        title=lead.title,
        sentence=sentence(lead, members, needer),
        details=(*lead.changed, *_as_well(lead, members)),
        follows=tuple(record for record in records if record != lead.record),
        steps=len(records),
        seconds=costs.seconds(records),
        bytes=costs.bytes(records),
        advice=advice(lead, [loads.keys.export.export for loads in caches.loads]),
    )


def _as_well(lead: Miss, members: Sequence[Miss]) -> Iterable[str]:
    """Say what else changed among the steps that followed: they would have run without the first cause too."""
    others = [miss for miss in members if miss.record != lead.record]
    said = [f"{miss.title}: {change} as well" for miss in others for change in miss.changed]
    yield from said[:_MAX_AS_WELL]
    if len(said) > _MAX_AS_WELL:
        yield f"{len(said) - _MAX_AS_WELL} more things after it differ as well"
    absent = sum(miss.kind == "key-absent" for miss in others)
    if absent:
        yield f"{absent} of the steps after it {'is' if absent == 1 else 'are'} in no cache as well"
