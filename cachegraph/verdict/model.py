"""A verdict and its causes: what the first screen says of an export, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from cachegraph.core.model import Shape
from cachegraph.core.times import rfc3339
from cachegraph.queries.severity import SEVERITIES, Severity

__all__ = ["WORDS", "Cause", "Presence", "Verdict", "Word"]

Word = Literal["UNREADABLE", "BREAKS THE BUILD", "COLD", "PARTLY CACHED", "CACHED"]
"""What an export is worth.

UNREADABLE: what it is could not be found out. BREAKS THE BUILD: a build that uses it fails. COLD: every step runs.
PARTLY CACHED: some steps have no result to load. CACHED: all have one.
"""

WORDS: tuple[Word, ...] = ("BREAKS THE BUILD", "COLD", "UNREADABLE", "PARTLY CACHED", "CACHED")
"""Worst first, by what it costs a build."""

Presence = Literal["there", "lost", "not-asked", "partly-asked", "no-store"]
"""What is known of the blobs' presence in the store.

there: all are. lost: some are gone. not-asked: the store was asked for none, partly-asked: for some, and has these.
no-store: there is nothing to ask, as for a bare config.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Something that costs a build, once, with all that follows from it.

    Attributes
    ----------
    kind : str
        Name of the cause: that of ``uncached-steps`` (``lost-blob``, ``inline``, ...), else the question's name.
    code : str or None
        Code of the rule, such as ``CG111``; None for what no question asks.
    severity : {"error", "warning", "note"}
    what : str
        What is wrong, a sentence.
    cost : str
        What it costs a build; empty where that is nothing, or the first sentence says it.
    cure : str
        What to do; empty where there is nothing to do.
    paste : str or None
        A line of the build to paste, which does it, such as ``--cache-to type=registry,ref=...,mode=max``.
    steps : tuple of int
        Records of the steps that it hits.
    names : tuple of str
        What these steps are, each once, in the order of the records.
    blobs : tuple of str
        Digests of the blobs that are gone or damaged.
    """

    kind: str
    code: str | None
    severity: Severity
    what: str
    cost: str = ""
    cure: str = ""
    paste: str | None = None
    steps: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the cause as its JSON object."""
        return {
            "kind": self.kind,
            "code": self.code,
            "severity": self.severity,
            "what": self.what,
            "cost": self.cost or None,
            "cure": self.cure or None,
            "paste": self.paste,
            "steps": list(self.steps),
            "names": list(self.names),
            "blobs": list(self.blobs),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an export, or a source that could not be read, is worth to a build.

    Attributes
    ----------
    export : str or None
        Id of the export; None for a source that could not be read.
    spec : str
        What names it; can be given to ``--cache-from`` and to `cachegraph.load`.
    kind : str or None
    platform : str or None
    word : str
        See `Word`.
    cached, steps : int
        Steps with a loadable result, of all that the exporting build asked for; keys that only earlier builds asked
        for do not count. 0 and 0 where nothing is known.
    earlier_steps : int
        Steps that only earlier builds asked for.
    layers : int
    bytes : int or None
        Of the blobs, as far as known.
    presence : str
        See `Presence`.
    lost_blobs, damaged_blobs, probed_blobs, listed_blobs : int
    newest_at : int or None
        When its newest result was made, nanoseconds since 1970 UTC.
    age_seconds : float or None
        Its age when the verdict was made.
    shape : {"manifest", "index"} or None
    compression : tuple of str
    causes : tuple of Cause
        Worst first.
    notes : int
        Findings that cost nothing.
    """

    export: str | None
    spec: str
    kind: str | None = None
    platform: str | None = None
    word: Word
    cached: int = 0
    steps: int = 0
    earlier_steps: int = 0
    layers: int = 0
    bytes: int | None = None
    presence: Presence = "not-asked"
    lost_blobs: int = 0
    damaged_blobs: int = 0
    probed_blobs: int = 0
    listed_blobs: int = 0
    newest_at: int | None = None
    age_seconds: float | None = None
    shape: Shape | None = None
    compression: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    notes: int = 0

    def __repr__(self) -> str:
        """Say word and share."""
        return f"<Verdict {self.spec}: {self.word}, {self.cached:,} of {self.steps:,} steps>"

    @property
    def share(self) -> float | None:
        """Cached steps of all, from 0 to 1; None without steps."""
        return self.cached / self.steps if self.steps else None

    @property
    def severity(self) -> Severity | None:
        """Worst severity of its causes; None without."""
        return min((cause.severity for cause in self.causes), key=SEVERITIES.index, default=None)

    @property
    def rank(self) -> tuple[int, int, float]:
        """Where it stands among others, worst first."""
        severity = len(SEVERITIES) if self.severity is None else SEVERITIES.index(self.severity)
        return WORDS.index(self.word), severity, 1.0 if self.share is None else self.share

    def to_dict(self) -> dict[str, Any]:
        """Give the verdict as its object in the JSON of ``check``."""
        return {
            "word": self.word,
            "cached": self.cached,
            "steps": self.steps,
            "share": self.share,
            "earlier_steps": self.earlier_steps,
            "layers": self.layers,
            "bytes": self.bytes,
            "presence": self.presence,
            "listed_blobs": self.listed_blobs,
            "probed_blobs": self.probed_blobs,
            "lost_blobs": self.lost_blobs,
            "damaged_blobs": self.damaged_blobs,
            "newest_at": None if self.newest_at is None else rfc3339(self.newest_at),
            "shape": self.shape,
            "compression": list(self.compression),
            "causes": [cause.to_dict() for cause in self.causes],
        }
