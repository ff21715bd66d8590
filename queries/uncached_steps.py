"""Steps without a cached result, once for each cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Kind
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import OneOf, Severities
from cachegraph.schema.facts import whole
from cachegraph.schema.uncached import UncachedCause
from cachegraph.text.words import capital, plural

__all__ = ["QUERY", "UncachedSteps"]

_NAMED = 3
"""Steps that the sentence names; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UncachedSteps(Finding):
    """Steps that have no cached result for one and the same cause.

    Attributes
    ----------
    cause : {"lost-blob", "unlisted-blob", "inline", "final-image", "earlier-build", "unknown"}
        lost-blob: the store no longer has the blob named by digest. unlisted-blob: the manifest does not list it.
        inline, final-image: the export keeps the layers of the final image only. earlier-build: the keys are those
        of an earlier build. unknown: the export does not say.
    kind : str
        Kind of the export: what a lost blob costs depends on it.
    steps : tuple of int
        Indexes of their records.
    of : int
        Number of steps in the export.
    """

    cause: UncachedCause
    kind: Kind
    steps: tuple[int, ...]
    of: int


def ask(graph: ExportGraph) -> Iterator[UncachedSteps]:
    """Gather the steps without a cached result by cause.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    UncachedSteps
        By cause and blob.
    """
    steps: dict[tuple[UncachedCause, str], list[int]] = {}
    columns = ("uncached_cause", "lacking_blob", "index")
    for cause, blob, record in whole(graph, "Record").each(*columns):
        if cause is not None:
            steps.setdefault((cause, blob or ""), []).append(record)
    for (cause, blob), records in sorted(steps.items()):
        yield UncachedSteps(
            query=QUERY.name,
            severity=_SEVERITIES.of(cause=cause),
            export=graph.id,
            digest=blob or None,
            cause=cause,
            kind=graph.export.kind,
            steps=tuple(records),
            of=len(graph) - len(graph.roots),
        )


_SEVERITIES = Severities(
    ("error", OneOf("cause", "lost-blob")),
    ("note", OneOf("cause", "earlier-build", "unknown")),
    otherwise="warning",
)

_RUNS = "Each runs again whenever something after it changes"
_MAX = "--cache-to type=registry,ref=REF,mode=max"
_WHY: dict[UncachedCause, str] = {
    "unlisted-blob": "the manifest does not list {blob}, so BuildKit ignores every result that needs it",
    "inline": "an inline cache holds the layers of the final image only",
    "final-image": "the export holds the layers of the final image only, as mode=min (the default) leaves it",
    "earlier-build": "their keys are those of earlier builds",
    "unknown": "the builder had none when it exported, and the export does not say why",
}
_CURE: dict[UncachedCause, str] = {
    "unlisted-blob": f"{_RUNS}. Export again, to a new place",
    "inline": f"{_RUNS}. Export a cache of its own beside the image: {_MAX}",
    "final-image": f"{_RUNS}. Export with mode=max; where the cache is imported too, build once without it",
    "earlier-build": "That costs nothing, unless such a build comes back",
    "unknown": f"{_RUNS}. To fill the gap, build once without this cache and export with mode=max",
}
_BREAKS = "a build fails as soon as it needs {them}"
_RUNS_INSTEAD = "a build that needs {them} runs the step instead, and fails if the blob belongs to its base image"
_LOST: dict[Kind, str] = {
    "registry": _BREAKS,
    "inline": _BREAKS,
    "s3": _BREAKS,
    "azblob": "a build that needs {them} cannot load it, and may fail",
    "gha": "a build that needs {them} cannot load it, and may fail",
}
_DELETES: dict[Kind, str] = {
    "registry": "the registry's clean-up",
    "inline": "the registry's clean-up",
    "s3": "the bucket's lifecycle rules (they must outlast touch_refresh)",
    "azblob": "the container's lifecycle rules",
    "gha": "GitHub's quota (10 GB by default) and its age limit of 7 days",
}


def _sentence(finding: UncachedSteps, title: Title) -> str:
    names = ", ".join(map(title, finding.steps[:_NAMED]))
    more = f" and {len(finding.steps) - _NAMED:,} more" if len(finding.steps) > _NAMED else ""
    blob = f"blob {finding.digest}" if finding.digest else "a blob"
    if finding.cause == "lost-blob":
        them = "it" if len(finding.steps) == 1 else "one of them"
        cost = capital(_LOST.get(finding.kind, _RUNS_INSTEAD).format(them=them))
        culprit = _DELETES.get(finding.kind, "who deletes files there")
        return (
            f"{blob} is gone, and {plural(len(finding.steps), 'step')} of {finding.of:,} cannot be loaded without it: "
            f"{names}{more}. {cost}; every build that exports its cache as well fails, unless "
            f"it says ignore-error=true. Export again to a new place, and look at {culprit}."
        )
    keeps = "keeps" if len(finding.steps) == 1 else "keep"
    return (
        f"of {plural(finding.of, 'step')}, {len(finding.steps):,} {keeps} no result: "
        f"{_WHY[finding.cause].format(blob=blob)}. Without: {names}{more}. {_CURE[finding.cause]}."
    )


QUERY = Query(
    name="uncached-steps",
    title="Which causes leave steps without a cached result?",
    meaning=(
        "One lost blob, an inline cache or an export with mode=min leaves many steps without a result. Each cause is "
        "told once, with all of its steps; missing-results tells of every step by itself. Such a step is still "
        "recognised, so it runs again only when a step after it must run."
    ),
    severity="error for lost-blob, note for earlier-build and unknown, else warning",
    finding=UncachedSteps,
    heading="Causes of steps without a result",
    severities=_SEVERITIES,
    order=("cause", "digest"),
    ask=ask,
    sentence=_sentence,
    example=(
        "An image with inline cache, built in two stages: of 13 steps the 6 of the first stage keep no result (inline)."
    ),
    cure=(
        "inline, final-image: export with mode=max to a registry, a directory or a bucket; inline has no such mode.\n"
        "lost-blob: export again to a new place, and stop what deletes blobs there.\n"
        "unlisted-blob: export again to a new place. earlier-build: nothing to do."
    ),
)
