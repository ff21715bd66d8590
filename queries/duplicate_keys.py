"""Records that BuildKit folds into one key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.copies import Copies, without_copies, without_empty
from cachegraph.queries.severity import MoreThan, Severities
from cachegraph.text.words import plural

__all__ = ["QUERY", "DuplicateKey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateKey(Finding):
    """A record that BuildKit folds into an earlier one.

    Attributes
    ----------
    key : int
        Index of the record that it becomes one with.
    dropped_results : int
        Loadable results that BuildKit takes for repetitions (same time, same number of layers) and drops, though their
        blobs differ.
    records : tuple of int
        All of them, where more than 16 records become one with that one; left out of JSON elsewhere.
    """

    key: int
    dropped_results: int
    records: Copies = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the finding as its JSON object."""
        return without_empty(Finding.to_dict(self))


def ask(graph: ExportGraph) -> Iterator[DuplicateKey]:
    """Find the records that BuildKit folds into an earlier one.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    DuplicateKey
        By record index; none for an export that BuildKit refuses. Of more than 16 that become one there is one for all.
    """
    folded = graph.folded
    for record, key, records in without_copies((record, into) for record, (into, _) in folded.items()):
        dropped = sum(folded[one][1] for one in records or (record,))
        yield DuplicateKey(
            query=QUERY.name,
            severity=_SEVERITIES.of(dropped_results=dropped),
            export=graph.id,
            record=record,
            digest=graph.export.config.records[record].digest,
            key=key,
            dropped_results=dropped,
            records=records,
        )


_SEVERITIES = Severities(("warning", MoreThan("dropped_results", 0)), otherwise="note")


def _sentence(finding: DuplicateKey, title: Title) -> str:
    others = f" and {plural(len(finding.records) - 1, 'other record')}" if finding.records else ""
    start = (
        f"BuildKit folds {title(finding.record or 0)}{others} into {title(finding.key)}: same digest, matching inputs"
    )
    if not finding.dropped_results:
        return f"{start}. Both keep the results of both, which costs nothing."
    lost = plural(finding.dropped_results, "result")
    verb = "is" if finding.dropped_results == 1 else "are"
    return (
        f"{start}. {lost} with the same time and number of layers as another {verb} dropped and cannot be loaded. "
        "Export again, to a new place."
    )


QUERY = Query(
    name="duplicate-keys",
    title="Which records does BuildKit fold into one key?",
    meaning=(
        "Records with the same digest whose inputs match in every slot become one key with the results of all. Of two "
        "results with the same time and number of layers BuildKit keeps the first, whatever their blobs: chains of an "
        "inline cache carry no time, so one of them can get lost there."
    ),
    severity="warning where a result gets lost, else note",
    finding=DuplicateKey,
    heading="Records that are one key",
    severities=_SEVERITIES,
    ask=ask,
    sentence=_sentence,
    example=(
        "Records 2 and 3 have the same digest and the same inputs, and one chain of one layer each, with other blobs.\n"
        "BuildKit makes one key of them and keeps the chain of record 2."
    ),
    cure="Where a result gets lost: export again, to a new place. Otherwise nothing.",
)
