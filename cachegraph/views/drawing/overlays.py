"""What a drawing is coloured by: the cache itself, a prediction, a diff, what a change costs, bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cachegraph.solver.blast import BlastRadius
from cachegraph.solver.diff import Diff
from cachegraph.solver.prediction import Prediction, Step
from cachegraph.solver.words import reason
from cachegraph.text.clean import one_line
from cachegraph.text.words import plural, size_text
from cachegraph.views.drawing.looks import Look, state_looks
from cachegraph.views.drawing.nodes import Node

__all__ = ["Overlay", "of_blast", "of_bytes", "of_coverage", "of_diff", "of_prediction"]

_HEAT = (("level1", "#56B4E9"), ("level2", "#F0E442"), ("level3", "#E69F00"), ("level4", "#D55E00"))
_NONE = "#8C959F"
_TEXT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """A way to colour a drawing.

    Attributes
    ----------
    name : str
        A word for it.
    title : str
        What it shows, for the list to choose from.
    note : str
        The answer in a line.
    looks : tuple of Look
    values : list of int, length nodes
        Position in `looks`.
    texts : list of str, length nodes
        What it says of each node besides; empty where nothing.
    """

    name: str
    title: str
    note: str
    looks: tuple[Look, ...]
    values: list[int]
    texts: list[str]


def of_coverage(nodes: Sequence[Node], note: str) -> Overlay:
    """Colour by what each record is worth to a build that imports the cache."""
    return Overlay(
        name="coverage",
        title="What the cache holds",
        note=note,
        looks=state_looks(),
        values=[node.state for node in nodes],
        texts=[""] * len(nodes),
    )


_PREDICTED = (
    Look(name="runs first", colour="#D55E00", shape="bolt", meaning="runs, and the miss begins here"),
    Look(name="runs", colour="#E69F00", shape="down", meaning="runs"),
    Look(name="may run", colour="#CC79A7", shape="half", meaning="cannot be told before the build"),
    Look(name="loaded", colour="#009E73", shape="circle", meaning="loaded from the cache"),
    Look(name="not needed", colour="#56B4E9", shape="ring", meaning="cached, need not be looked at"),
    Look(name="source", colour=_NONE, shape="square", meaning="a source: no step"),
)


def of_prediction(nodes: Sequence[Node], prediction: Prediction, title: str) -> Overlay:
    """Colour a build by what becomes of its steps.

    Parameters
    ----------
    nodes : sequence of Node
        Of the build.
    prediction : Prediction
    title : str
    """
    steps = [None if node.is_lost else prediction.step(node.index) for node in nodes]
    return Overlay(
        name="prediction",
        title=title,
        note=f"{prediction.summary}.",
        looks=_PREDICTED,
        values=[_becomes(step) for step in steps],
        texts=["" if step is None else one_line(reason(step, prediction))[:_TEXT] for step in steps],
    )


def _becomes(step: Step | None) -> int:
    if step is None:
        return 5
    if step.executed is None:
        return 2
    if step.executed:
        return 0 if step.first is not False else 1
    return 3 if step.how == "loaded" else 4


_CHANGED = (
    Look(name="key gained", colour="#009E73", shape="plus", meaning="new: the older export lacks the key"),
    Look(name="key lost", colour="#D55E00", shape="minus", meaning="lost: only the older export has the key"),
    Look(name="result gained", colour="#0072B2", shape="up", meaning="key kept, result gained"),
    Look(name="result lost", colour="#E69F00", shape="cross", meaning="key kept, result lost"),
    Look(name="same", colour=_NONE, shape="ring", meaning="the same in both"),
)
_CAUSES = {
    "instruction": "the step itself differs",
    "input": "only what it takes differs",
    "result": "only the result differs",
}


def of_diff(nodes: Sequence[Node], diff: Diff) -> Overlay:
    """Colour the newer of two exports by what changed; lost records are nodes of their own.

    Parameters
    ----------
    nodes : sequence of Node
        As `cachegraph.views.drawing.nodes.with_lost` gives them.
    diff : Diff
    """
    names = [look.name for look in _CHANGED]
    old = {change.old: change for change in diff if change.change == "key lost"}
    new = {change.new: change for change in diff if change.change != "key lost"}
    values, texts = [], []
    for node in nodes:
        change = old.get(node.index) if node.is_lost else new.get(node.index)
        values.append(4 if change is None else names.index(change.change))
        begins = "" if change is None or change.begins == node.index else f"; it follows from record {change.begins}"
        texts.append("" if change is None else f"{_CAUSES[change.cause]}{begins}")
    return Overlay(name="diff", title="What changed", note=diff.summary, looks=_CHANGED, values=values, texts=texts)


def of_blast(nodes: Sequence[Node], blast: BlastRadius) -> Overlay:
    """Colour by how many steps run again when a record changes.

    Parameters
    ----------
    nodes : sequence of Node
    blast : BlastRadius
    """
    rows = {row.record: row for row in blast}
    costs = [0 if node.is_lost or node.index not in rows else rows[node.index].runs for node in nodes]
    texts = []
    for node, cost in zip(nodes, costs, strict=True):
        row = None if node.is_lost else rows.get(node.index)
        size = f", {size_text(row.bytes)}" if row is not None and row.bytes else ""
        texts.append(f"a change of it makes {plural(cost, 'step')} run again{size}" if cost else "")
    limits = _limits(costs)
    return Overlay(
        name="blast radius",
        title="What a change costs",
        note=f"{blast.summary[:1].upper()}{blast.summary[1:]}.",
        looks=_heat("no step runs again", [f"{plural(limit, 'step')} or more" for limit in limits]),
        values=[_level(cost, limits) for cost in costs],
        texts=texts,
    )


def of_bytes(nodes: Sequence[Node], own: Sequence[int | None]) -> Overlay:
    """Colour by what each record adds in bytes.

    Parameters
    ----------
    nodes : sequence of Node
    own : sequence of (int or None), length records
        See `cachegraph.views.drawing.weights.added_bytes`.
    """
    sizes = [0 if node.is_lost else own[node.index] or 0 for node in nodes]
    limits = _limits(sizes)
    return Overlay(
        name="bytes",
        title="Bytes that each step adds",
        note=f"{size_text(sum(sizes))} in results that can be loaded; each blob counts once, in its first step.",
        looks=_heat("adds nothing, or unknown", [f"{size_text(limit)} or more" for limit in limits]),
        values=[_level(size, limits) for size in sizes],
        texts=[f"adds {size_text(size)}" if size else "" for size in sizes],
    )


def _heat(nothing: str, words: Sequence[str]) -> tuple[Look, ...]:
    cold = Look(name="none", colour=_NONE, shape="dot", meaning=nothing)
    scale = _HEAT[-len(words) :] if words else ()
    return (
        cold,
        *(Look(name=word, colour=c, shape=s, meaning=word) for word, (s, c) in zip(words, scale, strict=True)),
    )


def _limits(values: Sequence[int]) -> list[int]:
    """Give the lower bounds of up to four levels, evenly on a logarithmic scale."""
    positive = [value for value in values if value > 0]
    if not positive:
        return []
    low, high = math.log(min(positive)), math.log(max(positive))
    raw = [round(math.exp(low + (high - low) * level / len(_HEAT))) for level in range(len(_HEAT))]
    return sorted({max(1, value) for value in (min(positive), *raw[1:])})


def _level(value: int, limits: Sequence[int]) -> int:
    return sum(value >= limit for limit in limits) if value > 0 else 0
