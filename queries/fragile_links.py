"""Steps that builders from BuildKit 0.25 to 0.32 miss at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole
from cachegraph.text.words import plural

__all__ = ["QUERY", "FragileLink"]

_NAMED = 3
"""Steps that the sentence names; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FragileLink(Finding):
    """A record that such a builder can miss.

    Attributes
    ----------
    slots : tuple of int
        Slots all of whose links can be lost.
    steps : tuple of int
        Indexes of the steps that it then cannot find, the record among them.
    """

    slots: tuple[int, ...]
    steps: tuple[int, ...]


def ask(graph: ExportGraph) -> Iterator[FragileLink]:
    """Find the records that such a builder can miss.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    FragileLink
        By record index.
    """
    columns = ("missable_slots", "missed_steps", "index", "digest")
    for slots, steps, record, digest in whole(graph, "Record").each(*columns):
        if slots is not None:
            yield FragileLink(
                query=QUERY.name,
                severity=_SEVERITIES.of(),
                export=graph.id,
                record=record,
                digest=digest,
                slots=tuple(slots),
                steps=tuple(steps),
            )


_SEVERITIES = Severities(otherwise="note")


def _sentence(finding: FragileLink, title: Title) -> str:
    above = [step for step in finding.steps if step != finding.record]
    names = ", ".join(map(title, above[:_NAMED])) + (
        f" and {len(above) - _NAMED:,} more" if len(above) > _NAMED else ""
    )
    behind = f", and with it {plural(len(above), 'step')} after it ({names})" if above else ""
    return (
        f"builders from BuildKit 0.25.0 to 0.32 can lose the way to {title(finding.record or 0)} when they import "
        f"this export{behind}: it then runs although nothing changed, in some builds and not in others. Update the "
        "builder to 0.33 or newer, or export each target or platform to a place of its own."
    )


QUERY = Query(
    name="fragile-links",
    title="Which steps do builders from BuildKit 0.25 to 0.32 miss at random?",
    meaning=(
        "The importer of BuildKit 0.25.0 to 0.32 drops links between records, at random, where an export has several "
        "targets or platforms on one base. A record all of whose links in a slot are dropped is not found, nor are the "
        "steps after it. Other versions lose nothing."
    ),
    severity="note",
    finding=FragileLink,
    heading="Records that BuildKit 0.25 to 0.32 can miss",
    severities=_SEVERITIES,
    ask=ask,
    sentence=_sentence,
    example=(
        "Two targets on one base, one of which uses the base in two places. If the other target is read first, the "
        "second link to the base is dropped, and that step runs."
    ),
    cure="Update the builder to BuildKit 0.33 or newer. Or export each target or platform to a place of its own.",
)
