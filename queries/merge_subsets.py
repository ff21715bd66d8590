"""Which layers of a merged result each input brought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole
from cachegraph.schema.inputs import MergeRelation, compared_inputs
from cachegraph.text.words import plural

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
    records = whole(graph, "Record")
    digests, merged_layers = records["digest"], records["merged_layers"]
    severity = _SEVERITIES.of()
    for found in compared_inputs(graph):
        yield MergeSubset(
            query=QUERY.name,
            severity=severity,
            export=graph.id,
            record=found.merge,
            digest=digests[found.merge],
            slot=found.slot,
            alternative=found.alternative,
            input=found.input,
            relation=found.relation,
            start=found.start,
            stop=found.stop,
            inferred=found.inferred,
            merged_layers=merged_layers[found.merge],
        )


_SEVERITIES = Severities(otherwise="note")


def _sentence(finding: MergeSubset, title: Title) -> str:
    start = f"{title(finding.record or 0)}, slot {finding.slot}: {title(finding.input)}"
    return f"{start} {_words(finding, finding.start or 0, finding.stop or 0)}."


def _words(finding: MergeSubset, start: int, stop: int) -> str:
    whole = plural(finding.merged_layers or 0, "layer")
    share = f"{stop - start:,} of {whole}, {_positions(start, stop)}" if stop > start else f"none of {whole}"
    match finding.relation:
        case None:
            return "cannot be compared, because the merge has no cached result that could be"
        case "prefix" | "subset":
            return f"brought {share}"
        case "scattered":
            return f"brought layers at {_positions(start, stop)} of {whole}, with others between them"
        case "absent":
            return f"is not among the {whole} of the merge: the two come from different builds"
    if finding.start is None:
        return "has no cached result, and which layers it brought is unknown"
    return f"has no cached result; the other slots leave it {share if stop > start else 'no layer'}"


def _positions(start: int, stop: int) -> str:
    return f"position {start}" if stop - start == 1 else f"positions {start} to {stop - 1}"


QUERY = Query(
    name="merge-subsets",
    title="Which layers of a merged result did each input bring?",
    meaning=(
        "A merge stacks the layers of its inputs; positions count from 0 at the bottom. An input whose layers are a "
        "prefix or a run of the merged ones can be loaded alone from the same blobs. What an input without a result "
        "brought is inferred where its neighbours leave exactly one gap. An absent input means that the merge and the "
        "input were exported by different builds."
    ),
    severity="note: it describes the merge, and costs nothing",
    finding=MergeSubset,
    heading="Inputs of merges",
    severities=_SEVERITIES,
    order=("record", "slot", "alternative"),
    ask=ask,
    sentence=_sentence,
    example=(
        "A stage with two COPY --link on a base image of 2 layers: slot 0, the base image, brought positions 0 to 1; "
        "slot 1 position 2; slot 2 position 3."
    ),
    cure="Nothing to do. scattered, absent: to have all inputs from one build, export again to a new place.",
)
