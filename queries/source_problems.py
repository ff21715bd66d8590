"""What is wrong with the place an export was read from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import ProblemCode
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import As, Severities
from cachegraph.schema.facts import whole

__all__ = ["QUERY", "SourceProblem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProblem(Finding):
    """Something that the loader noticed.

    Attributes
    ----------
    code : str
        ``size-mismatch``, ``digest-mismatch``, ``image-ignored``, ``manifest-missing`` or ``source-note``.
    detail : str
        What is wrong, in a sentence.
    """

    code: ProblemCode
    detail: str


def ask(graph: ExportGraph) -> Iterator[SourceProblem]:
    """List what the loader noticed.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    SourceProblem
        In the order in which they were met.
    """
    for severity, digest, code, message in whole(graph, "Problem").each("severity", "digest", "code", "message"):
        yield SourceProblem(
            query=QUERY.name,
            severity=_SEVERITIES.of(severity=severity),
            export=graph.id,
            digest=digest,
            code=code,
            detail=message,
        )


_SEVERITIES = Severities(otherwise=As("severity"))


def _sentence(finding: SourceProblem, title: Title) -> str:  # noqa: ARG001 - about no record
    return finding.detail if finding.detail.endswith(".") else f"{finding.detail}."


QUERY = Query(
    name="source-problems",
    title="What is wrong with the place the export lies in?",
    meaning=(
        "A blob of another size or other bytes than its descriptor says fails when it is loaded; an image whose config "
        "and manifest disagree is ignored by BuildKit with a warning that nobody sees; a manifest that is named and "
        "missing gives nothing."
    ),
    severity="error where loading fails, else warning or note",
    finding=SourceProblem,
    heading="Problems of the source",
    severities=_SEVERITIES,
    order=("number",),
    ask=ask,
    sentence=_sentence,
)
