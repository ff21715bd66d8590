"""Chains and equal marks folded into one mark that opens, so that thousands of records are a picture.

Three things fold, again and again until nothing does: a step with the sources that it alone takes (a *row*), marks of
which each takes the one before and nothing else new (a *chain*), and marks of one kind with the same inputs and the
same takers (a *fan*). A group is a mark itself, so a fan of equal chains is one mark. Where that leaves too many, what
many targets share is left as it is, and whatever hangs together without it becomes one mark (a *bundle*): a service of
a monorepo. What is below a shared mark is shared as well, so no way leads out of a bundle and back into it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["Fold", "Group", "depths", "fold", "gather"]

_LEAST = 3
"""Marks that are worth a fold."""
_ROUNDS = 30
_AIM = 40
"""Marks after which everything that one target alone needs is folded, then equal bundles."""
_MOST_BITS = 1 << 31
"""Marks times targets that are told apart."""
_SHARED = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128)
"""Targets up to which a mark counts as not shared: the first that leaves few marks, or nearly the fewest, is taken."""

GroupKind = Literal["row", "chain", "fan", "bundle", "band"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Marks that are drawn as one.

    Attributes
    ----------
    kind : {"row", "chain", "fan", "bundle", "band"}
        A step and its own sources, the step first; marks that follow one another, inputs first; equal marks; what the
        same targets need; records at about the same depth and in the same state.
    members : tuple of int
        Records, or groups (numbered on from the records).
    inputs : tuple of tuple of int
        Of a bundle: what each member takes within it, by position.
    """

    kind: GroupKind
    members: tuple[int, ...]
    inputs: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What is drawn.

    Attributes
    ----------
    groups : list of Group
        The first has the number after the last record.
    marks : list of int
        Records and groups that no group holds.
    inputs : list of tuple of int, length marks
        What each mark takes, by position in `marks`.
    """

    groups: list[Group]
    marks: list[int]
    inputs: list[tuple[int, ...]]


def fold(inputs: Sequence[Sequence[int]], kinds: Sequence[Hashable]) -> Fold:
    """Fold records.

    Parameters
    ----------
    inputs : sequence of sequence of int, length records
    kinds : sequence of hashable, length records
        Records of different kinds are never equal.

    Returns
    -------
    Fold
        Every record is in exactly one mark, directly or through groups.
    """
    work = _Folding(inputs, kinds)
    work.fold()
    if len(work.up) > _AIM:
        work.bundles()
    if len(work.up) > _AIM:
        work.fold()
    return work.done()


class _Folding:
    """A graph that shrinks."""

    def __init__(self, inputs: Sequence[Sequence[int]], kinds: Sequence[Hashable]) -> None:
        self.up: dict[int, set[int]] = {mark: set(links) - {mark} for mark, links in enumerate(inputs)}
        self.down: dict[int, set[int]] = {mark: set() for mark in self.up}
        for mark, links in self.up.items():
            for link in links:
                self.down[link].add(mark)
        self.kind: dict[int, Hashable] = dict(enumerate(kinds))
        self.groups: list[Group] = []
        self.count = len(inputs)

    def fold(self) -> None:
        """Fold until nothing does."""
        for _ in range(_ROUNDS):
            # No short cut: each kind of fold makes room for the others.
            if not sum([self.rows(), self.chains(), self.fans()]):
                return

    def rows(self) -> int:
        """Put sources that one step alone takes beside it."""
        own: dict[int, list[int]] = {}
        for mark, links in self.up.items():
            if not links and mark < self.count and len(self.down[mark]) == 1:
                (taker,) = self.down[mark]
                own.setdefault(taker, []).append(mark)
        made = 0
        for taker, sources in own.items():
            # A step on nothing but its sources is where a chain begins: they stay above it.
            if taker < self.count and len(sources) < len(self.up[taker]) and len(sources) < _LEAST:
                self._join("row", [taker, *sources])
                made += 1
        return made

    def chains(self) -> int:
        """Join what follows one another and nothing else."""
        made = 0
        for start in list(self.up):
            if start not in self.up or self._before(start) is not None:
                continue
            chain = [start]
            while (after := self._after(chain[-1])) is not None:
                chain.append(after)
            # A pair is worth it where both take the same, as a step and its diff do: many such pairs are alike.
            if len(chain) >= _LEAST or (len(chain) == 2 and len(self.up[chain[1]]) > 1):
                self._join("chain", self._flat(chain, "chain"), joined=chain)
                made += 1
        return made

    def _after(self, mark: int) -> int | None:
        """Give what alone takes a mark, and besides nothing that the mark does not take."""
        if len(self.down[mark]) == 1:
            (after,) = self.down[mark]
            if len(self.up[after]) <= 1 + len(self.up[mark]) and self.up[after] - {mark} <= self.up[mark]:
                return after
        return None

    def _before(self, mark: int) -> int | None:
        return next((link for link in self.up[mark] if self._after(link) == mark), None)

    def fans(self) -> int:
        """Join marks of one kind with the same inputs and the same takers."""
        equal: dict[Hashable, list[int]] = {}
        for mark, links in self.up.items():
            key = (self.kind[mark], frozenset(links), frozenset(self.down[mark]))
            equal.setdefault(key, []).append(mark)
        made = 0
        for fan in equal.values():
            if len(fan) >= _LEAST:
                self._join("fan", fan)
                made += 1
        return made

    def bundles(self) -> None:
        """Join what hangs together without what many targets share."""
        targets = self._targets()
        found: list[tuple[int, list[list[int]]]] = []
        for limit in _SHARED:
            parts = self._parts([mark for mark, count in targets.items() if count <= limit])
            if max(map(len, parts), default=0) > max(_AIM, len(self.up) // 4):
                break
            found.append((len(self.up) - sum(len(part) - 1 for part in parts if len(part) >= _LEAST), parts))
        fewest = min((marks for marks, _ in found), default=0)
        enough = max(_AIM, fewest * 4 // 3)
        for part in next((parts for marks, parts in found if marks <= enough), []):
            if len(part) >= _LEAST:
                self._join("bundle", part)

    def _targets(self) -> dict[int, int]:
        """Count, for each mark, the targets that need it, inputs first; marks on a loop, or above one, are left out."""
        targets = [mark for mark, takers in self.down.items() if not takers]
        if len(targets) * len(self.up) > _MOST_BITS:
            return {}
        needed = {mark: 1 << number for number, mark in enumerate(targets)}
        waiting = {mark: len(takers) for mark, takers in self.down.items()}
        order = list(targets)
        for mark in order:  # grows while it is walked
            for taker in self.down[mark]:
                needed[mark] = needed.get(mark, 0) | needed[taker]
            for link in self.up[mark]:
                waiting[link] -= 1
                if not waiting[link]:
                    order.append(link)
        return {mark: needed[mark].bit_count() for mark in reversed(order)}

    def _parts(self, marks: Sequence[int]) -> list[list[int]]:
        """Give what hangs together among some marks, each part in their order."""
        root = {mark: mark for mark in marks}

        def find(mark: int) -> int:
            while root[mark] != mark:
                root[mark] = root[root[mark]]
                mark = root[mark]
            return mark

        for mark in marks:
            for link in self.up[mark]:
                if link in root:
                    root[find(link)] = find(mark)
        parts: dict[int, list[int]] = {}
        for mark in marks:
            parts.setdefault(find(mark), []).append(mark)
        return list(parts.values())

    def _flat(self, marks: Sequence[int], kind: GroupKind) -> list[int]:
        """Give the members of a chain of chains as one chain."""
        found: list[int] = []
        for mark in marks:
            group = self.groups[mark - self.count] if mark >= self.count else None
            found += group.members if group is not None and group.kind == kind else (mark,)
        return found

    def _join(self, kind: GroupKind, members: Sequence[int], joined: Sequence[int] | None = None) -> None:
        """Make a group; `joined` are the marks that it takes the place of, where they are not the members."""
        inside = set(joined or members)
        new = self.count + len(self.groups)
        within: tuple[tuple[int, ...], ...] = ()
        if kind == "bundle":
            place = {member: position for position, member in enumerate(members)}
            within = tuple(tuple(sorted(place[link] for link in self.up[one] if link in place)) for one in members)
        self.groups.append(Group(kind=kind, members=tuple(members), inputs=within))
        # Bundles are alike whatever is in them: which targets stand on the same things is what there is to see.
        self.kind[new] = (kind, () if kind == "bundle" else tuple(self.kind[member] for member in members))
        up = {link for member in inside for link in self.up[member]} - inside
        down = {taker for member in inside for taker in self.down[member]} - inside
        for member in inside:
            del self.up[member], self.down[member]
        self.up[new], self.down[new] = up, down
        for link in up:
            self.down[link] = self.down[link] - inside | {new}
        for taker in down:
            self.up[taker] = self.up[taker] - inside | {new}

    def done(self) -> Fold:
        """Give what is left, without the groups that went into others."""
        marks = sorted(self.up, key=lambda mark: (self._first(mark), mark))
        kept = self._reached(marks)
        number = {old: self.count + new for new, old in enumerate(kept)} | {mark: mark for mark in range(self.count)}
        groups = [
            replace(group, members=tuple(number[member] for member in group.members))
            for group in (self.groups[old - self.count] for old in kept)
        ]
        position = {mark: at for at, mark in enumerate(marks)}
        inputs = [tuple(sorted(position[link] for link in self.up[mark])) for mark in marks]
        return Fold(groups=groups, marks=[number[mark] for mark in marks], inputs=inputs)

    def _first(self, mark: int) -> int:
        while mark >= self.count:
            mark = self.groups[mark - self.count].members[0]
        return mark

    def _reached(self, marks: Sequence[int]) -> list[int]:
        found, stack = [], [mark for mark in marks if mark >= self.count]
        while stack:
            mark = stack.pop()
            found.append(mark)
            stack += [member for member in self.groups[mark - self.count].members if member >= self.count]
        return sorted(found)


def gather(kinds: Sequence[Hashable], depth: Sequence[int], step: int) -> Fold:
    """Gather records by kind and depth: a summary, where there are too many for a picture of each.

    Parameters
    ----------
    kinds : sequence of hashable, length records
    depth : sequence of int, length records
        See `depths`.
    step : int
        Depths that are one.

    Returns
    -------
    Fold
        Every mark is a group of kind ``band``, even of one record. Links are left out: each band takes from most above.
    """
    found: dict[tuple[int, Hashable], list[int]] = {}
    for record, kind in enumerate(kinds):
        found.setdefault((depth[record] // step, kind), []).append(record)
    keys = sorted(found, key=lambda key: (key[0], found[key][0]))
    return Fold(
        groups=[Group(kind="band", members=tuple(found[key])) for key in keys],
        marks=[len(kinds) + number for number in range(len(keys))],
        inputs=[() for _ in keys],
    )


def depths(links: Sequence[Sequence[int]]) -> list[int]:
    """Give each node's depth: the longest way to it; nodes on a loop, or behind one, count as deepest.

    Parameters
    ----------
    links : sequence of sequence of int
    """
    takers: list[list[int]] = [[] for _ in links]
    waiting = [len(own) for own in links]
    for node, own in enumerate(links):
        for link in own:
            takers[link].append(node)
    found = [0] * len(links)
    order = [node for node, count in enumerate(waiting) if not count]
    for node in order:  # grows while it is walked
        for taker in takers[node]:
            found[taker] = max(found[taker], found[node] + 1)
            waiting[taker] -= 1
            if not waiting[taker]:
                order.append(taker)
    deepest = max(found, default=0)
    return [deepest + 1 if waiting[node] else depth for node, depth in enumerate(found)]
