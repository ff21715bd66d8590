"""What a history is made of: its exports, the steps that were not kept, and what only the sequence shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from cachegraph.solver.history_words import CauseWord, labels, summary
from cachegraph.solver.rows import Rows

__all__ = ["Became", "Event", "EventKind", "Events", "History", "Point", "StepChange", "StepChanges"]

EventKind = Literal["alternates", "result gone", "result back"]
Became = Literal["ran", "cannot tell", "went"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One export of the cache.

    Attributes
    ----------
    source : str
    platform : str or None
    at : str or None
        When its newest result was made, RFC 3339; None where no result says so.
    records, steps, loadable : int
        Steps are those that its own build asked for.
    carried : int
        Keys of earlier builds that it carries along; they are no steps of this build.
    coverage : float or None
        Share of the steps that have a loadable result; None without steps.
    bytes : int or None
        Of all loadable results, each blob once.
    new_bytes : int or None
        Of those, blobs that the export before it does not have; None for the first.
    ran, kept, unknown : int or None
        Steps that ran since the export before it, that did not, and of which that cannot be told; None for the first.
    cause : str or None
        What made most of them run, in a word; None where nothing ran.
    keys_gained, keys_lost, results_lost : int or None
        Against the export before it; None for the first.
    same_as : int or None
        Position of the latest earlier export with the same keys and results.
    said : str
        What happened, in a sentence.
    """

    source: str
    platform: str | None
    at: str | None
    records: int
    steps: int
    loadable: int
    carried: int
    coverage: float | None
    bytes: int | None
    new_bytes: int | None
    ran: int | None
    kept: int | None
    unknown: int | None
    cause: CauseWord | None
    keys_gained: int | None
    keys_lost: int | None
    results_lost: int | None
    same_as: int | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that the sequence shows and no export alone.

    Attributes
    ----------
    kind : {"alternates", "result gone", "result back"}
        Two contents take turns; a result is not there any more though its key is; one is there again.
    position : int
        Of the export in which it shows.
    record : int or None
        In that export.
    digest, name : str
    since : str or None
        Until when the result was there, or which export the alternation began with, as far as known.
    blob : str or None
        Digest of the blob that the store has lost, where that is why a result went.
    """

    kind: EventKind
    position: int
    record: int | None
    digest: str
    name: str
    since: str | None
    blob: str | None = None


class Events(Rows[Event]):
    """What the sequence shows, in its order."""

    row = Event


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChange:
    """What became of a step, where it was not kept.

    Attributes
    ----------
    position : int
        Of the export.
    became : {"ran", "cannot tell", "went"}
        The step ran since the export before; nothing tells whether it did; or no step of this build has its key.
    record : int
        In this export; of a step that went, in the one before.
    digest, name : str
    """

    position: int
    became: Became
    record: int
    digest: str
    name: str


class StepChanges(Rows[StepChange]):
    """The steps that were not kept, export by export."""

    row = StepChange


class History(Rows[Point]):
    """The exports in order, oldest first.

    Attributes
    ----------
    events : Events
    changes : StepChanges
    """

    row = Point

    def __init__(self, points: Iterable[Point], events: Iterable[Event], changes: Iterable[StepChange]) -> None:
        super().__init__(points)
        self.events = Events(events)
        self.changes = StepChanges(changes)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What to call each export: its short name, or its number from 1 on where several have the same."""
        return labels([(point.source, point.platform) for point in self])

    @property
    def summary(self) -> str:
        """The answer in a line."""
        return summary(self)

    def __repr__(self) -> str:
        """Say it in one line."""
        return f"<{type(self).__name__}: {self.summary}>"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show it in a notebook."""
        from cachegraph.solver.display import describe_history

        return describe_history(self)
