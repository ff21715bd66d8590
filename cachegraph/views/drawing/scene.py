"""A drawing as data: records, where they stand, what they are coloured by. Pages and servers hand it to the script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cachegraph.views.drawing.folding import Fold, Group, depths, fold, gather
from cachegraph.views.drawing.layout import LAYER, Layout, lay_out
from cachegraph.views.drawing.looks import SHAPES
from cachegraph.views.drawing.nodes import Node
from cachegraph.views.drawing.overlays import Overlay
from cachegraph.views.states import LOOKS

__all__ = ["CARD", "GROUP_WIDTH", "ONE_BY_ONE", "PAD", "Scene", "text_width"]

ONE_BY_ONE = 200
"""Records that are all drawn; of more, chains and equal ones are folded."""
_LINES = 10
"""Links to a record up to which so many are all drawn: real exports have two or three."""
SUMMARY = 12_000
"""Records that are counted by depth and state when there are more,"""
FEW = 400
"""and more than these marks are left of them."""
_BANDS = 8
_APART = 24
"""Pixels between the columns of a summary."""
_SHORT = 19
"""Characters of a digest where there are many."""

CARD = 28
"""Pixels that a record's mark is high."""
GROUP_WIDTH = 204
GROUP_HEIGHT = 36
PAD = 8
_NARROW, _WIDE = frozenset(" .,:;'|!/()[]{}iIjlftr-"), frozenset("mwMW@%")
_SQUARE = "\u2e80"
"""Chinese, Japanese and Korean, emoji, mathematical letters, the replacement character: from here on."""


def text_width(text: str) -> float:
    """Estimate how wide a text in 12 pixels of a sans-serif typeface is, a little too wide rather than too narrow."""
    narrow = sum(char in _NARROW for char in text)
    wide = sum(char in _WIDE for char in text)
    square = sum(char >= _SQUARE for char in text)
    return 4.2 * narrow + 10.8 * wide + 16.5 * square + 7.3 * (len(text) - narrow - wide - square)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A drawing before it is drawn.

    Attributes
    ----------
    title : str
        What is drawn.
    said : str
        The same in a sentence or two, for those who do not see it.
    nodes : sequence of Node
    overlays : sequence of Overlay
        The first is shown first.
    records : int
        Records of the export; more than nodes in a focus.
    notes : sequence of (int, str, str, str)
        Findings: place of the node, severity, code, message.
    limit : int
        Nodes up to which each is drawn.
    begin : int or None
        Place of the node to look at first, where it is known better than `start` guesses it.
    """

    title: str
    said: str
    nodes: Sequence[Node]
    overlays: Sequence[Overlay]
    records: int
    notes: Sequence[tuple[int, str, str, str]] = ()
    limit: int = field(default=ONE_BY_ONE)
    begin: int | None = None

    @cached_property
    def links(self) -> list[tuple[int, ...]]:
        """What each node takes."""
        return [node.links for node in self.nodes]

    @cached_property
    def start(self) -> int | None:
        """Place of the node to look at first: what changed or runs, a finding, a lost root, else the last step."""
        if self.begin is not None or not self.nodes:
            return self.begin
        first = self.overlays[0]
        if first.name in ("diff", "prediction"):
            wanted = [
                value
                for value, look in enumerate(first.looks)
                if look.name not in ("same", "loaded", "not needed", "source")
            ]
            found = next((place for value in wanted for place in _places(first.values, value)), None)
            if found is not None:
                return found
        if self.notes:
            return self.notes[0][0]
        lost = list(LOOKS).index("lost root")
        last = max(range(len(self.nodes)), key=lambda place: self._depths[place])
        return next((place for place, node in enumerate(self.nodes) if node.state == lost), last)

    @property
    def is_summary(self) -> bool:
        """Whether records are counted, not drawn."""
        return len(self.nodes) > SUMMARY and len(self._folded.marks) > FEW

    @cached_property
    def _folded(self) -> Fold:
        return fold(self.links, [(node.state, node.op, node.is_lost) for node in self.nodes])

    @cached_property
    def fold(self) -> Fold:
        """What is drawn: every record, or groups of them."""
        count = len(self.nodes)
        if count <= self.limit and sum(map(len, self.links)) <= _LINES * self.limit:
            return Fold(groups=[], marks=list(range(count)), inputs=list(self.links))
        if self.is_summary:
            return gather([node.kind for node in self.nodes], self._depths, self._step)
        return self._folded

    @cached_property
    def _depths(self) -> list[int]:
        return depths(self.links)

    @cached_property
    def _step(self) -> int:
        """Depths that are one row of a summary."""
        return -(-(1 + max(self._depths)) // _BANDS)

    @cached_property
    def widths(self) -> list[int]:
        """Pixels that each node's mark is wide."""
        return [round(text_width(f"{node.label}#{node.index}")) + 54 for node in self.nodes]

    def width(self, mark: int) -> float:
        """Pixels that a mark is wide, closed."""
        if mark < len(self.nodes):
            return self.widths[mark]
        group = self.fold.groups[mark - len(self.nodes)]
        if group.kind == "row":
            return sum(map(self.width, group.members)) + PAD * (len(group.members) + 1)
        return GROUP_WIDTH

    def height(self, mark: int) -> float:
        """Pixels that a mark is high, closed."""
        if mark < len(self.nodes):
            return CARD
        return CARD + 2 * PAD if self.fold.groups[mark - len(self.nodes)].kind == "row" else GROUP_HEIGHT

    @cached_property
    def bundles(self) -> dict[int, Layout]:
        """Where the members of each bundle stand within it, by the bundle's mark."""
        return {
            len(self.nodes) + number: lay_out(group.inputs, [self.width(member) for member in group.members])
            for number, group in enumerate(self.fold.groups)
            if group.kind == "bundle"
        }

    @cached_property
    def layout(self) -> Layout:
        """Where the marks stand; in a summary a row for each depth, a column for each state, and no links."""
        if self.is_summary:
            firsts = [self.nodes[group.members[0]].kind for group in self.fold.groups]
            rows = [self._depths[group.members[0]] // self._step for group in self.fold.groups]
            columns = {kind: number for number, kind in enumerate(sorted(set(firsts)))}
            order = {row: number for number, row in enumerate(sorted(set(rows)))}
            wide = GROUP_WIDTH + _APART
            return Layout(
                layers=[order[row] for row in rows],
                xs=[GROUP_WIDTH / 2 + wide * columns[kind] for kind in firsts],
                courses={},
                width=wide * len(columns) - _APART,
                depth=len(order),
            )
        return lay_out(self.fold.inputs, [self.width(mark) for mark in self.fold.marks])

    @cached_property
    def labels(self) -> list[str]:
        """What stands on the mark of each group."""
        return [self._labelled(group) for group in self.fold.groups]

    def _labelled(self, group: Group) -> str:
        records = sum(len(self.members(member)) for member in group.members)
        first = self.nodes[self.members(group.members[0])[0]]
        match group.kind:
            case "band":
                depth = self._depths[group.members[0]]
                deep = f"{depth:,}" if self._step == 1 else f"{depth // self._step * self._step:,}+"
                state = "lost" if first.is_lost else list(LOOKS)[first.state]
                return _cut(f"{records:,} {state}, depth {deep}", GROUP_WIDTH - 16)
            case "bundle":
                last = self.nodes[self.members(group.members[-1])[-1]]
                return _cut(f"{records:,} for {last.label}", GROUP_WIDTH - 16)
            case "fan" if self._is_bundle(group.members[0]):
                return f"{len(group.members):,} groups, {records:,} records"
            case "fan":
                return _cut(f"{len(group.members):,} alike: {first.label}", GROUP_WIDTH - 24)
            case "chain" if records > 3 * len(group.members):  # groups in a row
                return _cut(f"{records:,} records: {first.label}", GROUP_WIDTH - 24)
            case "chain":
                return _cut(f"{len(group.members):,} in a row: {first.label}", GROUP_WIDTH - 24)
        return first.label

    def _is_bundle(self, mark: int) -> bool:
        return mark >= len(self.nodes) and self.fold.groups[mark - len(self.nodes)].kind == "bundle"

    def members(self, mark: int) -> list[int]:
        """Give the nodes of a mark."""
        found, stack = [], [mark]
        while stack:
            one = stack.pop()
            if one < len(self.nodes):
                found.append(one)
            else:
                stack += reversed(self.fold.groups[one - len(self.nodes)].members)
        return found

    def alternatives(self, marks: Sequence[int]) -> set[tuple[int, int]]:
        """Links between marks, by positions, that are nothing but alternatives: another one would do as well.

        Parameters
        ----------
        marks : sequence of int
            Marks of which none is in another.
        """
        mark_of = {node: position for position, mark in enumerate(marks) for node in self.members(mark)}
        needed: set[tuple[int, int]] = set()
        found: set[tuple[int, int]] = set()
        for node, position in mark_of.items():
            for slot in self.nodes[node].slots:
                for link in slot:
                    other = mark_of.get(link, position)
                    if other != position:
                        (found if len(slot) > 1 else needed).add((other, position))
        return found - needed

    def _sheet(self, marks: Sequence[int], layout: Layout) -> list[Any]:
        """Give marks with their places, and the links between them: from, to, whether an alternative, course."""
        alternatives = self.alternatives(marks)
        links = [
            [link, mark, int((link, mark) in alternatives), *(round(x) for x in course)]
            for (link, mark), course in layout.courses.items()
        ]
        return [marks, layout.layers, [round(x) for x in layout.xs], links]

    def to_dict(self) -> dict[str, Any]:
        """Give the drawing as JSON that the script takes; every text is on one line and legal.

        Of more than `SUMMARY` records digests are short: of all that is in the data they alone cannot be compressed.
        """
        nodes, many = self.nodes, len(self.nodes) > SUMMARY
        return {
            "title": self.title,
            "said": self.said,
            "records": self.records,
            "summary": self.is_summary,
            "start": self.start,
            "index": [node.index for node in nodes],
            "digest": [node.digest[:_SHORT] if many else node.digest for node in nodes],
            "op": [node.op for node in nodes],
            "name": [node.name if node.name != node.label else "" for node in nodes],
            "label": [node.label for node in nodes],
            "state": [node.state for node in nodes],
            "slots": [node.slots for node in nodes],
            "results": [node.results for node in nodes],
            "lines": {place: node.places for place, node in enumerate(nodes) if node.places},
            "lost": [place for place, node in enumerate(nodes) if node.is_lost],
            "notes": self.notes,
            "states": [[state, look.meaning] for state, look in LOOKS.items()],
            "shapes": SHAPES,
            "overlays": [
                {
                    "name": overlay.name,
                    "title": overlay.title,
                    "note": overlay.note,
                    "looks": [[look.name, look.colour, look.shape, look.meaning] for look in overlay.looks],
                    "values": overlay.values,
                    "texts": {place: text for place, text in enumerate(overlay.texts) if text},
                }
                for overlay in self.overlays
            ],
            "sizes": {"card": CARD, "group": [GROUP_WIDTH, GROUP_HEIGHT], "pad": PAD, "layer": LAYER},
            "widths": self.widths,
            "sheet": self._sheet(self.fold.marks, self.layout),
            "groups": [
                [group.kind, self.labels[number], group.members]
                + ([self._sheet(group.members, self.bundles[mark])] if mark in self.bundles else [])
                for number, group in enumerate(self.fold.groups)
                for mark in (len(self.nodes) + number,)
            ],
        }


def _places(values: Sequence[int], value: int) -> Iterator[int]:
    return (place for place, own in enumerate(values) if own == value)


def _cut(text: str, width: float) -> str:
    """Shorten a text to so many pixels."""
    if text_width(text) <= width:
        return text
    while text and text_width(text) + 8 > width:
        text = text[:-1]
    return f"{text.rstrip()}…"
