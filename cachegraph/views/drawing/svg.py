"""A drawing as SVG that needs no script: for files, for pages before the script runs, for those without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from itertools import pairwise
from textwrap import wrap

from cachegraph.text.clean import legal
from cachegraph.text.words import plural
from cachegraph.views.drawing.looks import SHAPES, Look
from cachegraph.views.drawing.overlays import Overlay
from cachegraph.views.drawing.scene import CARD, PAD, Scene

__all__ = ["svg"]

_BETWEEN = 36
"""Pixels between layers."""
_EDGE = 24
_LEGEND = 22
_LINE = 18
_LETTER = 7.5
"""Pixels that a letter of the title takes at most, on average."""


def svg(scene: Scene, *, overlay: int = 0, legend: bool = True, colours: bool = True) -> str:
    """Draw a scene, everything folded.

    Parameters
    ----------
    scene : Scene
    overlay : int
        Position of the overlay that it is coloured by.
    legend : bool
        Whether to write the title and the legend into the picture.
    colours : bool
        Whether to bring colours along; without, the page has them.

    Returns
    -------
    str
        An ``svg`` element.
    """
    return "".join(_Drawing(scene, scene.overlays[overlay], legend=legend, colours=colours).parts())


def _folded(text: str, width: float) -> list[str]:
    """Fold a text where the picture ends."""
    return wrap(text, int((width - 2 * _EDGE) / _LETTER))


class _Drawing:
    def __init__(self, scene: Scene, overlay: Overlay, *, legend: bool, colours: bool) -> None:
        self.scene = scene
        self.overlay = overlay
        self.legend = legend
        self.colours = colours
        layout = scene.layout
        heights = [0.0] * layout.depth
        for position, mark in enumerate(scene.fold.marks):
            heights[layout.layers[position]] = max(heights[layout.layers[position]], scene.height(mark))
        self.tops: list[float] = []
        at = float(_EDGE)
        for height in heights:
            self.tops.append(at)
            at += height + _BETWEEN
        self.heights = heights
        self.floor = at - _BETWEEN + _EDGE if heights else 2.0 * _EDGE

    def parts(self) -> Iterator[str]:
        scene, used = self.scene, self._used()
        width = max(scene.layout.width + 2 * _EDGE, 420.0)
        title, note = (_folded(text, width) for text in (scene.title, self.overlay.note))
        head = 16 + _LINE * (len(title) + len(note)) if self.legend else 0
        dashed = not scene.alternatives(scene.fold.marks).isdisjoint(scene.layout.courses)
        foot = (_LEGEND * (len(used) + dashed) + 12) if self.legend else 0
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="cg-svg" role="img" width="{width:.0f}" '
            f'height="{head + self.floor + foot:.0f}" viewBox="0 0 {width:.0f} {head + self.floor + foot:.0f}">'
            f"<title>{_text(scene.title)}</title><desc>{_text(self._described(used))}</desc>"
        )
        if self.colours:
            yield f"<style>{_style()}</style>"
            yield f'<rect class="cg-paper" width="{width:.0f}" height="{head + self.floor + foot:.0f}" fill="#fff"/>'
        if self.legend:
            said = [(line, "cg-title", 'font-weight="600"') for line in title]
            said += [(line, "cg-note", 'fill="#57606a"') for line in note]
            for number, (line, kind, look) in enumerate(said):
                yield f'<text class="{kind}" x="{_EDGE}" y="{24 + number * _LINE}" {_FONT} {look}>{_text(line)}</text>'
        yield f'<g transform="translate({_EDGE} {head})">'
        yield from self._links()
        for position, mark in enumerate(scene.fold.marks):
            x = scene.layout.xs[position] - scene.width(mark) / 2
            yield from self._mark(mark, x, self.tops[scene.layout.layers[position]])
        yield "</g>"
        if self.legend:
            keys = [(_shape(look), look.meaning) for look in used]
            if dashed:
                line = f'<path class="cg-link cg-alt" {_LINK} stroke-dasharray="5 4" d="M-8 0H10"/>'
                keys.append((line, "one of several alternatives: any will do"))
            for number, (key, meaning) in enumerate(keys):
                yield f'<g transform="translate({_EDGE + 8} {head + self.floor + number * _LEGEND:.0f})">{key}'
                yield f'<text x="16" y="4.5" {_FONT} fill="#1b1f24">{_text(meaning)}</text></g>'
        yield "</svg>"

    def _used(self) -> list[Look]:
        values = set(self.overlay.values)
        return [look for number, look in enumerate(self.overlay.looks) if number in values]

    def _described(self, used: Sequence[Look]) -> str:
        looks = self.overlay.looks
        counts = [(sum(looks[value] is look for value in self.overlay.values), look) for look in used]
        said = "; ".join(f"{count:,} {look.name}" for count, look in counts)
        return f"{self.scene.said} {plural(len(self.scene.nodes), 'record')}: {said}."

    def _links(self) -> Iterator[str]:
        scene, layout = self.scene, self.scene.layout
        alternatives = scene.alternatives(scene.fold.marks)
        for alternative in (False, True):
            lines = [
                self._line(pair, course)
                for pair, course in layout.courses.items()
                if (pair in alternatives) is alternative
            ]
            if lines:
                dash = ' stroke-dasharray="5 4"' if alternative else ""
                kind = "cg-link cg-alt" if alternative else "cg-link"
                yield f'<path class="{kind}" {_LINK}{dash} d="{"".join(lines)}"/>'

    def _line(self, pair: tuple[int, int], course: Sequence[float]) -> str:
        layout = self.scene.layout
        first, last = layout.layers[pair[0]], layout.layers[pair[1]]
        y = self.tops[first] + self.scene.height(self.scene.fold.marks[pair[0]])
        if len(course) - 1 != last - first:  # straight over several layers, or upwards
            start, stop, end = course[0], course[-1], self.tops[last]
            curve = f"C{start:.0f} {y + 30:.0f} {stop:.0f} {end - 30:.0f} {stop:.0f} {end:.0f}"
            return f"M{start:.0f} {y:.0f}{curve}"
        said = f"M{course[0]:.0f} {y:.0f}"
        for number, (x, after) in enumerate(pairwise(course)):
            down, up = self.tops[first + number] + self.heights[first + number], self.tops[first + number + 1]
            middle = (down + up) / 2
            said += f"V{down:.0f}" if number or down != y else ""
            said += f"C{x:.0f} {middle:.0f} {after:.0f} {middle:.0f} {after:.0f} {up:.0f}"
        return said

    def _mark(self, mark: int, x: float, y: float) -> Iterator[str]:
        scene = self.scene
        if mark < len(scene.nodes):
            node, look = scene.nodes[mark], self.overlay.looks[self.overlay.values[mark]]
            width = scene.widths[mark]
            told = f"record {node.index}: {node.name or node.digest}\n{look.meaning}"
            if self.overlay.texts[mark]:
                told += f"\n{self.overlay.texts[mark]}"
            yield f'<g class="cg-mark" transform="translate({x:.0f} {y:.0f})"><title>{_text(told)}</title>'
            yield f'<rect {_CARD} width="{width}" height="{CARD}" rx="6"/>'
            yield f'<g transform="translate(15 {CARD / 2:.0f})">{_shape(look)}</g>'
            yield f'<text x="28" y="18.5" {_FONT} fill="#1b1f24">{_text(node.label)}</text>'
            yield f'<text class="cg-note" x="{width - 8}" y="18.5" text-anchor="end" {_FONT} fill="#57606a">'
            yield f"#{node.index}</text></g>"
            return
        group = scene.fold.groups[mark - len(scene.nodes)]
        if group.kind == "row":
            box = f'width="{scene.width(mark):.0f}" height="{scene.height(mark):.0f}"'
            yield f'<rect {_FRAME} x="{x:.0f}" y="{y:.0f}" {box} rx="9"/>'
            at = x + PAD
            for member in group.members:
                yield from self._mark(member, at, y + PAD)
                at += scene.width(member) + PAD
            return
        yield from self._group(mark, x, y)

    def _group(self, mark: int, x: float, y: float) -> Iterator[str]:
        scene, looks = self.scene, self.overlay.looks
        members = scene.members(mark)
        width, height = scene.width(mark), scene.height(mark)
        label = scene.labels[mark - len(scene.nodes)]
        counts = [sum(self.overlay.values[node] == value for node in members) for value in range(len(looks))]
        told = "; ".join(f"{count:,} {look.name}" for count, look in zip(counts, looks, strict=True) if count)
        yield f'<g class="cg-mark cg-group" transform="translate({x:.0f} {y:.0f})">'
        yield f"<title>{_text(f'{label}: {told}')}</title>"
        yield f'<rect {_CARD} x="4" y="-4" width="{width:.0f}" height="{height:.0f}" rx="6" opacity=".6"/>'
        yield f'<rect {_CARD} width="{width:.0f}" height="{height:.0f}" rx="6"/>'
        yield f'<text x="10" y="18" {_FONT} fill="#1b1f24">{_text(label)}</text>'
        at = 10.0
        for count, look in zip(counts, looks, strict=True):
            part = count * (width - 20) / len(members)
            if count:
                yield f'<rect x="{at:.1f}" y="{height - 11:.0f}" width="{part:.1f}" height="5" fill="{look.colour}"/>'
            at += part
        yield "</g>"


_FONT = 'font-family="system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif" font-size="12"'
_LINK = 'fill="none" stroke="#8c959f" stroke-width="1.3"'
_CARD = 'class="cg-card" fill="#fff" stroke="#8c959f" stroke-width="1.2"'
_FRAME = 'class="cg-frame" fill="none" stroke="#8c959f" stroke-width="1" stroke-dasharray="2 3"'


def _shape(look: Look) -> str:
    return (
        f'<path class="cg-shape" d="{SHAPES[look.shape]}" fill="{look.colour}" fill-rule="evenodd" '
        f'stroke="#1b1f24" stroke-width=".8"/>'
    )


def _text(text: str) -> str:
    return escape(legal(text))


def _style() -> str:
    return resources.files("cachegraph.views.drawing").joinpath("drawing.css").read_text("utf-8")
