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
        ``size-mismatch``, ``digest-mismatch``, ``image-ignored``, ``builder-panic``, ``manifest-missing``,
        ``spec-trap`` or ``source-note``.
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
    return finding.detail if finding.detail.endswith((".", "?")) else f"{finding.detail}."


QUERY = Query(
    name="source-problems",
    title="What is wrong with the place where the export is stored?",
    meaning=(
        "Loading fails for a blob whose size or bytes are not what its descriptor says. BuildKit ignores an image "
        "whose config and manifest disagree, and only the build's log says so. A manifest that an index names and the "
        "store does not have holds no cache. Keys and values of a cache string that BuildKit does not know are passed "
        "over without a word, and so are keys with a blank before them."
    ),
    severity="error where loading fails, else warning or note",
    finding=SourceProblem,
    heading="Problems of the source",
    severities=_SEVERITIES,
    order=("number",),
    ask=ask,
    sentence=_sentence,
    example="The manifest says that a blob has 1,079,936 bytes, and the file in blobs/sha256 has 4,096.",
    cure="Export again. If it happens again, find out what writes to the store besides the builder.",
)
