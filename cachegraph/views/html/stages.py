"""The steps of an export as a Dockerfile has them: stages, each a list of steps, on a base or on another stage.

An export knows no stages. But the first input of a step is what it stands on, and what stands on one another is how a
Dockerfile writes a stage; where several steps stand on one, a stage ends and others begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cachegraph.views.drawing.nodes import Node

__all__ = ["Stage", "stages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Steps that stand on one another.

    Attributes
    ----------
    on : int or None
        Position of the stage that it begins on; None where it begins on a source, which is its first step then.
    steps : tuple of int
        Places of the nodes, first step first.
    """

    on: int | None
    steps: tuple[int, ...]


def stages(nodes: Sequence[Node]) -> list[Stage]:
    """Put the nodes of a drawing into stages; a stage comes after the one that it begins on.

    Parameters
    ----------
    nodes : sequence of Node

    Returns
    -------
    list of Stage
        Sources that no step stands on, such as the files of a COPY, are in none.
    """
    base = [_base(nodes, place) for place in range(len(nodes))]
    standing: list[list[int]] = [[] for _ in nodes]
    for place, below in enumerate(base):
        if below is not None:
            standing[below].append(place)
    begins = [place for place, below in enumerate(base) if below is None or len(standing[below]) > 1]
    found: list[Stage] = []
    stage_of: dict[int, int] = {}
    # What stands on a stage comes right after it, as a tree is read.
    stack = [place for place in reversed(begins) if base[place] is None and (standing[place] or nodes[place].slots)]
    while stack:
        steps = [stack.pop()]
        while len(standing[steps[-1]]) == 1:
            steps.append(standing[steps[-1]][0])
        below = base[steps[0]]
        stage_of[steps[-1]] = len(found)
        found.append(Stage(on=None if below is None else stage_of[below], steps=tuple(steps)))
        stack += reversed(standing[steps[-1]])
    return found


def _base(nodes: Sequence[Node], place: int) -> int | None:
    """Give what a step stands on: of its first slot a step, rather than content that stands for one."""
    slots = nodes[place].slots
    links = [link for link in slots[0] if link >= 0 and link != place] if slots else []
    return next((link for link in links if nodes[link].slots), links[0] if links else None)
