"""What a report tells, whatever found it: entries about subjects, by rules, and the sources that could not be read.

A command makes a `Report` of its own findings; each format is a function from a `Report` to text and knows no command.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cachegraph.text.rules import SEVERITIES, Rule, Severity
from cachegraph.text.words import is_about

__all__ = ["FAIL_ON", "Entry", "Place", "Report", "Subject", "Unread", "fingerprint", "numbered"]

_BUILDKIT = {"skip": "BuildKit goes on without it", "fail": "a build that imports it fails"}

FAIL_ON = (*SEVERITIES, "never")
"""What ``--fail-on`` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a file that somebody can open and change.

    Attributes
    ----------
    file : str
        As it was given, or relative to the current folder.
    line : int or None
        From 1; None for the file as a whole.
    """

    file: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was looked at: an export, a file.

    Attributes
    ----------
    key : str
        Its name for entries.
    name : str
        Its name for people.
    sentence : str
        What it is worth, in a sentence.
    """

    key: str
    name: str
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A finding, as a report tells it.

    Attributes
    ----------
    code : str
        Such as ``CG103``.
    rule : str
        Its name.
    severity : {"error", "warning", "note"}
    message : str
    subject : str
        Key of the subject.
    where : str
        The place in words: ``app:cache#records[3]``, ``services.web.build.cache_from[0]``.
    places : tuple of Place
        Where to change something; the first counts most.
    related : tuple of Place
        Other places that have to do with it.
    fingerprint : str
        As `fingerprint` makes it.
    known : bool
        A baseline holds it, so that it fails nothing.
    """

    code: str
    rule: str
    severity: Severity
    message: str
    subject: str
    where: str
    fingerprint: str
    places: tuple[Place, ...] = ()
    related: tuple[Place, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A source that could not be read.

    Attributes
    ----------
    source : str
        As it was named.
    error : str
        Kind of error, such as ``NotFoundError``.
    message : str
        What is wrong.
    hint : str or None
        What to do.
    buildkit : {"skip", "fail"} or None
        What a build makes of it: it goes on without, or fails; None where that is not known.
    place : Place or None
        Where a file names it.
    fails : bool
        Whether the run fails for it.
    warnings : tuple of str
        What BuildKit ignores of it, or takes otherwise than meant.
    """

    source: str
    error: str
    message: str
    hint: str | None = None
    buildkit: Literal["skip", "fail"] | None = None
    place: Place | None = None
    fails: bool = True
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it in a line: what is wrong, what it costs, what to do."""
        at = f"{self.place.file}:{self.place.line}: " if self.place and self.place.line else ""
        about = "" if is_about(self.message, self.source) else f"{self.source}: "
        told = self.buildkit is None or "BuildKit" in self.message
        costs = None if told or self.buildkit is None else _BUILDKIT[self.buildkit]
        parts = [f"{at}{about}{self.message}", costs, f"To do: {self.hint}" if self.hint else None]
        return ". ".join(part.rstrip(".") for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a run has to tell.

    Attributes
    ----------
    command : str
        Who tells it: ``check``, ``lint``.
    rules : sequence of Rule
        All that were asked, found or not.
    subjects : sequence of Subject
    entries : sequence of Entry
    unread : sequence of Unread
    remarks : sequence of str
        What the settings and the baseline left out, a sentence each.
    fail_on : {"error", "warning", "note", "never"}
    """

    command: str
    rules: Sequence[Rule]
    subjects: Sequence[Subject]
    entries: Sequence[Entry]
    unread: Sequence[Unread] = ()
    remarks: Sequence[str] = field(default_factory=tuple)
    fail_on: str = "error"

    def fails(self, entry: Entry) -> bool:
        """Tell whether the run fails for an entry: it is new, and at least as severe as ``fail_on``."""
        return not entry.known and SEVERITIES.index(entry.severity) <= self._bound

    @property
    def _bound(self) -> int:
        return -1 if self.fail_on == "never" else FAIL_ON.index(self.fail_on)

    def worst_first(self) -> list[Entry]:
        """Sort the entries by severity, new ones first; else the order stays."""
        return sorted(self.entries, key=lambda entry: (entry.known, SEVERITIES.index(entry.severity)))

    def by_subject(self) -> Mapping[str, list[Entry]]:
        """Group the entries by their subject; every subject is there."""
        groups: dict[str, list[Entry]] = {subject.key: [] for subject in self.subjects}
        for entry in self.entries:
            groups.setdefault(entry.subject, []).append(entry)
        return groups


def fingerprint(*parts: object) -> str:
    """Make what tells findings apart over time: 16 hexadecimal digits.

    Parameters
    ----------
    *parts : object
        What a finding is about and what changes with nothing else: the rule, the place without digests and line
        numbers, the step's own digest, the reason. Never an index, a severity, a message or a count.

    Examples
    --------
    >>> fingerprint("missing-results", "type=local,src=cache", "sha256:5dbf", None)
    'eaf91b4c7e6e6c2d'
    """
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def numbered(fingerprints: Iterable[str]) -> list[str]:
    """Tell entries with one fingerprint apart by their order: ``eaf91b4c7e6e6c2d:1``, ``...:2``."""
    seen: dict[str, int] = {}
    found = []
    for one in fingerprints:
        seen[one] = seen.get(one, 0) + 1
        found.append(f"{one}:{seen[one]}")
    return found
