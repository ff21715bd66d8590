"""How severe a finding is: rules over its fields. Python applies them, and the Cypher twin's CASE is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cachegraph.text.rules import SEVERITIES, Severity

__all__ = ["SEVERITIES", "As", "Condition", "MoreThan", "OneOf", "Severities", "Severity", "Zero"]


class Condition(Protocol):
    """A test of a finding's fields, in both languages. An unknown field passes none."""

    @property
    def cypher(self) -> str:
        """The test in Cypher, over columns of the twin."""

    def passed(self, fields: Mapping[str, Any]) -> bool:
        """Tell whether a finding passes."""


class OneOf:
    """A field is one of some words.

    Parameters
    ----------
    field : str
    *words : str
    """

    def __init__(self, field: str, *words: str) -> None:
        self.field = field
        self.words = words

    @property
    def cypher(self) -> str:
        """The test in Cypher."""
        quoted = ", ".join(f"'{word}'" for word in self.words)
        return f"{self.field} = {quoted}" if len(self.words) == 1 else f"{self.field} IN [{quoted}]"

    def passed(self, fields: Mapping[str, Any]) -> bool:
        """Tell whether a finding passes."""
        return fields[self.field] in self.words


class MoreThan:
    """A field is greater than a number, or than a share of another field.

    Parameters
    ----------
    field : str
    bound : int or str
        A number, or the name of another field.
    share : float
    """

    def __init__(self, field: str, bound: int | str, share: float = 1) -> None:
        self.field = field
        self.bound = bound
        self.share = share

    @property
    def cypher(self) -> str:
        """The test in Cypher."""
        share = "" if self.share == 1 else f"{self.share} * "
        return f"{self.field} > {share}{self.bound}"

    def passed(self, fields: Mapping[str, Any]) -> bool:
        """Tell whether a finding passes."""
        value = fields[self.field]
        bound = fields[self.bound] if isinstance(self.bound, str) else self.bound
        return value is not None and bound is not None and value > self.share * bound


class Zero:
    """A field is the number 0.

    Parameters
    ----------
    field : str
    """

    def __init__(self, field: str) -> None:
        self.field = field

    @property
    def cypher(self) -> str:
        """The test in Cypher."""
        return f"{self.field} = 0"

    def passed(self, fields: Mapping[str, Any]) -> bool:
        """Tell whether a finding passes."""
        return bool(fields[self.field] == 0)


@dataclass(frozen=True, slots=True)
class As:
    """The severity is a field's own, in Cypher a column that the twin's body names."""

    field: str


class Severities:
    """Which severity a finding has: that of the first rule whose tests it all passes.

    Parameters
    ----------
    *rules : tuple of (Severity, Condition, ...)
    otherwise : Severity or As
        What it has if it passes none.

    Examples
    --------
    >>> severities = Severities(("error", OneOf("reason", "blob-missing")), otherwise="warning")
    >>> severities.of(reason="blob-missing")
    'error'
    >>> print(severities.cypher)
    CASE
      WHEN reason = 'blob-missing' THEN 'error'
      ELSE 'warning'
    END
    """

    def __init__(self, *rules: tuple[Severity, *tuple[Condition, ...]], otherwise: Severity | As) -> None:
        self.rules = rules
        self.otherwise = otherwise

    def of(self, **fields: Any) -> Severity:  # noqa: ANN401 - fields of any finding
        """Judge a finding by its fields.

        Parameters
        ----------
        **fields
            At least those that the tests look at.
        """
        for severity, *tests in self.rules:
            for test in tests:
                if not test.passed(fields):
                    break
            else:
                return severity
        if isinstance(self.otherwise, As):
            own: Severity = fields[self.otherwise.field]
            return own
        return self.otherwise

    @property
    def cypher(self) -> str:
        """The rules as an expression in Cypher."""
        default = self.otherwise.field if isinstance(self.otherwise, As) else f"'{self.otherwise}'"
        if not self.rules:
            return default
        lines = [
            f"  WHEN {' AND '.join(test.cypher for test in tests)} THEN '{severity}'" for severity, *tests in self.rules
        ]
        return "\n".join(["CASE", *lines, f"  ELSE {default}", "END"])
