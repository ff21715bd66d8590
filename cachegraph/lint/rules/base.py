"""What every rule has: a name, a meaning, a bad and a good example, a function from what was read to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cachegraph.lint.rules.editing import Fix
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.values import Place
from cachegraph.text.rules import CODES, Rule

__all__ = ["Level", "LintFinding", "LintRule"]

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LintFinding:
    """Something that is wrong with settings.

    Attributes
    ----------
    rule : str
        Name of the rule.
    severity : {"error", "warning", "note"}
    message : str
        What is wrong, what it costs, what to do.
    place : Place
        The line to change.
    related : tuple of Place
        Other lines that have to do with it.
    fix : Fix or None
    """

    rule: str
    severity: Level
    message: str
    place: Place
    related: tuple[Place, ...] = ()
    fix: Fix | None = None

    @property
    def code(self) -> str:
        """Such as ``CG301``."""
        return CODES[self.rule]

    def to_dict(self) -> dict[str, Any]:
        """Give it as its JSON object. A fix that would print a secret is not in it: fixes show keys, not values."""
        return {
            "rule": self.rule,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "file": self.place.file,
            "line": self.place.line or None,
            "path": self.place.path,
            "related": [{"file": one.file, "line": one.line or None} for one in self.related],
            "fixable": self.fix is not None and self.fix.is_safe,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LintRule:
    """A rule.

    Attributes
    ----------
    name : str
        A key of `cachegraph.text.rules.CODES`.
    title : str
        What its findings say, in one line.
    meaning : str
        One paragraph: what a finding means, and what it costs.
    severity : str
        Which severities its findings have, and when.
    cure : str
        What to change.
    link : str
        The page of the documentation that says more.
    bad, good : mapping of str to str
        Small repositories, text by path: the first gives this finding and no other, the second none.
    check : callable
        From what was read to findings.
    """

    name: str
    title: str
    meaning: str
    severity: str
    cure: str
    link: str
    bad: Mapping[str, str]
    good: Mapping[str, str]
    check: Callable[[Scene], Iterator[LintFinding]] = field(repr=False)

    @property
    def code(self) -> str:
        """Such as ``CG301``."""
        return CODES[self.name]

    @property
    def rule(self) -> Rule:
        """As ``explain-rule`` and reports take it."""
        return Rule(
            name=self.name,
            title=self.title,
            meaning=self.meaning,
            severity=self.severity,
            example=f"{_shown(self.bad)}\n\nBetter:\n\n{_shown(self.good)}",
            cure=self.cure,
            link=self.link,
        )


def _shown(files: Mapping[str, str]) -> str:
    return "\n\n".join(f"# {name}\n{text.strip()}" for name, text in files.items())
