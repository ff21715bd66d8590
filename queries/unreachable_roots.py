"""Roots that lead to no cached result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import OneOf, Severities
from cachegraph.schema.facts import whole
from cachegraph.schema.records import RootReason
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
    """

    reason: RootReason
    merge: int | None = None
    slot: int | None = None
    layers: tuple[int, ...] | None = None


def ask(graph: ExportGraph) -> Iterator[UnreachableRoot]:
    """Find the roots that lead to no cached result.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    UnreachableRoot
        By record index; one for each root and reason.
    """
    columns = ("root_reasons", "index", "digest", "op", "lost_merge", "lost_slot", "lost_layers")
    for reasons, record, digest, op, merge, slot, layers in whole(graph, "Record").each(*columns):
        for reason in reasons or ():
            lost = reason == "lost"
            yield UnreachableRoot(
                query=QUERY.name,
                severity=_SEVERITIES.of(reason=reason, op=op),
                export=graph.id,
                record=record,
                digest=digest,
                reason=reason,
                merge=merge if lost else None,
                slot=slot if lost else None,
                layers=tuple(layers) if lost and layers is not None else None,
            )


_SEVERITIES = Severities(("note", OneOf("reason", "orphan"), OneOf("op", "source")), otherwise="warning")


def _sentence(finding: UnreachableRoot, title: Title) -> str:
    root = title(finding.record or 0)
    match finding.reason:
        case "orphan" if finding.severity == "note":
            return (
                f"no record uses {root}. A source is often there under two keys, and builds use one of them; this "
                "costs nothing."
            )
        case "orphan":
            return f"no record uses {root}. No build can load anything through it; it only takes room in the config."
        case "dead":
            return (
                f"{root} leads to no cached result: every step that depends on it runs in every build. Export with "
                "mode=max to keep them."
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
    remedy = (
        "Give it an input: copy from a base image instead of starting on scratch."
        if layers is None or len(layers) <= 1
        else f"With {plural(len(layers), 'layer')} it is probably a base image, which costs nothing: --names can tell."
    )
    return f"{capital(where)}. It runs again as soon as another input of the merge changes. {remedy}"


QUERY = Query(
    name="unreachable-roots",
    title="Which roots lead to no cached result?",
    meaning=(
        "A root is a record without inputs: a source, or an operation on scratch. Exports leave its result out, since "
        "sources are fetched from where they came from. No build can use a root that no record takes (orphan), or one "
        "with no cached result after it (dead). An operation on scratch whose layers are only in a merged result is "
        "lost: it runs again as soon as another input of that merge changes."
    ),
    severity="note for an orphan that is a known source, else warning",
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
        "tell), nothing is lost.\ndead: export with mode=max.\norphan: nothing to do."
    ),
)
