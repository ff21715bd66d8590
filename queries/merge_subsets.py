"""Which layers of a merged result each input brought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title, plural
from cachegraph.queries.severity import OneOf, Severities
from cachegraph.schema.facts import ends, whole
from cachegraph.schema.inputs import MergeRelation

__all__ = ["QUERY", "MergeSubset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSubset(Finding):
    """One alternative of one slot of a merge.

    Attributes
    ----------
    slot : int
        Which of the merge's inputs.
    alternative : int
        Which alternative of the slot.
    input : int
        Index of the alternative's record.
    relation : str or None
        ``prefix`` (its layers are the first of the merged result), ``subset`` (a contiguous run further up),
        ``scattered`` (in order, not contiguous), ``absent`` (not in it), ``no-result`` (nothing to compare). None
        when the merge itself has no loadable result.
    start : int or None
        First position of its layers in the merged result.
    stop : int or None
        Position behind the last.
    inferred : bool
        Whether they are what the neighbouring slots leave.
    merged_layers : int or None
        Number of layers of the merged result.
    """

    slot: int
    alternative: int
    input: int
    relation: MergeRelation | None
    start: int | None
    stop: int | None
    inferred: bool
    merged_layers: int | None


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
    records, inputs = whole(graph, "Record"), whole(graph, "INPUT")
    digests, merged, (bounds, links) = records["digest"], records["merged_layers"], ends(graph, "INPUT")
    slots, alternatives, relations = inputs["slot"], inputs["alternative"], inputs["relation"]
    starts, stops, inferred = inputs["start"], inputs["stop"], inputs["inferred"]
    for record in graph.merges:
        for row in range(bounds[record], bounds[record + 1]):
            yield MergeSubset(
                query=QUERY.name,
                severity=_SEVERITIES.of(relation=relations[row]),
                export=graph.id,
                record=record,
                digest=digests[record],
                slot=slots[row],
                alternative=alternatives[row],
                input=links[row],
                relation=relations[row],
                start=starts[row],
                stop=stops[row],
                inferred=inferred[row],
                merged_layers=merged[record],
            )


_SEVERITIES = Severities(("warning", OneOf("relation", "scattered", "absent")), otherwise="note")


def _sentence(finding: MergeSubset, title: Title) -> str:
    start = f"{title(finding.record or 0)}, slot {finding.slot}: {title(finding.input)}"
    return f"{start} {_words(finding, finding.start or 0, finding.stop or 0)}."


def _words(finding: MergeSubset, start: int, stop: int) -> str:
    count, whole = plural(stop - start, "layer"), finding.merged_layers
    match finding.relation:
        case None:
            return "cannot be compared, because the merge has no loadable result that could be"
        case "prefix":
            return f"is the first {count} of {whole}"
        case "subset":
            return f"is {count} of {whole}, from {start} on"
        case "scattered":
            return f"is scattered over layers {start} to {stop - 1} of {whole}: it can be loaded, not cut out"
        case "absent":
            return f"is not among the {whole} layers: the merge and this input come from different builds"
    if finding.start is None:
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
    heading="Inputs of merges",
    severities=_SEVERITIES,
    order=("record", "slot", "alternative"),
    ask=ask,
    sentence=_sentence,
)
