"""What changed between two exports, from where each difference begins.

Keys are the same when a build that asks for the one matches the other (`cachegraph.solver.match`), not only when they
are identical: an export lists alternatives that another run of the same build does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.schema.uncached import asked
from cachegraph.solver.keys import CacheKeys
from cachegraph.solver.match import match
from cachegraph.solver.rows import Rows
from cachegraph.solver.single import Graphs, single
from cachegraph.text.words import plural, size_text

__all__ = ["Change", "Diff", "Side", "diff", "diff_keys"]

Changed = Literal["key gained", "key lost", "result gained", "result lost"]
Cause = Literal["instruction", "input", "result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference.

    Attributes
    ----------
    change : {"key gained", "key lost", "result gained", "result lost"}
        A key that is gained or lost goes with its results; a result is gained or lost where the key stayed.
    old, new : int or None
        Index of the record in each export; None where the key is not there.
    digest, name : str
    loadable : bool
        Whether the record has a loadable result on the side that has it, of a result that is lost: had.
    cause : {"instruction", "input", "result"}
        The step itself differs; only what it takes; or only the result.
    begins : int
        Record with which this difference begins, on the same side: itself, or one that it depends on.
    slot : int or None
        First slot in which an input differs.
    """

    change: Changed
    old: int | None
    new: int | None
    digest: str
    name: str
    loadable: bool
    cause: Cause
    begins: int
    slot: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """How well one of the exports covers its steps.

    Attributes
    ----------
    source : str
    records : int
    steps, loadable : int
        Steps that its build asked for, and those of them that can be loaded, as ``check`` counts them.
    carried : int
        Keys of earlier builds that it carries along: none has a result, and none counts as a step.
    bytes : int or None
        Of all loadable results, each blob once; None where the export does not say.
    """

    source: str
    records: int
    steps: int
    loadable: int
    carried: int
    bytes: int | None


class Diff(Rows[Change]):
    """The differences of two exports: what is gained first, then what is lost, dependencies first.

    Attributes
    ----------
    old, new : Side
    same : int
        Keys of the new export that the old one has.
    """

    row = Change

    def __init__(self, changes: Iterable[Change], *, old: Side, new: Side, same: int) -> None:
        super().__init__(changes)
        self.old = old
        self.new = new
        self.same = same

    def count(self, change: Changed) -> int:
        """Count the differences of one kind."""
        return sum(row.change == change for row in self)

    @property
    def lost_results(self) -> tuple[Change, ...]:
        """What could be loaded and cannot any more: lost results, and lost keys that had one."""
        return tuple(row for row in self if row.change == "result lost" or (row.change == "key lost" and row.loadable))

    @property
    def groups(self) -> dict[tuple[Changed, int], tuple[Change, ...]]:
        """The differences by kind and by the record with which they begin."""
        found: dict[tuple[Changed, int], list[Change]] = {}
        for row in self:
            found.setdefault((row.change, row.begins), []).append(row)
        return {key: tuple(rows) for key, rows in found.items()}

    @property
    def summary(self) -> str:
        """The answer in a line, as terraform ends a plan."""
        if not self:
            return f"No difference: {plural(self.same, 'key')} the same."
        keys = f"Keys: {self.count('key gained')} gained, {self.count('key lost')} lost, {self.same} the same."
        results = f"Results: {self.count('result gained')} gained, {self.count('result lost')} lost."
        return f"{keys} {results} Loadable: {_coverage(self.old)} before, {_coverage(self.new)} now."

    def __repr__(self) -> str:
        """Say it in one line."""
        return f"<{type(self).__name__}: {self.summary}>"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show it in a notebook."""
        from cachegraph.solver.display import describe_diff

        return describe_diff(self)


def _coverage(side: Side) -> str:
    size = "" if side.bytes is None else f" ({size_text(side.bytes)})"
    return f"{side.loadable} of {plural(side.steps, 'step')}{size}"


def diff(old: Graphs, new: Graphs) -> Diff:
    """Compare two exports.

    Parameters
    ----------
    old, new : ExportGraph, or a graph of one export

    Returns
    -------
    Diff
        Empty where nothing differs; that of an export with itself is.

    Raises
    ------
    cachegraph.errors.UsageError
        Not one export on a side.
    """
    before, after = single(old, "the old export"), single(new, "the new export")
    return diff_keys(CacheKeys(before), CacheKeys(after), before, after)


def diff_keys(old: CacheKeys, new: CacheKeys, before: ExportGraph, after: ExportGraph) -> Diff:
    """Compare two exports whose keys were made before, which takes half of the time.

    Parameters
    ----------
    old, new : CacheKeys
    before, after : ExportGraph
        What they are of.
    """
    forward, backward = _pairs(old, new, before, after)
    return Diff(
        _Gained(before, after, forward).changes() + _Lost(after, before, backward).changes(),
        old=measure(before),
        new=measure(after),
        same=sum(bool(records) for records in forward),
    )


def _pairs(
    old_keys: CacheKeys, new_keys: CacheKeys, old: ExportGraph, new: ExportGraph
) -> tuple[list[list[int]], list[list[int]]]:
    """List, for each record of the new export and of the old one, those on the other side that are the same key.

    Each is asked for by a build that has the other: BuildKit may fold records so that only one way matches. What no
    build can match (in an export that BuildKit refuses) is still the same where it is identical.
    """
    forward, backward = match(new, old_keys), match(old, new_keys)
    pairs = {(n, o) for n in range(len(new)) for o in forward.records(n)}
    pairs |= {(n, o) for o in range(len(old)) for n in backward.records(o)}
    identical: dict[str, list[int]] = {}
    if len({n for n, _ in pairs}) < len(new) and len({o for _, o in pairs}) < len(old):
        for index, key in enumerate(old.key_ids):
            identical.setdefault(key, []).append(index)
        pairs |= {(n, o) for n, key in enumerate(new.key_ids) for o in identical.get(key, ())}
    ways: tuple[list[list[int]], list[list[int]]] = [[] for _ in range(len(new))], [[] for _ in range(len(old))]
    for n, o in sorted(pairs):
        ways[0][n].append(o)
        ways[1][o].append(n)
    return ways


class _Gained:
    """What one export has that the other lacks; of the two, `here` has it.

    Parameters
    ----------
    there, here : ExportGraph
    pairs : sequence of list of int
        For each record here, those there that are the same key.
    """

    key: Changed = "key gained"
    result: Changed = "result gained"

    def __init__(self, there: ExportGraph, here: ExportGraph, pairs: Sequence[list[int]]) -> None:
        self.there = there
        self.here = here
        self.pairs = pairs
        self.begins: dict[int, tuple[int, Cause, int | None]] = {}

    def changes(self) -> list[Change]:
        """List the differences, dependencies first."""
        ordered = self.here.links.order
        left = sorted(set(range(len(self.here))) - set(ordered)) if len(ordered) < len(self.here) else []
        found: list[Change] = []
        for record in (*ordered, *left):
            if not self.pairs[record]:
                self.begins[record] = self._begin(record)
                begins, cause, slot = self.begins[record]
                found.append(self._change(self.key, record, None, cause, begins, slot))
            elif self.here.loadable[record] and not any(self.there.loadable[other] for other in self.pairs[record]):
                found.append(self._change(self.result, record, self.pairs[record][0], "result", record, None))
        return found

    def _begin(self, record: int) -> tuple[int, Cause, int | None]:
        """Say with which record a missing key begins, and in which slot."""
        slots = self.here.export.config.records[record].inputs
        first: int | None = None
        for number, slot in enumerate(slots):
            links = [a.link for a in slot if 0 <= a.link < len(self.pairs)]
            if any(self.pairs[link] for link in links):
                continue
            first = number if first is None else first
            for link in links:
                if link in self.begins and not self.here.is_root(link):
                    return self.begins[link][0], "input", number
        return record, "instruction" if first is None else "input", first

    def _change(
        self, change: Changed, record: int, other: int | None, cause: Cause, begins: int, slot: int | None
    ) -> Change:
        gained = isinstance(self, _Gained) and not isinstance(self, _Lost)
        return Change(
            change=change,
            old=other if gained else record,
            new=record if gained else other,
            digest=self.here.export.config.records[record].digest,
            name=self.here.naming(record).name,
            loadable=bool(self.here.loadable[record]),
            cause=cause,
            begins=begins,
            slot=slot,
        )


class _Lost(_Gained):
    """The same, looked at from the old export."""

    key: Changed = "key lost"
    result: Changed = "result lost"


def measure(graph: ExportGraph) -> Side:
    """Say how well an export covers its steps.

    Parameters
    ----------
    graph : ExportGraph

    Returns
    -------
    Side
    """
    steps = asked(graph)
    blobs = {graph.export.config.layers[layer].blob for layer, used in enumerate(graph.used_layers) if used}
    sizes = [graph.sizes.get(blob) for blob in blobs]
    return Side(
        source=graph.export.source,
        records=len(graph),
        steps=len(steps),
        carried=sum(not graph.is_root(index) for index in range(len(graph))) - len(steps),
        loadable=sum(graph.loadable[index] for index in steps),
        bytes=None if None in sizes else sum(size or 0 for size in sizes),
    )
