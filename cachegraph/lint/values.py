"""Texts of settings, as far as they are known, and where they are written.

A `Value` is a text in pieces: known text and `Unknown` pieces, such as ``app:cache-`` and ``github.ref_name``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Choice", "Condition", "Direction", "Part", "Place", "Unknown", "Value"]

Direction = Literal["from", "to"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Where something is written.

    Attributes
    ----------
    file : str
        As it was given, or from the root of the repository, with ``/``.
    line : int
        From 1; 0 where it is not known.
    path : str
        In the document, such as ``jobs.build.steps[2].with.cache-to``.
    """

    file: str
    line: int = 0
    path: str = ""

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}: {self.path}" if self.path else f"{self.file}{line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What must hold for a job, a step or a choice.

    Attributes
    ----------
    text : str
        As written, without ``${{ }}``.
    place : Place or None
    never : frozenset of str
        Events of the workflow (``pull_request``, ``push``, ...) in which it certainly does not hold.
    default_branch_only : bool
        Whether it can hold on the default branch, and certainly fails on branches and tags that it does not name.
    """

    text: str
    place: Place | None = None
    never: frozenset[str] = frozenset()
    default_branch_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the texts that an unknown piece may be.

    Attributes
    ----------
    parts : tuple of str and Unknown
    when : Condition
        The condition that chooses it: ``!(..)`` of the condition as written for the other side.
    """

    parts: tuple[str | Unknown, ...] = field(repr=False)
    when: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A piece of a text that only a run knows.

    Attributes
    ----------
    name : str
        What it is called where it stands, without literals: ``github.ref_name``, ``TAG``, ``matrix.platform``. Two
        unknown pieces of one run with the same ``exact`` have the same text.
    exact : str
        The whole expression with its blanks normalised, to compare with. Not in the repr: it may quote a secret.
    reason : str
        Why it is not known, in words for people, without quoting more than names.
    choices : tuple of Choice
        All that it can be, if these are known; else empty.
    """

    name: str
    exact: str = field(default="", repr=False)
    reason: str
    choices: tuple[Choice, ...] = field(default=(), repr=False)


Part = str | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A text, as far as it is known.

    Attributes
    ----------
    parts : tuple of str and Unknown
        Known text (never empty) and unknown pieces, in order; empty for the empty text. Not in the repr: it may hold
        a credential.
    place : Place
        Where it is written: for a text of several lines, the line of this piece of it.
    """

    parts: tuple[Part, ...] = field(repr=False)
    place: Place

    @property
    def is_known(self) -> bool:
        """Whether every piece is known."""
        return all(isinstance(part, str) for part in self.parts)

    @property
    def text(self) -> str | None:
        """The text, or None if a piece of it is unknown."""
        return "".join(map(str, self.parts)) if self.is_known else None

    @property
    def is_empty(self) -> bool:
        """Whether it is certainly the empty text."""
        return not self.parts

    @property
    def pattern(self) -> str:
        """The text with ``*`` for each unknown piece: ``app:cache-*``. To show, not to match with."""
        return "".join(part if isinstance(part, str) else "*" for part in self.parts)

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """The unknown pieces, in order."""
        return tuple(part for part in self.parts if isinstance(part, Unknown))

    @property
    def reason(self) -> str | None:
        """Why the first unknown piece is not known; None if all is known."""
        return next((unknown.reason for unknown in self.unknowns), None)

    @property
    def identity(self) -> tuple[str, ...]:
        """Equal for two values of one run only if their texts certainly are: known text, and unknowns by ``exact``."""
        return tuple(f"={part}" if isinstance(part, str) else f"?{part.exact or part.name}" for part in self.parts)

    def may_equal(self, other: Value) -> bool:
        """Whether both can be the same text, taking each unknown piece for any text.

        True says only that it is not excluded. It compares what stands before the first and behind the last unknown.
        """
        return _may_equal(self.parts, other.parts)


def _may_equal(one: tuple[Part, ...], other: tuple[Part, ...]) -> bool:
    if all(isinstance(part, str) for part in (*one, *other)):
        return one == other or "".join(map(str, one)) == "".join(map(str, other))
    for first, second in ((one, other), (other, one)):
        if all(isinstance(part, str) for part in first):
            text = "".join(map(str, first))
            known = [part for part in second if isinstance(part, str)]
            if sum(map(len, known)) > len(text):
                return False
            head, tail = _ends(second)
            return text.startswith(head) and text.endswith(tail)
    head_one, tail_one = _ends(one)
    head_other, tail_other = _ends(other)
    return (head_one.startswith(head_other) or head_other.startswith(head_one)) and (
        tail_one.endswith(tail_other) or tail_other.endswith(tail_one)
    )


def _ends(parts: tuple[Part, ...]) -> tuple[str, str]:
    head = parts[0] if parts and isinstance(parts[0], str) else ""
    tail = parts[-1] if parts and isinstance(parts[-1], str) else ""
    return head, tail
