"""What an explanation is made of: misses, and the causes that they begin with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from cachegraph.solver.rows import Rows
from cachegraph.text.durations import seconds_text
from cachegraph.text.words import cut_at_word, ended, plural, size_text, some_of

__all__ = ["BEGINS", "MAX_BEGINS", "Cause", "Explanation", "Miss", "MissKind", "Topic"]

MAX_BEGINS = 16
"""Steps with which a miss begins that are named; a step above many would name them all, and so would each above it."""

MissKind = Literal[
    "key-absent",
    "input-differs",
    "key-without-result",
    "blob-gone",
    "another-source",
    "cache-missing",
    "cache-refused",
    "no-cache",
    "asked-for",
    "unknown",
]
"""Why a step ran.

``key-absent``: no cache has its instruction. ``input-differs``: a cache has the instruction, on other inputs.
``key-without-result``: a cache has the key and nothing to load for it. ``blob-gone``: it had a result, whose blobs the
store has lost. ``another-source``: a cache has the result, and one without it answered first. ``cache-missing``,
``cache-refused``: the cache could not be read, or BuildKit refuses it. ``no-cache``: none was given. ``asked-for``: the
build was told not to use the cache for it. ``unknown``: what is given does not tell.
"""

BEGINS: frozenset[MissKind] = frozenset({"key-absent", "input-differs"})
"""Kinds that begin with a step of their own, and what follows from it; steps of the other kinds share one cause."""

Topic = Literal["step", "variables", "files", "image", "source", "either"]
"""What changed: the step itself, only its variables, the files, base image or other source that it takes; ``either`` of
these where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A step that ran, or may run.

    Attributes
    ----------
    record : int
        Index in the build's own ``records``.
    digest, name : str
        The name is empty where nobody knows it.
    kind : MissKind
    certain : bool
        False where it depends on what cannot be known whether the step runs.
    first : bool
        Whether the miss begins here.
    begins : tuple of int
        Records with which it begins, the first `MAX_BEGINS`; itself if it is the first.
    slots : tuple of int
        Inputs that differ, of one that is the first.
    topic : Topic or None
        What changed, of one that is the first.
    changed : tuple of str
        What changed, one thing each; empty where that is not known. Of a step that followed: what of its own changed
        as well.
    was, now : str or None
        The step, image or files in the cache and in this build, as far as known.
    seconds : float or None
        Time that the step took.
    bytes : int or None
        Size of what it made that no cache holds.
    """

    record: int
    digest: str
    name: str
    kind: MissKind
    certain: bool = True
    first: bool
    begins: tuple[int, ...]
    slots: tuple[int, ...] = ()
    topic: Topic | None = None
    changed: tuple[str, ...] = ()
    was: str | None = None
    now: str | None = None
    seconds: float | None = None
    bytes: int | None = None

    @property
    def title(self) -> str:
        """The step, as a sentence names it."""
        if not self.name:
            return f"step {self.record} ({self.digest[:19]})"
        return cut_at_word(self.name, 80)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing that made steps run.

    Attributes
    ----------
    kind : MissKind
    record : int
        The step with which it begins.
    title : str
        That step.
    sentence : str
        What happened to it.
    details : tuple of str
        What changed, one thing each.
    follows : tuple of int
        Steps that ran because of it.
    steps : int
        All of them together.
    seconds : float or None
    bytes : int or None
    advice : str
        What to change.
    """

    kind: MissKind
    record: int
    title: str
    sentence: str
    details: tuple[str, ...]
    follows: tuple[int, ...]
    steps: int
    seconds: float | None
    bytes: int | None
    advice: str

    @property
    def cost(self) -> str:
        """What it costs: steps, bytes, seconds."""
        said = [plural(self.steps, "step")]
        if self.bytes:
            said.append(size_text(self.bytes))
        if self.seconds is not None:
            said.append(seconds_text(self.seconds))
        return ", ".join(said)


class Explanation(Rows[Miss]):
    """Why the steps of a build ran: a row for each that did, what it takes first.

    Attributes
    ----------
    build : str
        Source of the build.
    caches : tuple of str
        Sources of the caches that it is compared with.
    causes : tuple of Cause
        What made them run, the one with most steps first.
    notes : tuple of str
        What is to be known besides: caches that could not be read, and what cannot be told.
    steps : int
        Steps of the build, whether they ran or not.
    """

    row = Miss

    def __init__(
        self,
        misses: Iterable[Miss],
        *,
        build: str,
        caches: tuple[str, ...],
        causes: tuple[Cause, ...],
        notes: tuple[str, ...],
        steps: int,
    ) -> None:
        super().__init__(misses)
        self.build = build
        self.caches = caches
        self.causes = causes
        self.notes = notes
        self.steps = steps

    @property
    def summary(self) -> str:
        """The answer in a line."""
        if not self.steps:
            return "The build has no steps."
        certain = sum(miss.certain for miss in self)
        if not len(self):
            return f"Nothing ran that need not have: all of {plural(self.steps, 'step')} came from the cache."
        ran = f"{certain} of {plural(self.steps, 'step')} ran"
        if certain < len(self):
            ran = (
                f"{ran}, {len(self) - certain} more may"
                if certain
                else f"{len(self)} of {plural(self.steps, 'step')} may run"
            )
        return f"{ran}: {plural(len(self.causes), 'cause')}."

    def miss(self, record: int) -> Miss | None:
        """Give the miss of a step; None for one that did not run."""
        return next((miss for miss in self if miss.record == record), None)

    def to_text(self) -> str:
        """Write the explanation as a page of text."""
        lines = [self.summary]
        titles = {miss.record: miss.title for miss in self}
        for number, cause in enumerate(self.causes, 1):
            lines += ["", f"{number}. {cause.sentence}"]
            lines += [f"   - {detail}" for detail in cause.details]
            if cause.follows:
                shown = [titles[record] for record in cause.follows[:3]]
                others = "Because of it ran" if cause.kind in BEGINS else "The others"
                lines.append(ended(f"   {others}: {some_of(shown, len(cause.follows), '; ')}"))
            lines.append(f"   Cost: {cause.cost}.")
            lines.append(f"   To change: {cause.advice}")
        if self.notes:
            lines += ["", *(f"Note: {note}" for note in self.notes)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Say it in one line."""
        return f"<{type(self).__name__}: {self.summary}>"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show it in a notebook."""
        from cachegraph.solver.display import describe_explanation

        return describe_explanation(self)
