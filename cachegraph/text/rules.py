"""Every kind of finding by its code: what it means, an example, and the cure.

A code is stable: reports, baselines and people's scripts name it, so it is never given to another rule. A rule is
described where it is found (a question in its own module); here stands which code it has.

=====  ============================================
CG1..  questions about an export
CG2..  builds, and what they will ask a cache for
CG3..  settings: bake, compose and workflow files
=====  ============================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["CODES", "SEVERITIES", "Rule", "Severity"]

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Worst first."""

CODES: Mapping[str, str] = {
    "import-errors": "CG101",
    "source-problems": "CG102",
    "missing-results": "CG103",
    "unreachable-roots": "CG104",
    "merge-subsets": "CG105",
    "legacy-misses": "CG106",
    "duplicate-keys": "CG107",
    "orphan-layers": "CG108",
    "orphan-blobs": "CG109",
    "size-forecast": "CG110",
    "uncached-steps": "CG111",
    "fragile-links": "CG112",
    "shadowed-keys": "CG113",
    "empty-exports": "CG114",
    "refused-entry": "CG301",
    "blank-in-entry": "CG302",
    "unknown-type": "CG303",
    "inline-import": "CG304",
    "unknown-key": "CG305",
    "repeated-key": "CG306",
    "unknown-value": "CG307",
    "missing-key": "CG308",
    "export-key-on-import": "CG309",
    "inline-mode": "CG310",
    "ignored-compression": "CG311",
    "secret-in-entry": "CG312",
    "invalid-reference": "CG313",
    "empty-entry": "CG314",
    "several-writers": "CG315",
    "never-written": "CG316",
    "no-inline-cache": "CG317",
    "never-read": "CG318",
    "overwritten-by-pull-requests": "CG319",
    "own-branch-only": "CG320",
    "new-name-each-run": "CG321",
    "release-reads-shared-cache": "CG322",
    "docker-driver": "CG323",
    "no-runtime-token": "CG324",
    "not-on-github": "CG325",
    "no-login": "CG326",
    "no-permission": "CG327",
    "image-index": "CG328",
    "lost-directory": "CG329",
    "growing-directory": "CG330",
    "frozen-key": "CG331",
    "unrestored-key": "CG332",
    "min-mode": "CG333",
    "failing-export": "CG334",
    "unused-cache": "CG335",
    "changing-provenance": "CG336",
    "repeated-entry": "CG337",
    "own-cache-not-last": "CG338",
    "copy-before-install": "CG339",
    "git-in-context": "CG340",
    "output-in-context": "CG341",
    "changing-argument": "CG342",
    "lone-update": "CG343",
    "unpinned-download": "CG344",
    "linked-inline": "CG345",
}
"""Codes by the name of the rule. A new rule takes the next number of its hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A kind of finding, explained.

    Attributes
    ----------
    name : str
        Such as ``missing-results``; a key of `CODES`.
    title : str
        What it asks or says, in one line.
    meaning : str
        One paragraph: what a finding means, and what it costs.
    severity : str
        Which severities its findings have, and when.
    example : str
        A case of it, and what the finding says; several lines.
    cure : str
        What to change.
    link : str
        The page of the documentation that says more; empty if there is none.
    """

    name: str
    title: str
    meaning: str
    severity: str
    example: str
    cure: str
    link: str = ""

    @property
    def code(self) -> str:
        """Such as ``CG103``."""
        return CODES[self.name]

    @property
    def level(self) -> Severity:
        """The worst severity that its findings can have, by its own words."""
        return next((severity for severity in SEVERITIES if severity in self.severity), "warning")
