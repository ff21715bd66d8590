"""Steps without a cached result, once for each cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import Fault, Kind
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import OneOf, Severities, Zero
from cachegraph.schema.facts import whole
from cachegraph.schema.uncached import UncachedCause
from cachegraph.text.words import capital, plural, size_text, some_of

__all__ = ["DELETES", "QUERY", "UncachedSteps", "lost_words"]

_NAMED = 3
"""Steps that the sentence names; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UncachedSteps(Finding):
    """Steps that have no cached result for one and the same cause.

    Attributes
    ----------
    cause : str
        lost-blob: the store no longer has the blob named by digest. damaged-blob: it has it and cannot load it.
        unlisted-blob: the manifest does not list it. inline, final-image: the export keeps the layers of the final
        image only. inline-link: the same of a build that ends in COPY --link. earlier-build: the keys are those of an
        earlier build. unknown: the export does not say.
    kind : str
        Kind of the export.
    store : str
        Type of the store that holds its blobs: what a lost blob costs depends on it.
    bytes : int or None
        Bytes of the blob.
    fault : str or None
        What is wrong with a damaged blob, such as wrong-size.
    steps : tuple of int
        Indexes of their records; none for a lost blob that no step needs to be loaded.
    of : int
        Number of steps in the export.
    loadable : int or None
        How many of these can be loaded.
    """

    cause: UncachedCause
    kind: Kind
    store: str = ""
    bytes: int | None = None
    fault: Fault | None = None
    steps: tuple[int, ...]
    of: int
    loadable: int | None = None


def ask(graph: ExportGraph) -> Iterator[UncachedSteps]:
    """Gather the steps without a cached result by cause.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    UncachedSteps
        By cause and blob; none for an export that BuildKit refuses. What a rewritten manifest lacks of every blob is
        one finding, whatever the blobs.
    """
    if graph.import_error is not None:
        return
    steps: dict[tuple[UncachedCause, str, Fault | None], list[int]] = {}
    for cause, blob, record in whole(graph, "Record").each("uncached_cause", "lacking_blob", "index"):
        if cause is not None:
            fault = graph.faults.get(blob) if cause == "damaged-blob" else None
            own = "" if fault in ("no-diff-id", "wrong-media-type") else blob or ""
            steps.setdefault((cause, own, fault), []).append(record)
    named = {blob for _, blob, _ in steps}
    for blob in graph.missing_blobs - named:
        steps["lost-blob", blob, None] = []
    ((store, loadable),) = whole(graph, "Export").each("store_type", "loadable_steps")
    for (cause, blob, fault), records in sorted(steps.items(), key=_order):
        yield UncachedSteps(
            query=QUERY.name,
            severity=_SEVERITIES.of(cause=cause, store=store, fault=fault, loadable=loadable),
            export=graph.id,
            digest=blob or None,
            cause=cause,
            kind=graph.export.kind,
            store=store,
            bytes=graph.sizes.get(blob),
            fault=fault,
            steps=tuple(records),
            of=len(graph) - len(graph.roots),
            loadable=loadable,
        )


def _order(group: tuple[tuple[UncachedCause, str, Fault | None], list[int]]) -> tuple[str, str, str]:
    cause, blob, fault = group[0]
    return cause, fault or "", blob


_SEVERITIES = Severities(
    ("error", OneOf("cause", "lost-blob")),
    (
        "error",
        OneOf("cause", "damaged-blob"),
        OneOf("store", "registry", "s3", "azblob"),
        OneOf("fault", "wrong-size", "wrong-digest", "wrong-diff-id", "wrong-media-type"),
    ),
    ("error", Zero("loadable")),
    ("note", OneOf("cause", "earlier-build", "unknown")),
    otherwise="warning",
)

_RUNS = "Each runs again whenever something after it changes"
_MAX = "--cache-to type=registry,ref=REF,mode=max"
_FAULTS: dict[Fault | None, str] = {
    "wrong-size": "blob {blob} has another size than the manifest says",
    "wrong-digest": "blob {blob} has other bytes than its digest says",
    "wrong-diff-id": "blob {blob} unpacks to other bytes than its diff ID says",
    "no-diff-id": "the manifest says no containerd.io/uncompressed of their blobs",
    "wrong-media-type": "the manifest gives their blobs a media type that they are not",
    None: "blob {blob} cannot be loaded",
}
_WHY: dict[UncachedCause, str] = {
    "unlisted-blob": "the manifest does not list {blob}, so BuildKit ignores every result that needs it",
    "inline": "an inline cache holds the layers of the final image only",
    "inline-link": "an inline cache keeps no result of the COPY --link steps that the build ends in",
    "final-image": "the export holds the layers of the final image only, as mode=min (the default) leaves it",
    "earlier-build": "their keys are those of earlier builds",
    "unknown": "the builder had none when it exported, and the export does not say why",
}
_CURE: dict[UncachedCause, str] = {
    "damaged-blob": "Export again, to a new place, and look at what rewrites manifests or blobs there",
    "unlisted-blob": f"{_RUNS}. Export again, to a new place",
    "inline": f"{_RUNS}. Export a cache of its own beside the image: {_MAX}",
    "inline-link": f"They run in every build, even if nothing changed. Export a cache of its own beside the image: "
    f"{_MAX}",
    "final-image": f"{_RUNS}. Export with mode=max; where the cache is imported too, build once without it",
    "earlier-build": "That costs nothing, unless such a build comes back",
    "unknown": f"{_RUNS}. To fill the gap, build once without this cache and export with mode=max",
}
_BREAKS = "a build fails as soon as it needs {them}"
_RUNS_INSTEAD = "a build that needs {them} runs the step instead, and fails if the blob belongs to its base image"
_MAY_FAIL = "a build that needs {them} cannot load it, and may fail"
_LOST = {"registry": _BREAKS, "s3": _BREAKS, "azblob": _MAY_FAIL, "gha": _MAY_FAIL}
DELETES = {
    "registry": "the registry's clean-up",
    "s3": "the bucket's lifecycle rules (they must outlast touch_refresh)",
    "azblob": "the container's lifecycle rules",
    "gha": "GitHub's quota (10 GB by default) and its age limit of 7 days",
    "local": "who deletes files there",
}
"""What deletes blobs, by type of store."""


def lost_words(store: str, count: int) -> str:
    """Say what a build does that needs one of so many steps whose blob is gone.

    Parameters
    ----------
    store : str
        Type of the store.
    count : int
    """
    return _LOST.get(store, _RUNS_INSTEAD).format(them="it" if count == 1 else "one of them")


def _sentence(finding: UncachedSteps, title: Title) -> str:
    names = some_of(map(title, finding.steps[:_NAMED]), len(finding.steps))
    blob = f"blob {finding.digest}" if finding.digest else "a blob"
    if finding.cause == "lost-blob":
        return _lost(finding, names, blob)
    keeps = "keeps" if len(finding.steps) == 1 else "keep"
    start = f"of {plural(finding.of, 'step')}, {len(finding.steps):,} "
    if finding.cause == "damaged-blob":
        why = _FAULTS[finding.fault].format(blob=finding.digest)
        costs = (
            "A build that needs one of them fails"
            if finding.severity == "error" and finding.store in ("registry", "s3", "azblob")
            else "A build that needs one of them runs it"
        )
        return f"{start}cannot be loaded: {why}. They are: {names}. {costs}. {_CURE['damaged-blob']}."
    return (
        f"{start}{keeps} no result: {_WHY[finding.cause].format(blob=blob)}. Without: {names}. {_CURE[finding.cause]}."
    )


def _lost(finding: UncachedSteps, names: str, blob: str) -> str:
    store = finding.store or ("registry" if finding.kind == "inline" else finding.kind)
    culprit = DELETES.get(store, DELETES["local"])
    sized = f"{blob} ({size_text(finding.bytes)})" if finding.bytes is not None else blob
    if not finding.steps:
        return (
            f"{sized} is gone. No step needs it to be loaded, but every build that exports its cache as well fails, "
            f"unless it says ignore-error=true. Export again to a new place, and look at {culprit}."
        )
    return (
        f"{sized} is gone, and {plural(len(finding.steps), 'step')} of {finding.of:,} cannot be loaded without it: "
        f"{names}. {capital(lost_words(store, len(finding.steps)))}; every build that exports its cache as "
        f"well fails, unless it says ignore-error=true. Export again to a new place, and look at {culprit}."
    )


QUERY = Query(
    name="uncached-steps",
    title="Which causes leave steps without a cached result?",
    meaning=(
        "One lost blob, an inline cache or an export with mode=min leaves many steps without a result. Each cause is "
        "told once, with all of its steps; missing-results tells of every step by itself. Such a step is still "
        "recognised, so it runs again only when a step after it must run."
    ),
    severity="error for lost-blob, for a damaged blob in a registry, S3 or Azure, and where nothing can be loaded; "
    "note for earlier-build and unknown; else warning",
    finding=UncachedSteps,
    heading="Causes of steps without a result",
    severities=_SEVERITIES,
    order=("cause", "fault", "digest"),
    ask=ask,
    sentence=_sentence,
    example=(
        "An image with inline cache, built in two stages: of 13 steps the 6 of the first stage keep no result (inline)."
    ),
    cure=(
        "inline, inline-link, final-image: export with mode=max to a registry, a directory or a bucket; inline has no "
        "such mode.\n"
        "lost-blob: export again to a new place, and stop what deletes blobs there.\n"
        "damaged-blob, unlisted-blob: export again to a new place. earlier-build: nothing to do."
    ),
)
