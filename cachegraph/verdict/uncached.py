"""Steps without a result, as causes: all blobs that are gone are one, and so is all that an inline cache leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from cachegraph.queries.base import SEVERITIES
from cachegraph.queries.uncached_steps import DELETES, UncachedSteps, lost_words
from cachegraph.schema.summary import ExportSummary
from cachegraph.schema.uncached import UncachedCause
from cachegraph.text.words import capital, plural, size_text
from cachegraph.verdict.cures import cache_to
from cachegraph.verdict.model import Cause

__all__ = ["uncached_causes"]

_RUNS_AGAIN = "{They} again whenever something after {them} changes."
_WHY: dict[UncachedCause, str] = {
    "inline": "an inline cache holds only the layers of the final image",
    "inline-link": "an inline cache keeps no result of the COPY --link steps that the build ends in",
    "final-image": "the export holds only the layers of the final image, as mode=min (the default) leaves it",
    "unknown": "the builder had none when it exported, and why cannot be told from the export",
}
_COST: dict[UncachedCause, str] = {
    "inline-link": "They run in every build, even if nothing changed.",
}
_CURE: dict[UncachedCause, str] = {
    "inline": "Export a cache of its own beside the image (inline has no mode=max).",
    "inline-link": "Export a cache of its own beside the image (inline has no mode=max).",
    "final-image": "Export with mode=max; if the build imports this cache too, build once without it.",
    "unknown": "To fill the gap, build once without this cache and export with mode=max.",
}
_FAULTS = {
    "wrong-size": "{blobs} another size than the manifest says",
    "wrong-digest": "{blobs} other bytes than the digest says",
    "wrong-diff-id": "{blobs} other content than the diff ID says",
    "no-diff-id": "the manifest has no annotation containerd.io/uncompressed for the blobs",
    "wrong-media-type": "the manifest gives the blobs a media type that they are not",
}
_STAYS = frozenset({"wrong-size", "wrong-digest", "wrong-diff-id"})
"""Faults of bytes that are there under their digest: an export to the same place would not write them again."""


def uncached_causes(
    export: ExportSummary, findings: Sequence[UncachedSteps], names: Callable[[Iterable[int]], tuple[str, ...]]
) -> Iterator[Cause]:
    """Tell why steps have no result.

    Parameters
    ----------
    export : ExportSummary
    findings : sequence of UncachedSteps
    names : callable
        Names records by their indexes.

    Yields
    ------
    Cause
    """
    groups: dict[tuple[UncachedCause, str | None], list[UncachedSteps]] = {}
    for finding in findings:
        groups.setdefault((finding.cause, finding.fault), []).append(finding)
    for (cause, fault), group in groups.items():
        records = tuple(sorted({record for finding in group for record in finding.steps}))
        what, cost, cure = _words(cause, group, len(records), export)
        if not export.loadable_steps and cause != "lost-blob":
            cost = "Nothing in it can be loaded, so every step runs."
        earlier = cause == "earlier-build"
        yield Cause(
            kind=cause,
            code=group[0].code,
            severity=min((finding.severity for finding in group), key=SEVERITIES.index),
            what=what,
            cost=cost,
            cure=cure,
            paste=None if earlier or fault in _STAYS else cache_to(export.source, inline=export.kind == "inline"),
            steps=records,
            names=() if earlier else names(records),
            blobs=tuple(sorted({finding.digest for finding in group if finding.digest})),
        )


def _words(
    cause: UncachedCause, group: Sequence[UncachedSteps], count: int, export: ExportSummary
) -> tuple[str, str, str]:
    """Give what is wrong, what it costs, and the cure."""
    steps = plural(count, "step")
    if cause == "lost-blob":
        return _lost(group, count, export)
    if cause == "damaged-blob":
        return _damaged(group, count)
    if cause == "unlisted-blob":
        what = f"{steps} cannot be loaded: the manifest does not list {_blobs(group)}, so BuildKit drops the results."
        return what, _again(count), "Export again."
    if cause == "earlier-build":
        what = f"{plural(count, 'key')} of earlier builds {'is' if count == 1 else 'are'} carried along."
        return what, "That costs nothing, unless such a build comes back.", ""
    what = f"{steps} {'keeps' if count == 1 else 'keep'} no result: {_WHY[cause]}."
    return what, _COST.get(cause, _again(count)), _CURE[cause]


def _again(count: int) -> str:
    return (
        "It runs again whenever something after it changes."
        if count == 1
        else _RUNS_AGAIN.format(They="They run", them="them")
    )


def _blobs(group: Sequence[UncachedSteps]) -> str:
    """Name one blob whole, with its size; count several."""
    digests = sorted({finding.digest for finding in group if finding.digest})
    sizes = {finding.digest: finding.bytes for finding in group}
    if len(digests) == 1:
        size = sizes[digests[0]]
        return f"blob {digests[0]}" + (f" ({size_text(size)})" if size is not None else "")
    known = [size for size in sizes.values() if size is not None]
    return f"{len(digests):,} blobs" + (f" ({size_text(sum(known))})" if len(known) == len(digests) else "")


def _lost(group: Sequence[UncachedSteps], count: int, export: ExportSummary) -> tuple[str, str, str]:
    is_one = len({finding.digest for finding in group}) == 1
    gone = f"{capital(_blobs(group))} {'is' if is_one else 'are'} gone"
    it = "it" if is_one else "them"
    exporting = "every build that exports its cache as well fails, unless it says ignore-error=true."
    if count:
        what = f"{gone}, and {plural(count, 'step')} cannot be loaded without {it}."
        cost = f"{capital(lost_words(export.store_type, count))}; {exporting}"
    else:
        what, cost = f"{gone}; no step needs {it} to be loaded.", capital(exporting)
    culprit = DELETES.get(export.store_type, DELETES["local"])
    return what, cost, f"Build once without this cache and export it again; look at {culprit}."


def _damaged(group: Sequence[UncachedSteps], count: int) -> tuple[str, str, str]:
    fault = group[0].fault
    is_one = len({finding.digest for finding in group}) == 1
    why = _FAULTS.get(fault or "", "{blobs} a fault").format(blobs=f"{_blobs(group)} {'has' if is_one else 'have'}")
    breaks = group[0].store in ("registry", "s3", "azblob") and fault != "no-diff-id"
    cost = "A build that needs one of them fails." if breaks else "A build that needs one of them runs it."
    place = ", to a new place," if fault in _STAYS else ""
    cure = f"Export again{place} and look at what rewrites manifests or blobs there."
    return f"{plural(count, 'step')} cannot be loaded: {why}.", cost, cure
