"""The map of bytes in a report: an area for each step, as large as what it adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cachegraph.text.words import plural, size_text
from cachegraph.views.drawing.scene import Scene
from cachegraph.views.html.treemap import treemap

__all__ = ["areas"]

_AREAS = 60
_MAP = (960, 300)
_FLAT = 120
"""Pixels that the map is high where it has few areas."""


def areas(scene: Scene, own: Sequence[int | None]) -> dict[str, Any] | None:
    """Lay out what each step adds, the largest ones by themselves.

    Parameters
    ----------
    scene : Scene
    own : sequence of (int or None), length records
        See `cachegraph.views.drawing.weights.added_bytes`.

    Returns
    -------
    dict or None
        What the template of the report takes; None where no size is known.
    """
    sizes = [0 if node.is_lost else own[node.index] or 0 for node in scene.nodes]
    order = sorted((place for place, size in enumerate(sizes) if size), key=lambda place: -sizes[place])
    if not order:
        return None
    rest = order[_AREAS:]
    values: list[int] = [sizes[place] for place in order[:_AREAS]]
    if rest:
        values.append(sum(sizes[place] for place in rest))
    total, height = sum(values), _MAP[1] if len(values) > 6 else _FLAT
    blocks = []
    for area in treemap(values, _MAP[0], height):
        place = order[area.position] if area.position < min(_AREAS, len(order)) else None
        name = plural(len(rest), "other step") if place is None else scene.nodes[place].label
        size = size_text(values[area.position])
        which = "" if place is None else f", record {scene.nodes[place].index}"
        blocks.append(
            {
                "place": place,
                "box": {name: round(getattr(area, name), 1) for name in ("x", "y", "width", "height")},
                "name": name if area.width > 7 * len(name) + 12 and area.height > 22 else "",
                "size": size if area.width > 70 and area.height > 40 else "",
                "title": f"{name} {size}: {values[area.position] / total:.0%}{which}",
                "shade": 1 + area.position % 4 if place is not None else 0,
            }
        )
    return {"blocks": blocks, "total": size_text(total), "steps": len(order), "width": _MAP[0], "height": height}
