"""The list of what to do: each cause with its steps, in the order of a build, and what needs what they make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cachegraph.core.graph import ExportGraph
from cachegraph.verdict.model import Cause, Verdict
from cachegraph.views.drawing.nodes import Node
from cachegraph.views.drawing.scene import Scene
from cachegraph.views.words import cut_inside

__all__ = ["in_order", "told"]

_STEPS = 12
_CALLED = 80
"""Characters of a step's name beside the drawing; report.js has the same."""


def in_order(verdict: Verdict, graph: ExportGraph) -> Verdict:
    """Put the steps of each cause as a build runs them, which is nearly as the Dockerfile has them.

    Parameters
    ----------
    verdict : Verdict
    graph : ExportGraph
    """
    place = {record: number for number, record in enumerate(graph.links.order)}
    causes = [
        replace(cause, steps=tuple(sorted(cause.steps, key=lambda step: place.get(step, len(place)))))
        for cause in verdict.causes
    ]
    return replace(verdict, causes=tuple(causes))


def told(cause: Cause, scene: Scene | None) -> dict[str, Any]:
    """Put a cause into words; steps that have no name are called as the drawing calls them.

    Parameters
    ----------
    cause : Cause
    scene : Scene or None
    """
    labels = {} if scene is None else {node.index: _called(node) for node in scene.nodes if not node.is_lost}
    return {
        "severity": cause.severity,
        "code": cause.code,
        "what": cause.what,
        "cost": cause.cost,
        "cure": cause.cure,
        "paste": cause.paste,
        "steps": [(step, labels.get(step, "")) for step in cause.steps[:_STEPS]],
        "more": max(0, len(cause.steps) - _STEPS),
        **_led_to(cause, scene),
    }


def _called(node: Node) -> str:
    return cut_inside(node.name or node.label, _CALLED)


def _led_to(cause: Cause, scene: Scene | None) -> dict[str, Any]:
    """Find steps of a cause that have no name, and the first ones with a name that need what they make."""
    nodes = [] if scene is None else scene.nodes
    # A merge puts together what instructions made: the instruction after it is what people know.
    nameless = {
        place
        for place, node in enumerate(nodes)
        if node.slots and not node.is_lost and (not node.name or node.op in ("merge", "diff"))
    }
    hit = set(cause.steps)
    seen = {place for place in nameless if nodes[place].index in hit}
    many = sum(nodes[place].op == "unknown" for place in seen)
    takers: dict[int, list[int]] = {}
    for place, node in enumerate(nodes if many and cause.kind != "earlier-build" else ()):
        for link in node.links:
            takers.setdefault(link, []).append(place)
    stack, found = list(seen), dict[int, None]()
    while stack:
        for taker in takers.get(stack.pop(), ()):
            if taker not in nameless and not nodes[taker].is_lost:
                found[taker] = None
            elif taker not in seen:
                seen.add(taker)
                stack.append(taker)
    first = sorted(found, key=lambda place: nodes[place].index)
    return {
        "nameless": many,
        "for": [(nodes[place].index, _called(nodes[place])) for place in first[:_STEPS]],
        "more_for": max(0, len(first) - _STEPS),
    }
