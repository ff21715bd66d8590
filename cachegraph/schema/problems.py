"""Facts about the place an export was read from: what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Problem, ProblemCode
from cachegraph.schema.properties import Column, Node, Property, Relationship, keys
from cachegraph.schema.uncached import uncached

__all__ = ["HAS_PROBLEM", "PROBLEM"]


def _count(graph: ExportGraph) -> int:
    return len(graph.export.problems)


def _said(value: Callable[[Problem], Any]) -> Callable[[ExportGraph], Column]:
    return lambda graph: [value(problem) for problem in graph.export.problems]


def _severities(graph: ExportGraph) -> Column:
    """Give each problem its severity: a note where another question tells what it costs."""
    problems = graph.export.problems
    blobs = {found.blob for found in uncached(graph).values()} - {None} if problems else set()
    refused = graph.import_error is not None
    told = [problem.digest in blobs or (refused and problem.code == "builder-panic") for problem in problems]
    return ["note" if elsewhere else problem.severity for problem, elsewhere in zip(problems, told, strict=True)]


PROBLEM = Node(
    "Problem",
    "Something wrong with the place an export was read from.",
    (
        Property("id", "string", "<export id>/p<index>.", keys("p", _count)),
        Property(
            "index", "integer", "Order in which they were met.", lambda g: range(_count(g)), column="problem_index"
        ),
        Property(
            "code",
            "string",
            "size-mismatch, digest-mismatch, image-ignored, builder-panic, manifest-missing, spec-trap or source-note.",
            _said(lambda p: p.code),
            words=get_args(ProblemCode),
        ),
        Property(
            "severity",
            "string",
            "error, warning or note; a note where uncached-steps or import-errors tells what it costs.",
            _severities,
            words=("error", "warning", "note"),
        ),
        Property(
            "digest",
            "string",
            "Digest of the blob concerned; null for none.",
            _said(lambda p: p.digest),
        ),
        Property("message", "string", "What is wrong, what it costs, what to do.", _said(lambda p: p.message)),
    ),
)

HAS_PROBLEM = Relationship(
    "HAS_PROBLEM",
    "Export",
    "Problem",
    "The loader noticed the problem.",
    lambda graph: ((0, _count(graph)), range(_count(graph))),
)
