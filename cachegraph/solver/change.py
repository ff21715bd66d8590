"""A build after a change: the same records, with other keys where the change reaches.

A changed step has another key, and so has all that takes it, unless BuildKit looks at content and finds it unchanged.
What a changed step makes is unknown before it has run, so whether its content is the same is left open, or assumed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheConfig, CacheInput, CacheRecord

__all__ = ["Content", "changed", "derived"]

Content = Literal["unknown", "same", "other"]
"""What changed steps make: unknown, the same files as before, or others."""


def changed(
    graph: ExportGraph, records: Collection[int], *, content: Content = "unknown", spared: Collection[int] = ()
) -> ExportGraph:
    """Give the keys that a build asks for after some of its records have changed.

    Parameters
    ----------
    graph : ExportGraph
        The build before.
    records : collection of int
        What changes: steps, sources or content keys.
    content : {"unknown", "same", "other"}
        What the changed steps make.
    spared : collection of int
        Records that the change does not reach, although they take what changes: they take it as it was.

    Returns
    -------
    ExportGraph
        With the same records; those that change have a digest of their own. If any are spared, the records as they were
        follow, for these to take.
    """
    old = graph.export.config.records
    new = list(old)
    if spared:
        new += [_with(record, inputs=_moved(record, len(old))) for record in old]
    reached = set(records)
    unknown = set(graph.export.unknown)
    for index in graph.links.order:
        record = old[index]
        if index in reached:
            new[index] = _with(record, digest=f"changed:{record.digest}")
        if index in spared:
            new[index] = new[index + len(old)]
            continue
        if not any(a.link in reached for slot in record.inputs for a in slot):
            continue
        slots = []
        for number, slot in enumerate(record.inputs):
            kept, is_open = _slot(graph, slot, reached, content)
            if is_open:
                unknown.add((index, number))
            if is_open or all(alternative.link in reached for alternative in kept):
                reached.add(index)
            slots.append(kept)
        new[index] = _with(new[index], inputs=tuple(slots))
    config = CacheConfig(layers=graph.export.config.layers, records=tuple(new))
    return ExportGraph(replace(graph.export, config=config, unknown=frozenset(unknown)), graph.names)


def _slot(
    graph: ExportGraph, slot: tuple[CacheInput, ...], reached: Collection[int], content: Content
) -> tuple[tuple[CacheInput, ...], bool]:
    """Give what is left of a slot, and whether its content is open."""
    hit = [a for a in slot if a.link in reached]
    looked_at = _content(graph, slot)
    taken = [a for a in slot if a not in looked_at]
    if not any(a in taken for a in hit):
        # Content alone cannot change where a step or a source makes it; elsewhere it is all that there is.
        return (slot, False) if taken or not hit else (tuple(hit), False)
    kept = tuple(a for a in taken if a in hit)
    if not looked_at or content == "other":
        return kept, False
    if content == "same":
        return (*kept, *(a for a in looked_at if a.link not in reached)), False
    return kept, True


def _content(graph: ExportGraph, slot: tuple[CacheInput, ...]) -> list[CacheInput]:
    """List what in a slot can be the content of the other alternatives."""
    return [a for a in slot if not a.selector and 0 <= a.link < len(graph) and graph.is_root(a.link)]


def _moved(record: CacheRecord, by: int) -> tuple[tuple[CacheInput, ...], ...]:
    return tuple(
        tuple(CacheInput(selector=a.selector, link=a.link + by if 0 <= a.link < by else -1) for a in slot)
        for slot in record.inputs
    )


def _with(
    record: CacheRecord, *, digest: str | None = None, inputs: tuple[tuple[CacheInput, ...], ...] | None = None
) -> CacheRecord:
    return CacheRecord(
        layers=record.layers,
        chains=record.chains,
        digest=record.digest if digest is None else digest,
        inputs=record.inputs if inputs is None else inputs,
    )


def derived(graph: ExportGraph) -> set[int]:
    """Find content keys that stand only beside what the content comes from: they cannot change alone.

    Parameters
    ----------
    graph : ExportGraph
    """
    alone: set[int] = set()
    beside: set[int] = set()
    for record in graph.export.config.records:
        for slot in record.inputs:
            content = [a.link for a in _content(graph, slot)] if len(slot) > 1 else []
            (beside if 0 < len(content) < len(slot) else alone).update(content or [a.link for a in slot])
    return beside - alone
