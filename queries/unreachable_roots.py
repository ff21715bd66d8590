"""Roots that lead to no cached result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.copies import Copies, without_copies, without_empty
from cachegraph.queries.severity import OneOf, Severities
from cachegraph.schema.records import RootReason, lost_roots, root_reasons
from cachegraph.text.words import capital, plural

__all__ = ["QUERY", "UnreachableRoot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachableRoot(Finding):
    """A root that leads to no cached result.

    Attributes
    ----------
    reason : {"orphan", "dead", "lost"}
        orphan (no record takes it), dead (nothing above it is loadable) or lost (its layers stand only in a merge).
    merge : int or None
        For ``lost``: the merge record that holds its layers.
    slot : int or None
        For ``lost``: the slot of that merge.
    layers : tuple of int, or None
        For ``lost``: positions in the merged result; None where the other slots do not leave exactly one gap.
    records : tuple of int
        All of them, where the finding is about more than 16 roots with one digest; left out of JSON elsewhere.
    """

    reason: RootReason
    merge: int | None = None
    slot: int | None = None
    layers: tuple[int, ...] | None = None
    records: Copies = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the finding as its JSON object."""
        return without_empty(Finding.to_dict(self))


def ask(graph: ExportGraph) -> Iterator[UnreachableRoot]:
    """Find the roots that lead to no cached result.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    UnreachableRoot
        By record index; one for each root and reason, but of more than 16 roots with one digest one for all.
    """
    refused = graph.import_error is not None
    lost = lost_roots(graph)
    for record, (digest, reason, apart), records in without_copies(_rows(graph)):
        place = lost[record] if apart >= 0 else None
        yield UnreachableRoot(
            query=QUERY.name,
            severity=_SEVERITIES.of(reason=reason, lost_as=place.kind if place and not refused else None),
            export=graph.id,
            record=record,
            digest=digest,
            reason=reason,
            merge=place.merge if place else None,
            slot=place.slot if place else None,
            layers=tuple(place.layers) if place and place.layers is not None else None,
            records=records,
        )


def _rows(graph: ExportGraph) -> Iterator[tuple[int, tuple[str, RootReason, int]]]:
    """Give each root and reason, with what makes it one of many copies; of a lost root that is itself."""
    records = graph.export.config.records
    for root, reasons in root_reasons(graph).items():
        for reason in reasons:
            yield root, (records[root].digest, reason, root if reason == "lost" else -1)


_SEVERITIES = Severities(("warning", OneOf("reason", "lost"), OneOf("lost_as", "operation")), otherwise="note")


def _sentence(finding: UnreachableRoot, title: Title) -> str:
    root = title(finding.record or 0)
    if finding.records:
        root = f"{root}, or any of the {plural(len(finding.records) - 1, 'record')} with its digest,"
    match finding.reason:
        case "orphan":
            uses = f"no record uses {root}".rstrip(",")
            return f"{uses}. A source is often there under two keys, and builds use one of them; this costs nothing."
        case "dead":
            return (
                f"{root} leads to no cached result: every step that depends on it runs in every build. uncached-steps "
                "says why."
            )
    return f"{root} has no inputs, so the export left its result out. {_lost_words(finding, title(finding.merge or 0))}"


def _lost_words(finding: UnreachableRoot, merge: str) -> str:
    layers = finding.layers
    if layers is None:
        where = f"which layers it brought to {merge} in slot {finding.slot} is unknown, and they cannot be loaded alone"
    elif not layers:
        where = f"it brought no layer to {merge} in slot {finding.slot}"
    elif len(layers) == 1:
        where = f"it brought layer {layers[0]} of {merge} in slot {finding.slot}, which cannot be loaded alone"
    else:
        span = f"layers {layers[0]} to {layers[-1]}"
        where = f"it brought {span} of {merge} in slot {finding.slot}, which cannot be loaded alone"
    return f"{capital(where)}. {_lost_cost(finding)}"


def _lost_cost(finding: UnreachableRoot) -> str:
    runs = "It runs again as soon as another input of the merge changes"
    if finding.severity == "warning":
        return f"{runs}. Give it an input: copy from a base image instead of starting on scratch."
    if finding.layers is not None and len(finding.layers) > 1:
        return (
            f"With {plural(len(finding.layers), 'layer')} it is a source, such as a base image: it is fetched from "
            "where it came from, and nothing is lost."
        )
    if finding.slot == 0:
        return (
            "As the first input of a merge it is nearly always a base image, and then nothing is lost; an operation on "
            "scratch would run again. --names can tell."
        )
    return "Whether it is a source or an operation on scratch, which would run again, cannot be told: --names can tell."


QUERY = Query(
    name="unreachable-roots",
    title="Which roots lead to no cached result?",
    meaning=(
        "A root is a record without inputs: a source, or an operation on scratch. Exports leave its result out, since "
        "sources are fetched from where they came from. No build can use a root that no record takes (orphan), or one "
        "with no cached result after it (dead). An operation on scratch whose layers are only in a merged result is "
        "lost: it runs again as soon as another input of that merge changes. Two layers or more are a source's, which "
        "costs nothing, and the first input of a merge is nearly always a base image."
    ),
    severity="warning for a lost operation on scratch (one layer, not the first input of its merge), else note",
    finding=UnreachableRoot,
    heading="Roots that lead to no cached result",
    severities=_SEVERITIES,
    order=("record", "number"),
    ask=ask,
    sentence=_sentence,
    example=(
        "Merge([base image, Scratch().File(mkdir, mkfile), another step]): the operation on scratch has no inputs, so "
        "its result is not exported.\nIts layer is there, but only as a part of the merge. If the other step "
        "changes, the merge is made again, and the operation on scratch runs again."
    ),
    cure=(
        "lost: give the operation an input, such as a COPY from a base image. If it is a base image (--names can "
        "tell), nothing is lost.\ndead: what uncached-steps says.\norphan: nothing to do."
    ),
)
