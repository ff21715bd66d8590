"""Records that BuildKit 0.25 to 0.32 can miss, because their importer loses links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.core.versions import LOSES_LINKS
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import OneOf, Severities
from cachegraph.schema.facts import whole
from cachegraph.text.words import plural, some_of

__all__ = ["QUERY", "FragileLink"]

_NAMED = 3
"""Steps that the sentence names; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FragileLink(Finding):
    """A record that such a builder can miss, or an export of which that cannot be told.

    Attributes
    ----------
    reason : {"missable", "cannot-tell"}
        missable: all links of a slot can be lost, in an import that meets them in an unlucky order. cannot-tell: the
        export has so many records and targets that finding out takes too long.
    slots : tuple of int
        Slots of the record all of whose links can be lost.
    cost : int or None
        Number of steps that match no longer then, itself among them.
    steps : tuple of int
        The first of them, at most 20: indexes of their records.
    """

    reason: Literal["missable", "cannot-tell"]
    slots: tuple[int, ...] = ()
    cost: int | None = None
    steps: tuple[int, ...] = ()


def ask(graph: ExportGraph) -> Iterator[FragileLink]:
    """Find the records that can be missed.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    FragileLink
        By record index; one without a record where it cannot be told.
    """
    (known,) = whole(graph, "Export")["fragile_known"]
    if not known:
        yield FragileLink(
            query=QUERY.name,
            severity=_SEVERITIES.of(reason="cannot-tell"),
            export=graph.id,
            reason="cannot-tell",
        )
        return
    columns = ("fragile_slots", "fragile_cost", "fragile_steps", "index", "digest")
    for slots, cost, steps, record, digest in whole(graph, "Record").each(*columns):
        if slots is not None:
            yield FragileLink(
                query=QUERY.name,
                severity=_SEVERITIES.of(reason="missable"),
                export=graph.id,
                record=record,
                digest=digest,
                reason="missable",
                slots=tuple(slots),
                cost=cost,
                steps=tuple(steps),
            )


_SEVERITIES = Severities(("note", OneOf("reason", "cannot-tell")), otherwise="warning")


def _sentence(finding: FragileLink, title: Title) -> str:
    if finding.record is None:
        return (
            f"whether BuildKit {LOSES_LINKS} can miss steps of this export cannot be told: it has so many records and "
            "targets that finding out takes too long. Newer builders miss none."
        )
    slots = f"slot {finding.slots[0]}" if len(finding.slots) == 1 else f"slots {', '.join(map(str, finding.slots))}"
    others = [step for step in finding.steps if step != finding.record]
    named = some_of(map(title, others[:_NAMED]), (finding.cost or 1) - 1)
    runs = f"it runs, and so do {plural((finding.cost or 1) - 1, 'step')} after it: {named}" if others else "it runs"
    return (
        f"BuildKit {LOSES_LINKS} can miss {title(finding.record)}, at random from import to import: its importer may "
        f"drop every link of {slots}. Then {runs}, though nothing changed. Update the builders to 0.33 or newer, or "
        "export a cache for each target."
    )


QUERY = Query(
    name="fragile-links",
    title="Which steps can BuildKit 0.25 to 0.32 miss at random?",
    meaning=(
        "The importer of BuildKit 0.25.0 to 0.32.2 walks from each target (a record that no record takes) down to its "
        "inputs, in random order. What an earlier walk has stored it gives to a later one once; every other link to it "
        "is dropped. An export of one target loses nothing; of several, a record can be missed when all links of one "
        "of its slots can be lost. Asked only for such a builder (--buildkit 0.31)."
    ),
    severity="warning, note where it cannot be told",
    finding=FragileLink,
    heading="Records that builders can miss at random",
    severities=_SEVERITIES,
    ask=ask,
    sentence=_sentence,
    builders=LOSES_LINKS,
    example=(
        "Two images of one bake file on one base, exported together: in some builds RUN make of one of them runs, "
        "though nothing changed, and in the next build it is cached again."
    ),
    cure=(
        "Update the builders to 0.33 or newer: the export itself is sound. Until then export each target to a cache of "
        "its own, so that an import has one target only."
    ),
)
