"""Every rule, and asking all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cachegraph.lint.model import Repository
from cachegraph.lint.rules.backends import BACKEND_RULES
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.branches import BRANCH_RULES
from cachegraph.lint.rules.contexts import CONTEXT_RULES
from cachegraph.lint.rules.directories import DIRECTORY_RULES
from cachegraph.lint.rules.entries import ENTRY_RULES
from cachegraph.lint.rules.habits import HABIT_RULES
from cachegraph.lint.rules.images import IMAGE_RULES
from cachegraph.lint.rules.logins import LOGIN_RULES
from cachegraph.lint.rules.runners import RUNNER_RULES
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.rules.writers import PLACE_RULES

__all__ = ["LINT_RULES", "lint"]

LINT_RULES: tuple[LintRule, ...] = tuple(
    sorted(
        (
            *ENTRY_RULES,
            *BACKEND_RULES,
            *PLACE_RULES,
            *BRANCH_RULES,
            *RUNNER_RULES,
            *LOGIN_RULES,
            *DIRECTORY_RULES,
            *HABIT_RULES,
            *CONTEXT_RULES,
            *IMAGE_RULES,
        ),
        key=lambda rule: rule.code,
    )
)
"""All rules, by code."""


_SEVERAL_OF_ONE = frozenset({"unknown-key", "unknown-value", "repeated-key", "secret-in-entry"})
"""Rules that may find several things in one entry; for the others, a line is told once for all of a matrix."""


def lint(
    repository: Repository, root: Path | None = None, dockerfiles: Sequence[str] = (), *, is_whole: bool = True
) -> list[LintFinding]:
    """Ask every rule about settings and the Dockerfiles that they name.

    Parameters
    ----------
    repository : Repository
    root : pathlib.Path, optional
        Where its files lie. Without it, nothing is said about Dockerfiles.
    dockerfiles : sequence of str
        More Dockerfiles, from the root.
    is_whole : bool
        Whether the repository's other files were read too: else nothing is said of readers and writers that are
        missing.

    Returns
    -------
    list of LintFinding
        By file and line; each once, however many combinations of a matrix have it.
    """
    scene = Scene(repository, root, dockerfiles, is_whole=is_whole)
    found: dict[tuple[object, ...], LintFinding] = {}
    for rule in LINT_RULES:
        for finding in rule.check(scene):
            what = finding.message if rule.name in _SEVERAL_OF_ONE else ""
            path = finding.place.path
            element = path[path.rfind("[") :] if path.endswith("]") else ""
            key = (finding.rule, finding.place.file, finding.place.line, element, what)
            found.setdefault(key, finding)
    return sorted(found.values(), key=lambda one: (one.place.file, one.place.line, one.code))
