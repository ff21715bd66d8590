"""What every question has: a name, a meaning, a typed finding, a function, and its twin in Cypher."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from importlib import resources
from typing import Any, Generic, Literal, TypeVar

from cachegraph.core.graph import ExportGraph
from cachegraph.core.versions import EVERY, Versions
from cachegraph.queries.severity import SEVERITIES, Severities, Severity
from cachegraph.text.rules import CODES, Rule
from cachegraph.text.words import capital

__all__ = ["SEVERITIES", "Finding", "Query", "Severity", "Title"]

_IDENTITY = frozenset({"alternative", "cause", "code", "error", "reason", "slot"})

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

    @property
    def code(self) -> str:
        """Code of the rule, such as ``CG103``; see `cachegraph.text.rules`."""
        return CODES[self.query]

    def to_dict(self) -> dict[str, Any]:
        """Give the finding as its JSON object: its fields, and ``code``."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        found = {name: list(value) if isinstance(value, tuple) else value for name, value in values}
        return {**found, "code": self.code}


F = TypeVar("F", bound=Finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Generic[F]):
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
    ask_together : callable, optional
        Of a question about several exports that one build imports: from their graphs to findings without messages.
    builders : Versions
        Builders that it is about; `check` asks it only for one of these.
    example : str
        A case of it and what the finding says; a few lines, for ``cachegraph explain-rule``.
    cure : str
        What to change.
    """

    name: str
    title: str
    meaning: str
    severity: str
    finding: type[F]
    heading: str
    severities: Severities
    ask: Callable[[ExportGraph], Iterable[F]]
    sentence: Callable[[F, Title], str]
    scope: Literal["export", "store"] = "export"
    order: tuple[str, ...] = ("record",)
    ask_together: Callable[[Sequence[ExportGraph]], Iterable[F]] | None = None
    builders: Versions = EVERY
    example: str = ""
    cure: str = ""

    def __repr__(self) -> str:
        """Name it by its code and title."""
        return f"<Query {self.name} ({CODES[self.name]}): {self.title}>"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the finding's fields, in order."""
        return tuple(field.name for field in fields(self.finding))

    @property
    def identity(self) -> tuple[str, ...]:
        """Names of the fields that tell its findings apart over time, besides the digest: no index and no count."""
        return tuple(name for name in self.columns if name in _IDENTITY)

    @property
    def cypher(self) -> str:
        """Text of the twin in Cypher."""
        return resources.files("cachegraph.queries").joinpath(f"{self.name}.cypher").read_text("utf-8")

    @property
    def rule(self) -> Rule:
        """The question as a rule, with its code."""
        return Rule(
            name=self.name,
            title=self.title,
            meaning=self.meaning,
            severity=self.severity,
            example=self.example,
            cure=self.cure,
        )

    def worded(self, finding: F, title: Title) -> F:
        """Give a finding its message.

        Parameters
        ----------
        finding : Finding
        title : callable
            Names a record of the finding's export.
        """
        return replace(finding, message=capital(self.sentence(finding, title)))
