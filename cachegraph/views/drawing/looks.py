"""Colours and shapes: a state is told by both, so that neither colour-blind readers nor prints lose it.

The colours are those of Okabe and Ito (Color Universal Design, 2008). A shape is a path around (0, 0), 14 pixels wide.
"""

from __future__ import annotations

from dataclasses import dataclass

from cachegraph.views.states import LOOKS

__all__ = ["SHAPES", "Look", "state_looks"]

SHAPES = {
    "circle": "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0z",
    "ring": "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0zM-3 0a3 3 0 1 1 6 0a3 3 0 1 1-6 0z",
    "diamond": "M0-7L7 0L0 7L-7 0z",
    "half": "M0-7L7 0L0 7L-7 0zM0-3.8L-3.8 0L0 3.8z",
    "down": "M-7-5.5H7L0 7z",
    "up": "M-7 5.5H7L0-7z",
    "square": "M-5.5-5.5H5.5V5.5H-5.5z",
    "cross": "M-6-3.4L-3.4-6L0-2.6L3.4-6L6-3.4L2.6 0L6 3.4L3.4 6L0 2.6L-3.4 6L-6 3.4L-2.6 0z",
    "plus": "M-1.9-6.5H1.9V-1.9H6.5V1.9H1.9V6.5H-1.9V1.9H-6.5V-1.9H-1.9z",
    "minus": "M-6.5-2H6.5V2H-6.5z",
    "bolt": "M2-7.5L-5.5 1H-1L-2 7.5L5.5-1H1z",
    "dot": "M-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0z",
    "level1": "M-6 6V3H6V6z",
    "level2": "M-6 6V0H6V6z",
    "level3": "M-6 6V-3H6V6z",
    "level4": "M-6 6V-6.5H6V6z",
}
"""Paths by name; where one path lies in another, the inner one is a hole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How something is drawn.

    Attributes
    ----------
    name : str
        A word or two, as a table has it.
    colour : str
    shape : str
        One of `SHAPES`.
    meaning : str
        For the legend.
    """

    name: str
    colour: str
    shape: str
    meaning: str


def state_looks() -> tuple[Look, ...]:
    """Give the looks of the states that a record can be in, in their order."""
    return tuple(
        Look(name=state, colour=look.colour, shape=look.shape, meaning=look.meaning) for state, look in LOOKS.items()
    )
