"""The rules of every room, by name and by code."""

from __future__ import annotations

from cachegraph.errors import UnknownNameError
from cachegraph.queries.catalogue import QUERIES, TOGETHER
from cachegraph.text.nearest import did_you_mean
from cachegraph.text.rules import Rule

__all__ = ["rule_named", "rules"]


def rules() -> list[Rule]:
    """Give every rule, by code. A room that finds things adds its own here."""
    from cachegraph.lint.rules.catalogue import LINT_RULES

    found = [*(query.rule for query in (*QUERIES, *TOGETHER)), *(one.rule for one in LINT_RULES)]
    return sorted(found, key=lambda rule: rule.code)


def rule_named(name: str) -> Rule:
    """Find a rule by its name or code.

    Parameters
    ----------
    name : str
        Such as ``missing-results``, ``CG103`` or ``cg103``.

    Raises
    ------
    UnknownNameError
        Names the nearest, or all.
    """
    known = {key: rule for rule in rules() for key in (rule.name, rule.code)}
    found = known.get(name) or known.get(name.upper())
    if found is None:
        hint = did_you_mean(name, [rule.name for rule in rules()], "rules")
        raise UnknownNameError(f"there is no rule {name!r}", hint=hint)
    return found
