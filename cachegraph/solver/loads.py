"""What loading a key takes: which of its results BuildKit takes, its blobs, and whether the store still has them.

Source: BuildKit ``solver/edge.go`` (``loadCache``, ``processExecReq``) and ``solver/exporter.go`` (``getBestResult``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from cachegraph.core.model import Kind
from cachegraph.core.results import State
from cachegraph.solver.keys import CacheKeys

__all__ = ["KeyLoads", "Load", "Loadable"]

EAGER: frozenset[Kind] = frozenset({"local", "config", "daemon"})
"""Kinds of which a lost blob shows when the result is loaded, so that the step runs instead; elsewhere the build fails.
"""


class Loadable(IntEnum):
    """Whether a key has a result to load, from worst to best."""

    NO = 0
    BLOB_MISSING = 1  # the manifest lists every blob, the store lacks one
    UNKNOWN = 2  # the source tells keys only
    YES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The result of a key that BuildKit takes: the newest.

    Attributes
    ----------
    time : int
        Nanoseconds since 1970 UTC; `cachegraph.core.times.UNKNOWN` where unknown.
    blobs : tuple of str
        Digests, bottom first.
    """

    time: int
    blobs: tuple[str, ...]


class KeyLoads:
    """The results of one cache's keys.

    Parameters
    ----------
    keys : CacheKeys
    chains : bool
        False for BuildKit before 0.10, which skips ``chains``.
    """

    def __init__(self, keys: CacheKeys, *, chains: bool = True) -> None:
        self.keys = keys
        self._chains = chains
        self._eager = keys.export.export.kind in EAGER
        self._state = bytearray(len(keys.key))
        self._broken: set[int] = set()
        if not keys.export.export.results_known:
            self._state[:] = bytes([Loadable.UNKNOWN]) * len(self._state)
            return
        columns, states = keys.export.columns, keys.export.resolved.result
        for record, key in enumerate(keys.key):
            for result in range(columns.result_ptr[record], columns.result_ptr[record + 1]):
                if key < 0 or (columns.is_chain[result] and not chains):
                    continue
                if states[result] == State.LOADABLE:
                    self._state[key] = Loadable.YES
                elif states[result] == State.BLOB_MISSING:
                    self._broken.add(record)
                    self._state[key] = max(self._state[key], Loadable.BLOB_MISSING)

    @property
    def is_lazy(self) -> bool:
        """Whether a lost blob shows too late to run the step instead."""
        return not self._eager

    def state(self, key: int) -> Loadable:
        """Say whether a key has a result to load."""
        state = Loadable(self._state[key])
        if state is Loadable.YES and not self._eager and self._newest_is_broken(key):
            return Loadable.BLOB_MISSING
        return state

    def _newest_is_broken(self, key: int) -> bool:
        if not self._broken.intersection(self.keys.members(key)):
            return False
        return self._newest(key, State.BLOB_MISSING) > self._newest(key, State.LOADABLE)

    def _newest(self, key: int, state: State) -> int:
        export = self.keys.export
        return max(int(export.result_times[result]) for result in self._results(key) if export.state(result) is state)

    def _results(self, key: int) -> list[int]:
        export = self.keys.export
        results = [result for member in self.keys.members(key) for result in export.results(member)]
        return results if self._chains else [result for result in results if not export.columns.is_chain[result]]

    def load(self, key: int) -> Load | None:
        """Give the result that BuildKit loads for a key: the newest; None if there is none or it is unknown."""
        export = self.keys.export
        results = [result for result in self._results(key) if export.state(result) is State.LOADABLE]
        if not results or not export.export.results_known:
            return None
        newest = max(results, key=lambda result: int(export.result_times[result]))
        return Load(time=int(export.result_times[newest]), blobs=export.result_blobs(newest))
