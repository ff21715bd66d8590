"""What every question has: a name, a meaning, a typed finding, a function, and its twin in Cypher."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any, Literal

from cachegraph.core.graph import ExportGraph

__all__ = ["SEVERITIES", "Finding", "Query", "Severity", "plural", "shortened"]

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer to a question.

    Attributes
    ----------
    query : str
        Name of the question.
    severity : {"error", "warning", "note"}
    export : str
        Id of the export.
    record : int or None
        Index in the export's own ``records``; None where the finding is not about one record.
    digest : str or None
        Digest of the record, or of the blob concerned.
    message : str
        One sentence: what it costs, what to do.
    """

    query: str
    severity: Severity
    export: str
    record: int | None
    digest: str | None
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Give the finding as its JSON object."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question.

    Attributes
    ----------
    name : str
        Such as ``missing-results``.
    title : str
        The question in one line.
    meaning : str
        One paragraph: what a finding means and costs.
    severity : str
        Which severities it gives, and when.
    finding : type of Finding
    ask : callable
        From an export's graph to findings, by record index.
    """

    name: str
    title: str
    meaning: str
    severity: str
    finding: type[Finding]
    ask: Callable[[ExportGraph], Iterable[Finding]]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the finding's fields, in order."""
        return tuple(field.name for field in fields(self.finding))

    @property
    def cypher(self) -> str:
        """Text of the twin in Cypher."""
        return _cypher(self.name)


@cache
def _cypher(name: str) -> str:
    return resources.files("cachegraph.queries").joinpath(f"{name}.cypher").read_text("utf-8")


def _plain(value: object) -> object:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def plural(count: int, noun: str) -> str:
    """Count in words: ``1 record``, ``2 records``.

    Parameters
    ----------
    count : int
    noun : str
        Singular; the plural takes an s.
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shortened(digest: str) -> str:
    """Cut a digest to what identifies it among others in one table."""
    return digest[:19]
