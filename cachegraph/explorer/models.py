"""What the API answers, as types: FastAPI makes the OpenAPI description of them.

Descriptions stand at the fields, since that is where the OpenAPI description takes them from.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Alternative",
    "Export",
    "Exports",
    "Finding",
    "Findings",
    "Question",
    "Record",
    "Records",
    "Rows",
    "Trouble",
]

Severity = Literal["error", "warning", "note"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Export(_Answer):
    """An export, and what it is worth to a build."""

    id: Annotated[str, Field(description="What the other addresses take.")]
    source: Annotated[str, Field(description="A spec that names it, without credentials.")]
    platform: str | None
    title: Annotated[str, Field(description="What people call it.")]
    records: int
    layers: int
    verdict: Annotated[dict[str, Any], Field(description="As in the JSON of `cachegraph check`.")]


class Exports(_Answer):
    """Exports, worst first."""

    total: int
    items: list[Export]


class Record(_Answer):
    """A record of an export."""

    index: Annotated[int, Field(description="In the export's own records.")]
    digest: str
    name: str | None
    op: str
    state: str
    loadable: bool


class Alternative(_Answer):
    """A record that a slot accepts."""

    record: int
    selector: Annotated[str, Field(description="Digest of the paths that it is narrowed to; empty for all.")]
    name: str
    state: Annotated[str | None, Field(description="Null if the export has no such record.")]


class Details(Record):
    """A record with all that is known of it."""

    slots: Annotated[list[list[Alternative]], Field(description="All slots have to match, each by one alternative.")]
    results: list[list[int]]
    dependents: Annotated[list[int], Field(description="Records that take this one, the first 1,000.")]
    downstream: int
    downstream_loadable: int
    findings: list[Finding]


class Records(_Answer):
    """Records in their order."""

    total: Annotated[int, Field(description="Of all that were asked for, on this page or not.")]
    next: Annotated[int | None, Field(description="What `after` takes for the next page; null at the end.")]
    items: list[Record]


class Finding(_Answer):
    """What a question says."""

    code: str
    question: str
    severity: Severity
    record: int | None
    message: str


class Findings(_Answer):
    """Findings, worst first."""

    total: int
    items: list[Finding]


class Question(_Answer):
    """A question about all that a Neo4j holds: a file of the Cypher library."""

    name: str
    title: str
    question: str
    columns: dict[str, str]


class Rows(_Answer):
    """What the server answered."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: Annotated[bool, Field(description="Whether there are more rows than these.")]


class Trouble(_Answer):
    """Why there is no answer."""

    detail: str
    hint: str | None = None


Details.model_rebuild()
