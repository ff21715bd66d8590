"""Facts about records: what they do, what can be loaded, and what a build loses where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheRecord, Op
from cachegraph.core.results import State
from cachegraph.schema.fragile import missed
from cachegraph.schema.properties import Column, Node, Property, Relationship, keys, once
from cachegraph.schema.uncached import UncachedCause, uncached

__all__ = ["HAS_RECORD", "RECORD", "Lost", "LostAs", "MissingReason", "RootReason", "lost_roots", "root_reasons"]

MissingReason = Literal["blob-damaged", "blob-missing", "blob-not-listed", "not-exported"]
"""Why a record has no loadable result; of several reasons the one nearest to loading, which is the first here."""

RootReason = Literal["orphan", "dead", "lost"]
"""Why a root leads to no cached result."""

LostAs = Literal["source", "bottom", "operation", "unknown"]
"""What a lost root is, as far as the merges that it feeds tell.

source: it brought two layers or more, and an operation on scratch makes one at most. bottom: it is the first input of a
merge, so it is a base image, or an operation on scratch that others were put upon. operation: it brought one layer
further up, as an operation on scratch does. unknown: which layers it brought cannot be told.
"""

_KINDS: tuple[LostAs, ...] = ("source", "bottom", "operation", "unknown")
"""The one that counts first, where several merges tell."""


@once
def _missing_reasons(graph: ExportGraph) -> dict[int, MissingReason]:
    """Say of each missing record why it has no loadable result."""
    found: dict[int, MissingReason] = {}
    for record in graph.missing:
        states = {graph.state(result) for result in graph.results(record)}
        found[record] = (
            "blob-damaged"
            if State.BLOB_DAMAGED in states
            else "blob-missing"
            if State.BLOB_MISSING in states
            else "blob-not-listed"
            if State.BLOB_NOT_LISTED in states
            else "not-exported"
        )
    return found


@once
def _downstream(graph: ExportGraph) -> dict[int, int | None]:
    """Count the loadable records that depend on each missing record and each root."""
    return {**graph.downstream_loadable, **graph.links.count_above(graph.roots, graph.loadable)}


@once
def _legacy(graph: ExportGraph) -> dict[int, int]:
    """Count the loadable chains of each record that nothing but chains makes loadable."""
    is_chain = graph.columns.is_chain
    found = {}
    for record, loadable in enumerate(graph.loadable):
        if loadable:
            results = list(graph.loadable_results(record))
            if all(is_chain[result] for result in results):
                found[record] = len(results)
    return found


@once
def _merged(graph: ExportGraph) -> dict[int, int | None]:
    """Count the layers of each merge's result; None where none is loadable."""
    return {merge.record: None if merge.blobs is None else len(merge.blobs) for merge in graph.merge_layouts}


# --- Roots ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lost:
    """Where the layers of a lost root stand.

    Attributes
    ----------
    merge, slot : int
        Index of the merge record, and which of its slots.
    layers : list of int, or None
        Positions in the merged result; None where the other slots do not leave exactly one gap.
    kind : str
        What the root is, by all merges that it feeds.
    """

    merge: int
    slot: int
    layers: list[int] | None
    kind: LostAs


@once
def lost_roots(graph: ExportGraph) -> dict[int, Lost]:
    """Find the roots whose layers stand in a merged result and nowhere else, each in the merge that says most.

    Parameters
    ----------
    graph : ExportGraph

    Returns
    -------
    dict of int to Lost
        By record. A root that is known to be a source is fetched from where it came from, and so is not lost.
    """
    found: dict[int, Lost] = {}
    for merge in graph.merge_layouts if graph.export.results_known else ():
        for number, slot in enumerate(merge.slots):
            if any(graph.loadable[link] for link, _ in slot.alternatives):
                continue
            layers = None if slot.place is None else list(range(*slot.place))
            kind = _lost_as(number, layers)
            for root in dict.fromkeys(link for link, _ in slot.alternatives if graph.is_root(link)):
                if graph.is_source(root):
                    continue
                known = found.get(root)
                best = kind if known is None else min(kind, known.kind, key=_KINDS.index)
                if known is None or known.layers is None:
                    found[root] = Lost(merge.record, number, layers, best)
                else:
                    found[root] = replace(known, kind=best)
    return found


def _lost_as(slot: int, layers: list[int] | None) -> LostAs:
    if layers is not None and len(layers) > 1:
        return "source"
    if slot == 0:
        return "bottom"
    return "operation" if layers else "unknown"


@once
def root_reasons(graph: ExportGraph) -> dict[int, list[RootReason]]:
    """Say of each root why it leads to no cached result.

    Parameters
    ----------
    graph : ExportGraph

    Returns
    -------
    dict of int to list of str
        By record; empty lists for roots that can give something.
    """
    known, lost = graph.export.results_known, lost_roots(graph)
    found: dict[int, list[RootReason]] = {}
    for root in graph.roots:
        reasons = found[root] = []
        if not graph.links.dependents[root]:
            reasons.append("orphan")
        elif known and not graph.bridged[root]:
            reasons.append("dead")
        if root in lost:
            reasons.append("lost")
    return found


# --- The declaration --------------------------------------------------------------------------------------------------


def _each(value: Callable[[CacheRecord], Any]) -> Callable[[ExportGraph], Column]:
    return lambda graph: [value(record) for record in graph.export.config.records]


def _spread(
    found: Callable[[ExportGraph], dict[int, Any]], value: Callable[[Any], Any] = lambda one: one
) -> Callable[[ExportGraph], Column]:
    """Make a column of what is known of some records only."""

    def column(graph: ExportGraph) -> Column:
        made: list[Any] = [None] * len(graph)
        for record, one in found(graph).items():
            made[record] = value(one)
        return made

    return column


RECORD = Node(
    "Record",
    "A cache key of an export.",
    (
        Property("id", "string", "<export id>/r<index>.", keys("r", len)),
        Property(
            "index", "integer", "Index in the export's own records.", lambda g: range(len(g)), column="record_index"
        ),
        Property(
            "digest",
            "string",
            "Digest of the key; several records may share one.",
            _each(lambda r: r.digest),
            indexed=True,
        ),
        Property(
            "key_id",
            "string",
            "Identity across exports: over digest and, for each slot, the set of (selector, key_id).",
            lambda g: g.key_ids,
            indexed=True,
        ),
        Property(
            "op",
            "string",
            "merge, diff, exec, file, source, content or unknown.",
            lambda g: [name.op for name in g.namings],
            words=get_args(Op),
        ),
        Property(
            "name",
            "string",
            "What it does, in plain text; null where unknown.",
            lambda g: [name.name or None for name in g.namings],
            column="record_name",
        ),
        Property("is_root", "boolean", "Whether it has no inputs.", _each(lambda r: not r.inputs)),
        Property(
            "is_merge",
            "boolean",
            "Whether it is a merge: its digest and the number of its slots say so.",
            lambda g: [index in merges for merges in [set(g.merges)] for index in range(len(g))],
        ),
        Property(
            "loadable", "boolean", "Whether it has a loadable result.", lambda g: [bool(one) for one in g.loadable]
        ),
        Property(
            "bridged",
            "boolean",
            "Whether a loadable record depends on it, directly or not.",
            lambda g: [bool(one) for one in g.bridged],
        ),
        Property(
            "missing_reason",
            "string",
            "Why a record that is not a root has no loadable result: blob-damaged, blob-missing, blob-not-listed or "
            "not-exported.",
            _spread(_missing_reasons),
            indexed=True,
            words=get_args(MissingReason),
        ),
        Property(
            "uncached_cause",
            "string",
            "Why, as a cause that it shares with others: lost-blob, damaged-blob, unlisted-blob, inline-link, inline, "
            "final-image, earlier-build or unknown.",
            _spread(uncached, lambda found: found.cause),
            indexed=True,
            words=get_args(UncachedCause),
        ),
        Property(
            "lacking_blob",
            "string",
            "Digest of the blob that its result lacks or cannot load, the lowest one; null where none is the cause.",
            _spread(uncached, lambda found: found.blob),
        ),
        Property(
            "downstream_loadable",
            "integer",
            "How many loadable records depend on a root or one with a missing_reason; else null, or behind a loop.",
            _spread(_downstream),
        ),
        Property(
            "root_reasons",
            "strings",
            "Why a root leads to no cached result: orphan, dead, lost; empty if it leads to one, null for records with "
            "inputs.",
            _spread(root_reasons),
            indexed=True,
        ),
        Property(
            "lost_merge",
            "integer",
            "Of a lost root: index of the merge record that holds its layers.",
            _spread(lost_roots, lambda lost: lost.merge),
        ),
        Property(
            "lost_slot",
            "integer",
            "Of a lost root: the slot of that merge.",
            _spread(lost_roots, lambda lost: lost.slot),
        ),
        Property(
            "lost_layers",
            "integers",
            "Of a lost root: positions in the merged result; null if unknown.",
            _spread(lost_roots, lambda lost: lost.layers),
        ),
        Property(
            "lost_as",
            "string",
            "Of a lost root: what it is, as far as its merges tell: source (it brought two layers or more), bottom "
            "(the first input of a merge), operation (one layer further up) or unknown.",
            _spread(lost_roots, lambda lost: lost.kind),
            words=get_args(LostAs),
        ),
        Property(
            "merged_layers",
            "integer",
            "Of a merge: layers of its result; null if none is loadable.",
            _spread(_merged),
        ),
        Property(
            "legacy_chains",
            "integer",
            "Loadable chains of a record that nothing else makes loadable: builders before BuildKit 0.10 miss it.",
            _spread(_legacy),
            indexed=True,
        ),
        Property(
            "fragile_slots",
            "integers",
            "Slots all of whose links builders of BuildKit 0.25 to 0.32 can lose, at random; null if there is none, or "
            "that is not known.",
            _spread(missed, lambda found: list(found.slots)),
            indexed=True,
        ),
        Property(
            "fragile_cost",
            "integer",
            "Steps that match no longer when such a builder misses the record, itself among them.",
            _spread(missed, lambda found: found.count),
        ),
        Property(
            "fragile_steps",
            "integers",
            "Indexes of the first of them, at most 20.",
            _spread(missed, lambda found: list(found.steps)),
        ),
        Property(
            "folds_into",
            "integer",
            "Index of the record that BuildKit makes this one part of, else null.",
            _spread(lambda g: g.folded, lambda folded: folded[0]),
            indexed=True,
        ),
        Property(
            "dropped_results",
            "integer",
            "Results that this folding loses; null where nothing is folded.",
            _spread(lambda g: g.folded, lambda folded: folded[1]),
        ),
    ),
)

HAS_RECORD = Relationship(
    "HAS_RECORD", "Export", "Record", "The export holds the record.", lambda graph: ((0, len(graph)), range(len(graph)))
)
