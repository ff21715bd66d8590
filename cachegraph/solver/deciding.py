"""What decides whether a step runs, where that cannot be told before the build."""

from __future__ import annotations

from collections.abc import Iterable

from cachegraph.core.model import CacheInput
from cachegraph.solver.caches import Caches
from cachegraph.solver.demand import Demand
from cachegraph.solver.outlook import Outlook
from cachegraph.solver.prediction import Depends

__all__ = ["Deciding"]


class Deciding:
    """The difference between the best case and another one, followed to where it begins.

    Parameters
    ----------
    caches : Caches
    best : Outlook
        The hopeful one.
    worst : Outlook
    case : Demand
        What follows from `worst`.

    Notes
    -----
    Every record is looked at once, whatever the number of steps that are asked for.
    """

    def __init__(self, caches: Caches, best: Outlook, worst: Outlook, case: Demand) -> None:
        self._caches = caches
        self._best = best
        self._worst = worst
        self._case = case
        self._needs: dict[int, Depends | None] = {}
        self._begins: dict[int, Depends] = {}

    def of(self, record: int) -> Depends:
        """Find what decides about a step: in what it matches, else in what needs it.

        Parameters
        ----------
        record : int
            A step that runs in one of the cases.
        """
        walked: dict[int, None] = {}
        found: Depends | None = None
        at = record
        while at not in walked:
            if at in self._needs:
                found = self._needs[at]
                break
            walked[at] = None
            if self._differs(at):
                found = self._origin(at)
                break
            at = self._case.needed[at][1] if at in self._case.needed else at
        self._needs |= dict.fromkeys(walked, found)
        # Nothing in what it matches: another cache brings keys that make BuildKit look at more.
        return found or Depends(cause="first-answer", record=record, caches=self._caches.titles)

    def _differs(self, record: int) -> bool:
        best, worst = self._best, self._worst
        return best.state[record] is not worst.state[record] or best.matched(record) is not worst.matched(record)

    def _origin(self, record: int) -> Depends:
        """Follow a match that is open down to where that begins."""
        walked: dict[int, None] = {}
        found: Depends | int = record
        while isinstance(found, int):
            if found in self._begins:
                found = self._begins[found]
            elif found in walked:  # only records on a loop
                found = Depends(cause="first-answer", record=record, caches=self._caches.titles)
            else:
                walked[found] = None
                found = self._here_or_below(found)
        self._begins |= dict.fromkeys(walked, found)
        return found

    def _here_or_below(self, record: int) -> Depends | int:
        """Say what decides about a match, or name the record below in which it begins."""
        best, worst = self._best, self._worst
        records, unknown = best.build.export.config.records, best.build.export.unknown
        if (record, -1) in unknown:
            return Depends(cause="unknown-step", record=record)
        if best.hits[record] == worst.hits[record]:
            caches = self._titles(cache for cache, _ in best.hits[record])
            return Depends(cause="collision" if len(caches) > 1 else "results", record=record, caches=caches)
        count = len(records)
        below: list[tuple[int, CacheInput]] = [
            (number, a) for number, slot in enumerate(records[record].inputs) for a in slot if 0 <= a.link < count
        ]
        if opened := [a.link for number, a in below if (record, number) in unknown]:
            return Depends(cause="content", record=next((link for link in opened if records[link].inputs), record))
        for _, a in below:
            if best.hits[a.link] != worst.hits[a.link] or a.link in best.wild:
                return a.link
        if holders := worst.assumption.behind.get(record, frozenset()):
            return Depends(cause="first-answer", record=record, caches=self._titles(holders))
        return Depends(cause="lost-link", record=record, caches=self._titles(cache for cache, _ in best.hits[record]))

    def _titles(self, caches: Iterable[int]) -> tuple[str, ...]:
        return tuple(self._caches.titles[cache] for cache in sorted(set(caches)))
