"""One export, resolved: its records, links and results, and what follows from them alone."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from functools import cached_property
from itertools import pairwise

import msgspec

from cachegraph.core.columns import Columns, build_columns
from cachegraph.core.model import CacheExport, CacheRecord, Fault, Op
from cachegraph.core.operations import operation, operation_digests
from cachegraph.core.results import Resolved, State, ancestors, resolve
from cachegraph.core.search import Links
from cachegraph.core.times import parse_times
from cachegraph.core.verdict import annotation_refusal, parse_refusal
from cachegraph.errors import UnknownNameError

__all__ = ["ResolvedExport"]

_STATES = tuple(State)


class ResolvedExport:
    """The records, inputs, results and layers of one export, resolved.

    Parameters
    ----------
    export : CacheExport

    Attributes
    ----------
    export : CacheExport
    columns : Columns
    resolved : Resolved
    loadable : bytearray, shape (records,)
        1 for each record that has a loadable result.
    parents : list of int, length layers
        Parent of each layer, as the export says.
    missing_blobs : set of str
        Listed blobs that the store lacks.
    faults : dict of str to str
        Why a listed blob cannot be loaded although it is there, by digest.
    """

    def __init__(self, export: CacheExport) -> None:
        self.export = export
        self.columns: Columns = build_columns(export.config)
        self.listed = None if export.blobs is None else {blob.digest for blob in export.blobs}
        self.missing_blobs = {blob.digest for blob in export.blobs or () if blob.present is False}
        self.faults: dict[str, Fault] = {b.digest: b.fault for b in export.blobs or () if b.fault is not None}
        self.resolved: Resolved = resolve(self.columns, self.listed, self.missing_blobs, self.faults)
        self.parents = self.columns.layer_parent
        states, bounds, loadable = self.resolved.result, self.columns.result_ptr, int(State.LOADABLE)
        self.loadable = bytearray(loadable in states[low:high] for low, high in pairwise(bounds))

    def __len__(self) -> int:
        """Count the records."""
        return len(self.export.config.records)

    # --- The export --------------------------------------------------------------------------------------------------

    @cached_property
    def id(self) -> str:
        """Identity of the export: sha256 over source, config digest and platform."""
        identity = [self.export.source, self.export.config_digest, self.export.platform]
        return hashlib.sha256(msgspec.json.encode(identity)).hexdigest()

    @cached_property
    def import_error(self) -> str | None:
        """BuildKit's words if it refuses the export; None if it imports it, or need not: a daemon's own keys."""
        if self.export.kind == "daemon":
            return None
        return (
            self.export.refusal
            or annotation_refusal(self.export.config, self.export.kind)
            or parse_refusal(self.export.config, self.resolved, self.links, self.listed)
        )

    @cached_property
    def links(self) -> Links:
        """Links in both directions, for searches."""
        return Links(self.export.config.records)

    # --- Records -----------------------------------------------------------------------------------------------------

    def record(self, index: int) -> CacheRecord:
        """Give the record at this index.

        Parameters
        ----------
        index : int

        Raises
        ------
        UnknownNameError
            Out of range.
        """
        if not 0 <= index < len(self):
            last = f"0 to {len(self) - 1}" if len(self) else "none: the export is empty"
            raise UnknownNameError(f"{self.export.source}: no record {index}", hint=f"records are {last}")
        return self.export.config.records[index]

    def is_root(self, record: int) -> bool:
        """Tell whether a record has no inputs."""
        return not self.export.config.records[record].inputs

    @cached_property
    def roots(self) -> list[int]:
        """Records without inputs, by index."""
        return [index for index, record in enumerate(self.export.config.records) if not record.inputs]

    @cached_property
    def operations(self) -> dict[int, Op]:
        """Which records are merges and diffs: digest and number of slots agree."""
        table, found = operation_digests(), {}
        for index, record in enumerate(self.export.config.records):
            if record.digest in table and (op := operation(record.digest, len(record.inputs))):
                found[index] = op
        return found

    @cached_property
    def merges(self) -> list[int]:
        """Merge records, by index."""
        return [index for index, op in self.operations.items() if op == "merge"]

    @cached_property
    def diffs(self) -> list[int]:
        """Diff records of two slots, by index."""
        records = self.export.config.records
        return [index for index, op in self.operations.items() if op == "diff" and len(records[index].inputs) == 2]

    @cached_property
    def bridged(self) -> bytearray:
        """Mark each record that some loadable record depends on, directly or not."""
        return self.links.below(self.loadable)

    @cached_property
    def key_ids(self) -> list[str]:
        """Identity of each record across exports.

        Returns
        -------
        list of str
            sha256 over the digest and, for each slot, the sorted set of (selector, key id). Records on a loop, or that
            depend on one, have no such identity; theirs is the sha256 of export id and index.
        """
        ids = [""] * len(self)
        for index in self.links.order:
            record = self.export.config.records[index]
            slots = [sorted({(a.selector, self._link_id(ids, a.link)) for a in slot}) for slot in record.inputs]
            ids[index] = hashlib.sha256(msgspec.json.encode([record.digest, slots])).hexdigest()
        return [key or hashlib.sha256(f"{self.id}/r{index}".encode()).hexdigest() for index, key in enumerate(ids)]

    def _link_id(self, ids: list[str], link: int) -> str:
        return ids[link] if 0 <= link < len(ids) else f"out of range: {link}"

    @cached_property
    def missing(self) -> list[int]:
        """Records that are not roots and have no loadable result, by index; none where results are not known."""
        if not self.export.results_known:
            return []
        records = self.export.config.records
        return [i for i, loadable in enumerate(self.loadable) if not loadable and records[i].inputs]

    @cached_property
    def downstream_loadable(self) -> dict[int, int | None]:
        """Count, for each missing record, the loadable ones that depend on it; None where a loop hides it."""
        return self.links.count_above(self.missing, self.loadable)

    def matched(self, roots: Collection[int], changed: Collection[int] = ()) -> set[int]:
        """Find the records that a build matches when these roots are unchanged.

        A record is matched when in every slot some alternative is: AND over slots, OR over alternatives.

        Parameters
        ----------
        roots : collection of int
            Roots that match; the others have changed.
        changed : collection of int
            Other records whose own step has changed: they do not match, whatever their inputs do.

        Returns
        -------
        set of int

        Notes
        -----
        Source: BuildKit ``solver/edge.go`` and ``solver/cachemanager.go`` (``Query``).
        """
        found: set[int] = set()
        for index in self.links.order:
            if index in changed:
                continue
            slots = self.export.config.records[index].inputs
            if all(any(a.link in found for a in slot) for slot in slots) if slots else index in roots:
                found.add(index)
        return found

    # --- Results -----------------------------------------------------------------------------------------------------

    def results(self, record: int) -> range:
        """Positions of a record's results in the result columns, in BuildKit's order."""
        return range(*self.columns.result_ptr[record : record + 2])

    def state(self, result: int) -> State:
        """Say what becomes of a result."""
        return _STATES[self.resolved.result[result]]

    @cached_property
    def result_times(self) -> list[int]:
        """When each result was made.

        Returns
        -------
        list of int, length results
            Nanoseconds since 1970 UTC, `cachegraph.core.times.UNKNOWN` where unknown.
        """
        records = self.export.config.records
        made = (results for record in records for results in (record.layers, record.chains))
        return parse_times([result.created_at for results in made for result in results])

    def result_layers(self, result: int) -> list[int]:
        """Layers of a result as the export gives them, bottom first.

        Parameters
        ----------
        result : int
            Position in the result columns.

        Returns
        -------
        list of int
            Layer indexes; those out of range are left out.
        """
        layer = self.columns.result_layer[result]
        if not self.columns.is_chain[result]:
            return ancestors(self.parents, layer)
        count = len(self.parents)
        return [index for index in self.columns.chains[layer] if 0 <= index < count]

    def result_blobs(self, result: int) -> tuple[str, ...]:
        """Blob digests of a result, bottom first."""
        blobs = self.columns.layer_blob
        return tuple([blobs[index] for index in self.result_layers(result)])

    def loadable_results(self, record: int) -> Iterator[int]:
        """Positions of a record's loadable results, in BuildKit's order."""
        return (result for result in self.results(record) if self.resolved.result[result] == State.LOADABLE)

    def newest_result(self, record: int) -> int | None:
        """Position of the newest loadable result, which BuildKit takes (of equals any, here the first), or None."""
        loadable = list(self.loadable_results(record))
        if len(loadable) <= 1:
            return loadable[0] if loadable else None
        first_of = {self.result_blobs(result): result for result in reversed(loadable)}  # the same blobs count once
        return max(sorted(first_of.values()), key=self.result_times.__getitem__)

    # --- Layers ------------------------------------------------------------------------------------------------------

    @cached_property
    def used_layers(self) -> bytearray:
        """Mark each layer that some loadable result uses."""
        used = bytearray(len(self.parents))
        columns = self.columns
        alone: list[int] = []
        chained: list[int] = []
        for state, is_chain, at in zip(self.resolved.result, columns.is_chain, columns.result_layer, strict=True):
            if state == State.LOADABLE:
                (chained if is_chain else alone).append(at)
        for layer in alone:
            while layer >= 0 and not used[layer]:
                used[layer] = 1
                layer = self.parents[layer]
        # The walks above stop at a used layer, whose parents are used then: so chains, which use no parents, come last.
        for at in chained:
            for layer in columns.chains[at]:
                used[layer] = 1
        return used

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Sizes in bytes of the listed blobs, by digest, as far as known."""
        return {blob.digest: blob.size for blob in self.export.blobs or () if blob.size is not None}
