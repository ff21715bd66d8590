"""What the caches have in the place of a step that missed: the step that was, or the inputs that it was run on.

A counterpart is claimed only where it is the only one: of several candidates none is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Literal

from cachegraph.builds.plaintext_names import ROOT_SELECTOR
from cachegraph.core.graph import ExportGraph
from cachegraph.core.operations import operation
from cachegraph.core.resolved import ResolvedExport
from cachegraph.solver.key_meanings import Texts, meaning_of
from cachegraph.solver.keys import CacheKeys, Taken
from cachegraph.solver.meanings import Meaning, likeness
from cachegraph.solver.outlook import Outlook

__all__ = ["MAX_OTHERS", "Counterparts", "RootKind"]

RootKind = Literal["files", "image", "source", "either"]
"""What a step takes that is not a step; ``either`` where that is not known."""

_ROOT_KINDS: dict[str, RootKind] = {"content": "files", "image": "image"}
_IMAGE = "image "
"""How the name of an image's record begins."""
_PLACE = re.compile(r"^\[[^\]]*\] ")
_MAX_USES = 50
MAX_OTHERS = 100
"""Of more keys than this with one digest, as merges have, no single one could be named anyway."""
_ALIKE = 0.5
"""Two steps that read less alike are not called one step that changed."""


class Counterparts:
    """Looks for counterparts in the caches of a build.

    Parameters
    ----------
    build : ExportGraph
    outlook : Outlook
        What the build's records match.
    steps : sequence of int
        Records that are steps of the build; an export made after an import holds others beside them.
    texts : Texts
        Plaintexts by digest.
    references : mapping of str to str
        How users call images and repositories.
    meanings : mapping of str to Meaning
        What is known of digests besides plaintexts, such as from a build's source.
    """

    def __init__(
        self,
        *,
        build: ExportGraph,
        outlook: Outlook,
        steps: Sequence[int],
        texts: Texts,
        references: Mapping[str, str],
        meanings: Mapping[str, Meaning],
    ) -> None:
        self.build = build
        self.outlook = outlook
        self.texts = texts
        self.references = references
        self.meanings = meanings
        self.caches: list[CacheKeys] = [loads.keys for loads in outlook.caches]
        self._matched: list[set[int]] = [set() for _ in self.caches]
        for step in steps:
            for cache, key in outlook.hits[step]:
                self._matched[cache].add(key)

    def meaning(self, graph: ResolvedExport, record: int) -> Meaning | None:
        """Say what a record stands for: by its plaintext, else by its name alone."""
        digest = graph.export.config.records[record].digest
        if meaning := self.meanings.get(digest) or meaning_of(digest, self.texts, self.references):
            return meaning
        name = graph.names.records.get(digest) if isinstance(graph, ExportGraph) else None
        if name is None:
            return None
        kinds = {"exec": "run", "file": "file", "merge": "merge", "diff": "diff", "content": "content"}
        # What the progress puts before a name says where a step stands, not what it does.
        title = _PLACE.sub("", name.name)
        if name.op == "source" and title.startswith(_IMAGE):
            return Meaning(kind="image", title=title.removeprefix(_IMAGE))
        return Meaning(kind=kinds.get(name.op, "source"), title=title)  # type: ignore[arg-type]

    def instruction(self, record: int) -> tuple[list[tuple[CacheKeys, int]], Meaning | None]:
        """Find the steps that a cache has in the place of one whose instruction it lacks.

        Returns
        -------
        tuple of list and (Meaning or None)
            All keys that take what the step takes and that this build does not match; and the one among them that
            reads like it, if there is just one.
        """
        found = [(keys, key) for number, keys in enumerate(self.caches) for key in self._in_place(number, keys, record)]
        now = self.meaning(self.build, record)
        if now is None:
            return found, None
        read = [self.meaning(keys.export, key) for keys, key in found]
        alike = [(likeness(meaning, now), meaning) for meaning in read if meaning is not None]
        distinct = {(m.title, tuple(m.facts.items())): m for score, m in alike if score >= _ALIKE}
        return found, next(iter(distinct.values())) if len(distinct) == 1 else None

    def _in_place(self, number: int, keys: CacheKeys, record: int) -> list[int]:
        """List the keys of a cache that take, slot by slot, what a record takes, and that the build does not match."""
        slots = self.build.export.config.records[record].inputs
        taken = {
            slot: self._taken(number, record, slot) for slot in range(len(slots)) if not self._is_open(record, slot)
        }
        if not taken or not all(taken.values()):
            return []
        first = {member for _, key in next(iter(taken.values())) for member in keys.members(key)}
        candidates = {keys.key[taker] for member in first for taker in keys.export.links.dependents[member]}
        return sorted(
            key
            for key in candidates
            if key >= 0
            and key not in self._matched[number]
            and len(keys.slots(key)) == len(slots)
            and all(not keys.slots(key)[slot].isdisjoint(ours) for slot, ours in taken.items())
        )

    def _is_open(self, record: int, slot: int) -> bool:
        """Tell whether a slot may take content that is not known."""
        return (record, slot) in self.build.export.unknown

    def _taken(self, number: int, record: int, slot: int) -> set[Taken]:
        count = len(self.build)
        return {
            (alternative.selector, key)
            for alternative in self.build.export.config.records[record].inputs[slot]
            if 0 <= alternative.link < count
            for cache, key in self.outlook.hits[alternative.link]
            if cache == number
        }

    def has_instruction(self, record: int) -> bool:
        """Tell whether some cache has the step's own digest, on whatever inputs."""
        found = self.build.export.config.records[record]
        return any(keys.takers(found.digest, len(found.inputs)) is not None for keys in self.caches)

    def others(self, record: int, slot: int) -> list[list[Meaning | None]]:
        """Say what the caches have in a slot in which a step missed: for each key, the meanings of its roots."""
        config = self.build.export.config.records[record]
        missed = {slot} | {
            number for number in range(len(config.inputs)) if number != slot and not self._any_taken(record, number)
        }
        found: dict[tuple[tuple[int, ...], int], list[Meaning | None]] = {}
        for number, roots in self._others(record, missed):
            keys = self.caches[number]
            found.setdefault((tuple(roots[slot]), number), [self.meaning(keys.export, root) for root in roots[slot]])
        return list(found.values())

    def _any_taken(self, record: int, slot: int) -> bool:
        return any(self._taken(number, record, slot) for number in range(len(self.caches)))

    def _others(self, record: int, missed: set[int]) -> list[tuple[int, dict[int, list[int]]]]:
        config = self.build.export.config.records[record]
        found: list[tuple[int, dict[int, list[int]]]] = []
        for number, keys in enumerate(self.caches):
            ours = {
                slot: self._taken(number, record, slot)
                for slot in range(len(config.inputs))
                if slot not in missed and not self._is_open(record, slot)
            }
            for key in sorted(self._candidates(keys, record, ours))[:MAX_OTHERS]:
                slots = keys.slots(key)
                if all(not slots[slot].isdisjoint(taken) for slot, taken in ours.items()):
                    roots = {slot: sorted({root for _, root in slots[slot] if keys.is_root(root)}) for slot in missed}
                    found.append((number, roots))
        return found

    def _candidates(self, keys: CacheKeys, record: int, ours: Mapping[int, set[Taken]]) -> set[int]:
        """List the keys with a record's digest, the fewest that some known slot allows."""
        config = self.build.export.config.records[record]
        takers = keys.takers(config.digest, len(config.inputs)) or {}
        if not ours:
            return set(islice((key for several in takers.values() for key in several), MAX_OTHERS))
        return min(
            ({key for one in taken for key in takers.get((slot, one), ())} for slot, taken in ours.items()), key=len
        )

    def roots(self, record: int, slot: int) -> list[int]:
        """List the roots that a step of the build takes in a slot."""
        count = len(self.build)
        links = [a.link for a in self.build.export.config.records[record].inputs[slot] if 0 <= a.link < count]
        return [link for link in dict.fromkeys(links) if self.build.is_root(link)]

    def root_kind(self, record: int, slot: int) -> RootKind:
        """Say what a slot without a matching step takes: files, an image, another source, or either.

        Notes
        -----
        Without a name the way in which roots are taken tells: the root file system of a RUN is narrowed to ``/`` and
        never found by content, a merge takes no files, and any other input after the first is files. The first input
        of a step with one slot can be both: WORKDIR takes an image, COPY --link files.
        """
        roots = self.roots(record, slot)
        for meaning in (self.meaning(self.build, root) for root in roots):
            if meaning is not None:
                return _ROOT_KINDS.get(meaning.kind, "source")
        if any(root in self.build.images.layers for root in roots):
            return "image"
        uses = [(record, slot), *(use for root in roots for use in self._uses(root))]
        kinds: set[RootKind] = {kind for kind in (self._use_kind(*use) for use in uses) if kind != "either"}
        return kinds.pop() if len(kinds) == 1 else "either"

    def _uses(self, root: int) -> list[tuple[int, int]]:
        """List the places in which a root is taken."""
        return [
            (taker, number)
            for taker in dict.fromkeys(self.build.links.dependents[root][:_MAX_USES])
            for number, slot in enumerate(self.build.export.config.records[taker].inputs)
            if any(alternative.link == root for alternative in slot)
        ]

    def _use_kind(self, record: int, slot: int) -> RootKind:
        config = self.build.export.config.records[record]
        if operation(config.digest, len(config.inputs)) in ("merge", "diff"):
            return "source"
        if slot == 0 and any(alternative.selector == ROOT_SELECTOR for alternative in config.inputs[slot]):
            return "source"
        if slot > 0:
            return "files"
        return "source" if len(config.inputs) > 1 else "either"
