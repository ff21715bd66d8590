"""What a drawing shows: records of an export, by their places in the drawing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cachegraph.core.graph import ExportGraph
from cachegraph.core.times import known, rfc3339
from cachegraph.schema.facts import whole
from cachegraph.schema.focus import shown
from cachegraph.solver.diff import Diff
from cachegraph.solver.match import match
from cachegraph.text.clean import one_line
from cachegraph.views.drawing.made import made_by
from cachegraph.views.states import LOOKS, states
from cachegraph.views.words import caption, shortened

__all__ = ["HIDDEN", "MISSING", "Node", "nodes_of", "with_lost"]

MISSING = -1
"""In a slot: the export names a record that it does not have."""
HIDDEN = -2
"""In a slot: a record that is out of focus."""
_NAME = 400
_LABEL = 26
_STATES = list(LOOKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A record that is drawn.

    Attributes
    ----------
    index : int
        In the records of its own export.
    digest, op : str
    name : str
        What it does, on one line: its plaintext, else what the image's history says of its layer; empty where both are
        unknown.
    label : str
        What stands on its mark.
    state : int
        Position in `cachegraph.views.states.LOOKS`.
    slots : tuple of tuple of int
        Of each slot the alternatives: places in the drawing, `MISSING`, or `HIDDEN`.
    results : tuple of (bytes, time, reason)
        Bytes of each result, when it was made (RFC 3339), and why it cannot be loaded; each may be None.
    places : tuple of (str, int)
        File and line that ask for it, where a Dockerfile names it.
    is_lost : bool
        Whether only the older of two exports has it.
    """

    index: int
    digest: str
    op: str
    name: str
    label: str
    state: int
    slots: tuple[tuple[int, ...], ...]
    results: tuple[tuple[int | None, str | None, str | None], ...]
    places: tuple[tuple[str, int], ...] = ()
    is_lost: bool = False

    @property
    def kind(self) -> tuple[bool, int]:
        """Whether only the older export has it, and its state: what a summary counts apart."""
        return self.is_lost, self.state

    @property
    def links(self) -> tuple[int, ...]:
        """What it takes, each once, as far as it is drawn."""
        return tuple(dict.fromkeys(link for slot in self.slots for link in slot if link >= 0))


def nodes_of(graph: ExportGraph) -> list[Node]:
    """Give the records of an export that are to be shown, by index.

    Parameters
    ----------
    graph : ExportGraph
    """
    records = sorted(shown(graph))
    place = {record: position for position, record in enumerate(records)}
    facts, said = whole(graph, "Result"), made_by(graph)
    sizes, reasons, times = facts["bytes"], facts["reason"], graph.result_times
    of = states(graph)

    def put(link: int) -> int:
        return place.get(link, HIDDEN if 0 <= link < len(graph) else MISSING)

    found = []
    for record in records:
        entry, naming = graph.export.config.records[record], graph.naming(record)
        results = []
        for result in graph.results(record):
            made = known(times[result])
            results.append((sizes[result], None if made is None else rfc3339(made), reasons[result]))
        found.append(
            Node(
                index=record,
                digest=one_line(entry.digest[:200]),
                op=naming.op,
                name=one_line(naming.name[:_NAME]) or said.get(record, ""),
                label=one_line(
                    caption(graph, record, _LABEL) if record not in said else shortened(said[record], _LABEL)
                ),
                state=_STATES.index(of[record]),
                slots=tuple(tuple(put(alternative.link) for alternative in slot) for slot in entry.inputs),
                results=tuple(results),
                places=tuple((one_line(file), line) for file, line in naming.places),
            )
        )
    return found


def with_lost(nodes: list[Node], old: ExportGraph, new: ExportGraph, diff: Diff) -> list[Node]:
    """Add the records that only the older export has, beside those of the newer one that they took.

    Parameters
    ----------
    nodes : list of Node
        Of the newer export, all of it.
    old, new : ExportGraph
    diff : Diff
        Of the two.
    """
    lost = [change.old for change in diff if change.change == "key lost" and change.old is not None]
    if not lost:
        return nodes
    before, same = nodes_of(old), match(old, new)
    place = {record: len(nodes) + number for number, record in enumerate(lost)}

    def put(link: int) -> int:
        if link < 0 or link in place:
            return place.get(link, link)
        return next(iter(same.records(link)), HIDDEN)

    ghosts = [
        replace(
            before[record],
            slots=tuple(tuple(dict.fromkeys(put(link) for link in slot)) for slot in before[record].slots),
            is_lost=True,
        )
        for record in lost
    ]
    return [*nodes, *ghosts]
