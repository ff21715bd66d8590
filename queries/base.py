"""What every question has: a name, a meaning, a typed finding, a function, and its twin in Cypher."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from importlib import resources
from typing import Any, Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.severity import SEVERITIES, Severities, Severity

__all__ = ["SEVERITIES", "Finding", "Query", "Severity", "Title", "plural", "size_text"]

Title = Callable[[int], str]
"""Names a record for a sentence, by its index: ``record 7 (RUN make)``."""


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
    record: int | None = None
    digest: str | None = None
    message: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Give the finding as its JSON object."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values}


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
    heading : str
        What its findings are, in a few words; the title of the twin in Cypher.
    severities : Severities
        The rules of `severity`.
    ask : callable
        From an export's graph to findings without their messages, by record index.
    sentence : callable
        From such a finding to its message; the finding's own fields must do, as findings come from Cypher too.
    scope : {"export", "store"}
        Whether each export has its own answer, or all exports of one store the same.
    order : tuple of str
        Columns by which an export's rows are sorted in Cypher.
    """

    name: str
    title: str
    meaning: str
    severity: str
    finding: type[Finding]
    heading: str
    severities: Severities
    ask: Callable[[ExportGraph], Iterable[Finding]]
    sentence: Callable[[Any, Title], str]
    scope: Literal["export", "store"] = "export"
    order: tuple[str, ...] = ("record",)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the finding's fields, in order."""
        return tuple(field.name for field in fields(self.finding))

    @property
    def cypher(self) -> str:
        """Text of the twin in Cypher."""
        return resources.files("cachegraph.queries").joinpath(f"{self.name}.cypher").read_text("utf-8")

    def worded(self, finding: Finding, title: Title) -> Finding:
        """Give a finding its message.

        Parameters
        ----------
        finding : Finding
        title : callable
            Names a record of the finding's export.
        """
        message = self.sentence(finding, title)
        return replace(finding, message=message[:1].upper() + message[1:])


def plural(count: int, noun: str) -> str:
    """Count in words: ``1 record``, ``2 records``.

    Parameters
    ----------
    count : int
    noun : str
        Singular; the plural takes an s.
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def size_text(count: int | None) -> str:
    """Write a number of bytes for people: ``1.0 MiB``; ``unknown size`` for None.

    Parameters
    ----------
    count : int or None
        Bytes.
    """
    if count is None:
        return "unknown size"
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
