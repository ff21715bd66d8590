"""Which layers of a merged result each input brought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.core.merges import Merge
from cachegraph.core.spans import Span
from cachegraph.queries.base import Finding, Query, Severity, plural

__all__ = ["QUERY", "MergeSubset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSubset(Finding):
    """One alternative of one slot of a merge.

    Attributes
    ----------
    slot, alternative : int
        Positions in the record's ``inputs``.
    input : int
        Index of the alternative's record.
    relation : str or None
        ``prefix`` (its layers are the first of the merged result), ``subset`` (a contiguous run further up),
        ``scattered`` (in order, not contiguous), ``absent`` (not in it), ``no-result`` (nothing to compare). None
        when the merge itself has no loadable result.
    start, stop : int or None
        Half-open positions in the merged result's layers.
    inferred : bool
        Whether they are what the neighbouring slots leave.
    """

    slot: int
    alternative: int
    input: int
    relation: str | None
    start: int | None
    stop: int | None
    inferred: bool


def ask(graph: ExportGraph) -> Iterator[MergeSubset]:
    """Compare every input of every merge with the merged result.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    MergeSubset
        By record index, slot and alternative.
    """
    for merge in graph.merge_layouts:
        for number, slot in enumerate(merge.slots):
            for alternative, (link, span) in enumerate(slot.alternatives):
                yield _row(graph, merge, number, alternative, link, span)


def _row(graph: ExportGraph, merge: Merge, number: int, alternative: int, link: int, span: Span | None) -> MergeSubset:
    whole = None if merge.blobs is None else len(merge.blobs)
    start = stop = None
    inferred = False
    relation: str | None = None
    if whole is not None:
        relation = span.relation if span else "no-result"
        if span is None:
            gap = merge.gap(number)
            start, stop, inferred = (*gap, True) if gap else (None, None, False)
        elif span.relation != "absent":
            start, stop = span.start, span.stop
    sentence = _words(relation, start, stop, whole)
    return MergeSubset(
        query=QUERY.name,
        severity=_severity(relation),
        export=graph.id,
        record=merge.record,
        digest=graph.export.config.records[merge.record].digest,
        message=f"{graph.title(merge.record)}, slot {number}: {graph.title(link)} {sentence}.",
        slot=number,
        alternative=alternative,
        input=link,
        relation=relation,
        start=start,
        stop=stop,
        inferred=inferred,
    )


def _severity(relation: str | None) -> Severity:
    return "warning" if relation in ("scattered", "absent") else "note"


def _words(relation: str | None, start: int | None, stop: int | None, whole: int | None) -> str:
    count = plural((stop or 0) - (start or 0), "layer")
    match relation:
        case None:
            return "cannot be compared, because the merge has no loadable result"
        case "prefix":
            return f"is the first {count} of {whole}"
        case "subset":
            return f"is {count} of {whole}, from {start} on"
        case "scattered":
            return f"is scattered over layers {start} to {(stop or 1) - 1} of {whole}: it can be loaded, not cut out"
        case "absent":
            return f"is not among the {whole} layers: the merge and this input come from different builds"
    if start is None:
        return "has no loadable result, and which layers it brought is unknown"
    return f"has no loadable result; the other slots leave {count} of {whole} for it, from {start} on"


QUERY = Query(
    name="merge-subsets",
    title="Which layers of a merged result did each input bring?",
    meaning=(
        "A merge stacks the layers of its inputs. An input that is a prefix or a contiguous subset can be loaded on "
        "its own from the same blobs; what an input without a result brought is inferred where its neighbours leave "
        "exactly one gap. An absent input means that merge and input were exported by different builds."
    ),
    severity="warning for scattered and absent, else note",
    finding=MergeSubset,
    ask=ask,
)
