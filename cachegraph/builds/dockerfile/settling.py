"""From vertices to the operations that a target needs, each once (``client/llb``: ``State.Marshal``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cachegraph.builds import llb
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.vertices import Slot, Vertex
from cachegraph.builds.operations import Operation

__all__ = ["Settled", "settle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The operations that targets need.

    Attributes
    ----------
    targets : tuple of Operation or None
        One for each target; None for scratch.
    ignoring : frozenset of str
        Identities of operations that run whatever is cached. BuildKit says so beside an operation, and of equal ones if
        it says so of one.
    """

    targets: tuple[Operation | None, ...]
    ignoring: frozenset[str]


def settle(targets: Sequence[tuple[Vertex | None, llb.Platform]]) -> Settled:
    """Make the operations that targets need, each once.

    Parameters
    ----------
    targets : sequence of (Vertex or None, llb.Platform)
        A target and the platform of operations below it that name none.

    Returns
    -------
    Settled
    """
    known: dict[str, Operation] = {}
    made: list[Operation | None] = []
    ignoring: set[str] = set()
    for target, platform in targets:
        settled: dict[Vertex, Operation] = {}
        for vertex in _needed(target):
            if isinstance(vertex, Slot):
                if vertex.source is not None:
                    settled[vertex] = settled[vertex.source]
                continue
            operation = settled[vertex] = _operation(vertex, settled, platform, known)
            if vertex.ignores_cache:
                ignoring.add(operation.identity)
        made.append(None if target is None else settled[target])
    return Settled(targets=tuple(made), ignoring=frozenset(ignoring))


def _needed(target: Vertex | None) -> list[Vertex]:
    """List what a target needs, inputs first."""
    found = _closure([] if target is None else [target])
    # A slot is made before its source, and everything that takes it after: so what is behind slots comes first.
    behind = _closure([vertex.source for vertex in found if isinstance(vertex, Slot) and vertex.source is not None])
    return sorted(found, key=lambda vertex: (vertex not in behind, vertex.number))


def _closure(waiting: list[Vertex]) -> set[Vertex]:
    found: set[Vertex] = set()
    while waiting:
        vertex = waiting.pop()
        if vertex not in found:
            found.add(vertex)
            waiting += [vertex.source] if isinstance(vertex, Slot) and vertex.source is not None else vertex.inputs()
    return found


def _operation(
    vertex: Vertex, settled: Mapping[Vertex, Operation], platform: llb.Platform, known: dict[str, Operation]
) -> Operation:
    made = vertex.make(settled, platform)
    try:
        identity = Operation.identify(made.op, made.inputs, made.platform, made.origin, made.unknown)
    except UnicodeEncodeError:
        raise DockerfileError("bytes that are no UTF-8", line=vertex.label.start) from None
    if identity not in known:
        known[identity] = Operation(
            op=made.op,
            inputs=tuple(made.inputs),
            platform=made.platform,
            label=vertex.label,
            origin=made.origin,
            unknown=made.unknown,
            identity=identity,
        )
    return known[identity]
