"""Which steps a build loads, which it runs, and which it need not look at.

Demand goes from what is wanted down to what that takes. A needed step whose key has a result is *loaded*; then only its
match must be paid for. Any other needed step *runs*, and needs the results of all that it takes.

Source: BuildKit ``solver/edge.go`` (``unpark``, ``createInputRequests``, ``execIfPossible``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from cachegraph.solver.outlook import Outlook, is_content_hashed

__all__ = ["Demand", "How", "Need", "demand"]


class How(Enum):
    """What becomes of a step."""

    LOADED = "loaded"
    NOT_NEEDED = "not-needed"
    RUNS = "runs"


class Need(Enum):
    """Why the result of a step is needed."""

    WANTED = "wanted"  # it is what the build is for
    INPUT = "input"  # of a step that runs
    HASH = "hash"  # a step that is cached matched by its content, so that must be looked at
    HASH_AGAIN = "hash-again"  # a step above runs, and BuildKit looks at content even where it need not


Reason: TypeAlias = tuple[Need, int]
"""Why, and the record that needs it (itself, if it is wanted)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What becomes of each step of a build.

    Attributes
    ----------
    how : dict of int to How
        Steps whose result is needed, by record; all others need not be looked at.
    needed : dict of int to tuple of (Need, int)
        Of each of them, why it is needed: the first reason that was met.
    steps : list of int
        Records with inputs that the build has, whatever becomes of them; those that it inherited from a cache left out.
    """

    how: dict[int, How]
    needed: dict[int, Reason]
    steps: list[int]

    def of(self, record: int) -> How:
        """Say what becomes of a step."""
        return self.how.get(record, How.NOT_NEEDED)

    def runs(self, record: int) -> bool:
        """Tell whether a step runs."""
        return self.how.get(record) is How.RUNS


def demand(outlook: Outlook, wanted: Iterable[int] | None = None) -> Demand:
    """Work out what becomes of each step.

    Parameters
    ----------
    outlook : Outlook
    wanted : iterable of int, optional
        Records whose results the build is for; by default those that no other takes.

    Returns
    -------
    Demand

    Notes
    -----
    Linear in the inputs: each record is needed once, pays for its match once and is hashed once.
    """
    if wanted is None:
        wanted = [record for record, above in enumerate(outlook.build.links.dependents) if not above]
    walk = _Walk(outlook)
    targets = list(wanted)
    walk.go(targets)
    return Demand(how=walk.how, needed=walk.needed, steps=_steps(outlook, targets))


class _Walk:
    """The three things that can be asked of a record, each once."""

    def __init__(self, outlook: Outlook) -> None:
        self.outlook = outlook
        self.records = outlook.build.export.config.records
        self.how: dict[int, How] = {}
        self.needed: dict[int, Reason] = {}
        self._paid: set[int] = set()
        self._hashed: set[int] = set()
        self._need: list[tuple[int, Reason]] = []
        self._pay: list[int] = []
        self._hash: list[tuple[int, int]] = []

    def go(self, wanted: Iterable[int]) -> None:
        self._need = [(record, (Need.WANTED, record)) for record in wanted]
        while self._need or self._pay or self._hash:
            while self._need:
                self._needs(*self._need.pop())
            while self._pay:
                self._pays(self._pay.pop())
            if self._hash and not self._need:
                self._hashes(*self._hash.pop())

    def _needs(self, record: int, reason: Reason) -> None:
        slots = self.records[record].inputs
        if not slots or record in self.how:
            return
        self.needed[record] = reason
        if self.outlook.loadable(record):
            self.how[record] = How.LOADED
            self._pay.append(record)
            return
        self.how[record] = How.RUNS
        for slot in range(len(slots)):
            inputs = self.outlook.inputs(record, slot)
            self._need += [(link, (Need.INPUT, record)) for link, _ in inputs]
            if not self._is_settled(record, slot):
                self._hash += [(link, record) for link, _ in inputs]

    def _pays(self, record: int) -> None:
        """Find what the match of a record costs: where only content matched, the result to look at."""
        slots = self.records[record].inputs
        if record in self._paid:
            return
        self._paid.add(record)
        for slot in range(len(slots)):
            for link, by_key in self.outlook.inputs(record, slot):
                if by_key:
                    self._pay.append(link)
                else:
                    self._need.append((link, (Need.HASH, record)))

    def _hashes(self, record: int, runs: int) -> None:
        """Look at content for the sake of a step that runs, though it settles nothing."""
        slots = self.records[record].inputs
        if not slots or record in self._hashed:
            return
        self._hashed.add(record)
        content = [is_content_hashed(self.outlook.build, record, slot) for slot in range(len(slots))]
        if self.outlook.loadable(record) and not all(content):
            return
        count = len(self.records)
        for slot, alternatives in enumerate(slots):
            if self._is_settled(record, slot):
                continue
            links = [a.link for a in alternatives if 0 <= a.link < count]
            if content[slot]:
                self._need += [(link, (Need.HASH_AGAIN, runs)) for link in links]
            else:
                self._hash += [(link, runs) for link in links]

    def _is_settled(self, record: int, slot: int) -> bool:
        """Tell whether a slot needs no other key: it leads on, and it is another one that missed."""
        return not self.outlook.matched(record) and self.outlook.leads_on(record, slot)


def _steps(outlook: Outlook, wanted: Iterable[int]) -> list[int]:
    """List the steps that the build has, what they take first."""
    records = outlook.build.export.config.records
    seen: set[int] = set()
    found: list[int] = []
    stack = [(record, False) for record in reversed(list(wanted))]
    while stack:
        record, done = stack.pop()
        if done:
            found.append(record)
        elif record not in seen and records[record].inputs:
            seen.add(record)
            stack.append((record, True))
            links = [link for slot in range(len(records[record].inputs)) for link, _ in outlook.inputs(record, slot)]
            stack += [(link, False) for link in reversed(links)]
    return found
