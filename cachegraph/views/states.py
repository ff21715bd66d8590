"""What a record is worth, as a colour and a shape that every drawing uses.

The colours are those of Okabe and Ito (Color Universal Design, 2008), which colour-blind readers tell apart; each state
has a shape of its own as well, for prints without colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.schema.records import lost_roots

__all__ = ["LOOKS", "Look", "State", "states"]

State = Literal["loadable", "merge", "key only", "root", "lost root"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a state is drawn.

    Attributes
    ----------
    colour : str
    marker : str
        matplotlib's letter of the shape.
    shape : str
        Its name in `cachegraph.views.drawing.looks`.
    meaning : str
        For the legend.
    """

    colour: str
    marker: str
    shape: str
    meaning: str


LOOKS: dict[State, Look] = {
    "loadable": Look(colour="#009E73", marker="o", shape="circle", meaning="loadable: its result is in the cache"),
    "merge": Look(colour="#0072B2", marker="D", shape="diamond", meaning="merge, loadable"),
    "key only": Look(colour="#E69F00", marker="v", shape="down", meaning="key only: matches, not loadable"),
    "root": Look(colour="#56B4E9", marker="s", shape="square", meaning="root: no inputs, never exported"),
    "lost root": Look(
        colour="#D55E00", marker="X", shape="cross", meaning="lost root: layers in a merge, not loadable apart"
    ),
}
"""The states in the order of the legend."""


def states(graph: ExportGraph) -> list[State]:
    """Give the state of each record.

    Parameters
    ----------
    graph : ExportGraph

    Returns
    -------
    list of str
        By record index. A root that is loadable all the same counts as loadable, a merge that is not as a key.
    """
    lost = lost_roots(graph)
    merges = set(graph.merges)

    def state(record: int) -> State:
        if graph.loadable[record]:
            return "merge" if record in merges else "loadable"
        if record in lost:
            return "lost root"
        return "root" if graph.is_root(record) else "key only"

    return [state(record) for record in range(len(graph))]
