"""What runs after each possible change, for all changes at once.

A change of a record reaches all that takes it, directly or not, if what changes makes other content. All of that runs,
and with it every step without a result that one of those takes. So the answer for a record is the union of the answers
for what takes it. Sets are big integers, a bit for each step, some steps at a time to keep them small; a cost is summed
up by its binary digits, each with one count of bits.
"""

from __future__ import annotations

from collections.abc import Sequence

from cachegraph.core.resolved import ResolvedExport

__all__ = ["reach"]

_BLOCK = 8_192
"""Steps at a time: 1 KiB a record."""


def reach(
    graph: ResolvedExport, steps: Sequence[int], loadable: Sequence[bool], costs: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Sum up, for each record, what runs after it has changed.

    Parameters
    ----------
    graph : ResolvedExport
    steps : sequence of int
        The steps of the build; what is not a step costs nothing.
    loadable : sequence of bool, length records
        Whether a step is loaded where its result is needed and it has not changed.
    costs : sequence of sequence of int, each of length records
        Of each record: a count of one, bytes, microseconds.

    Returns
    -------
    list of list of int, each of length records
        For each of the costs.
    """
    sums = [[0] * len(graph) for _ in costs]
    for start in range(0, len(steps), _BLOCK):
        block = steps[start : start + _BLOCK]
        runs = _runs(graph, block, loadable)
        for total, cost in zip(sums, costs, strict=True):
            planes = _planes([cost[step] for step in block])
            for record, bits in enumerate(runs):
                if bits:
                    total[record] += sum((bits & plane).bit_count() << place for place, plane in planes)
    return sums


def _runs(graph: ResolvedExport, block: Sequence[int], loadable: Sequence[bool]) -> list[int]:
    """Give, for each record, what runs of some steps after it has changed, as bits in the order of these."""
    own = [0] * len(graph)
    for place, step in enumerate(block):
        own[step] = 1 << place
    inputs, dependents = graph.links.inputs, graph.links.dependents
    needed = [0] * len(graph)  # what runs when the result is needed and nothing has changed
    for record in graph.links.order:
        if not loadable[record] and inputs[record]:
            bits = own[record]
            for dependency in inputs[record]:
                bits |= needed[dependency]
            needed[record] = bits
    runs = own
    for record in reversed(graph.links.order):
        bits = own[record]
        for dependency in inputs[record]:
            bits |= needed[dependency]
        for dependent in dependents[record]:
            bits |= runs[dependent]
        runs[record] = bits
    return runs


def _planes(costs: Sequence[int]) -> list[tuple[int, int]]:
    """Give the binary digits of costs: for each place that occurs, which of them have it, as bits."""
    planes = []
    for place in range(max(costs, default=0).bit_length()):
        digits = "".join("1" if cost >> place & 1 else "0" for cost in reversed(costs))
        if "1" in digits:
            planes.append((place, int(digits, 2)))
    return planes
