"""From an export's figures and findings to its verdict: the same, whether it was just read or is held by a store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import SEVERITIES, Finding
from cachegraph.queries.catalogue import get
from cachegraph.schema.storage import PANIC
from cachegraph.schema.summary import ExportSummary
from cachegraph.verdict.causes import Told, causes_of
from cachegraph.verdict.model import Cause, Presence, Verdict, Word

__all__ = ["build_order", "judge", "step_name", "word_of"]

_TOLD = frozenset({"uncached-steps"})
"""Questions whose notes are causes as well."""


def judge(
    export: ExportSummary,
    findings: Iterable[Finding],
    name: Callable[[int], str],
    *,
    rank: Callable[[int], int] | None = None,
    now: int | None = None,
) -> Verdict:
    """Judge an export.

    Parameters
    ----------
    export : ExportSummary
    findings : iterable of Finding
        All of this export's; their order does not matter.
    name : callable
        Names a record by its index, as `step_name` does.
    rank : callable, optional
        Says where a record stands in the order in which steps are named; by default that of their indexes.
    now : int, optional
        Nanoseconds since 1970 UTC; by default the clock's.

    Returns
    -------
    Verdict
    """
    own = list(findings)
    moment = time.time_ns() if now is None else now
    age = None if export.newest_at is None else max(0, moment - export.newest_at) / 1e9
    causes = sorted(causes_of(Told(export=export, name=name, rank=rank or _index), own, age), key=_order)
    told = sum(f.severity == "note" and f.query not in _TOLD and get(f.query).scope == "export" for f in own)
    return Verdict(
        export=export.id,
        spec=export.source,
        kind=export.kind,
        platform=export.platform,
        word=word_of(export),
        cached=export.loadable_steps if export.importable else 0,
        steps=export.steps - export.earlier_steps,
        earlier_steps=export.earlier_steps,
        layers=export.layers,
        bytes=export.listed_bytes,
        presence=_presence(export),
        lost_blobs=export.lost_blobs,
        damaged_blobs=export.damaged_blobs,
        probed_blobs=export.probed_blobs,
        listed_blobs=export.listed_blobs,
        newest_at=export.newest_at,
        age_seconds=age,
        shape=export.shape,
        compression=export.compression,
        causes=tuple(causes),
        notes=told,
    )


def word_of(export: ExportSummary) -> Word:
    """Say in a word what an export is worth.

    Parameters
    ----------
    export : ExportSummary
    """
    if not export.importable:
        return "BREAKS THE BUILD" if (export.import_error or "").startswith(PANIC) else "COLD"
    if not export.results_known:
        return "UNREADABLE"
    if export.breaks_builds:
        return "BREAKS THE BUILD"
    if not export.loadable_steps:
        return "COLD"
    return "CACHED" if export.loadable_steps >= export.steps - export.earlier_steps else "PARTLY CACHED"


def step_name(graph: ExportGraph) -> Callable[[int], str]:
    """Give what names the records of an export: what they do, else their index.

    Parameters
    ----------
    graph : ExportGraph
    """
    return lambda record: graph.naming(record).name or f"record {record}"


def build_order(graph: ExportGraph) -> Callable[[int], int]:
    """Give what ranks the records of an export as a build meets them: inputs first.

    Parameters
    ----------
    graph : ExportGraph
    """
    ranks = {record: rank for rank, record in enumerate(graph.links.order)}
    return lambda record: ranks.get(record, len(ranks) + record)


def _index(record: int) -> int:
    return record


def _presence(export: ExportSummary) -> Presence:
    if export.store_type in ("config", "daemon"):
        return "no-store"
    if export.lost_blobs:
        return "lost"
    if export.probed_blobs >= export.listed_blobs:
        return "there"
    return "partly-asked" if export.probed_blobs else "not-asked"


def _order(cause: Cause) -> tuple[int, int, str, str]:
    return SEVERITIES.index(cause.severity), -len(cause.steps), cause.code or "", cause.kind
