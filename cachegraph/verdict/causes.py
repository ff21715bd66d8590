"""Findings to causes: one for each thing that is wrong, in words that name the steps, the cost and the cure.

A question that is to be told in its own way has a function here, by its name in `TELLERS`; of any other the worst
findings are told by their messages, and counted. What costs nothing is told by no cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cachegraph.queries.base import SEVERITIES, Finding
from cachegraph.queries.import_errors import ImportError_
from cachegraph.queries.uncached_steps import UncachedSteps
from cachegraph.queries.unreachable_roots import UnreachableRoot
from cachegraph.schema.storage import PANIC
from cachegraph.schema.summary import ExportSummary
from cachegraph.text.durations import age_text
from cachegraph.text.rules import CODES
from cachegraph.text.words import plural
from cachegraph.verdict.imports import fragile_causes, shadowed_causes
from cachegraph.verdict.model import Cause
from cachegraph.verdict.uncached import uncached_causes

__all__ = ["TELLERS", "Told", "causes_of"]

_STALE_SECONDS = 21 * 86_400
"""Age of the newest result after which somebody may have stopped exporting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a cause may be told of.

    Attributes
    ----------
    export : ExportSummary
    name : callable
        Names a record by its index.
    rank : callable
        Says where a record stands in the order in which steps are named.
    """

    export: ExportSummary
    name: Callable[[int], str]
    rank: Callable[[int], int]

    def names(self, records: Iterable[int]) -> tuple[str, ...]:
        """Name records, each name once."""
        return tuple(dict.fromkeys(map(self.name, sorted(records, key=self.rank))))


def causes_of(told: Told, findings: Iterable[Finding], age: float | None) -> Iterator[Cause]:
    """Tell each cause once.

    Parameters
    ----------
    told : Told
    findings : iterable of Finding
        All of the export's.
    age : float or None
        Seconds since the newest result was made.

    Yields
    ------
    Cause
        In no particular order.
    """
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.query, []).append(finding)
    refusals = groups.get("import-errors")
    if refusals:  # nothing else of it matters to a build
        yield from _refused(refusals)
        return
    for query, group in groups.items():
        yield from TELLERS.get(query, _worst)(told, sorted(group, key=_place))
    if not told.export.results_known:
        yield Cause(
            kind="keys-only",
            code=None,
            severity="note",
            what="This address tells keys only, so which steps have a result cannot be told.",
            cure="Give the builder's own database: type=daemon,db=/var/lib/buildkit/cache.db.",
        )
    elif age is not None and age >= _STALE_SECONDS and told.export.kind != "daemon":
        yield Cause(
            kind="stale",
            code=None,
            severity="note",
            what=f"Nothing new was exported for {age_text(age)}.",
            cure="Check that a build still exports to it.",
        )


def _place(finding: Finding) -> tuple[int, int, str]:
    return SEVERITIES.index(finding.severity), -1 if finding.record is None else finding.record, finding.digest or ""


def _worst(told: Told, findings: Sequence[Finding]) -> Iterator[Cause]:  # noqa: ARG001 - as the other tellers
    bad = [finding for finding in findings if finding.severity != "note"]
    if bad:
        first, *others = bad
        more = f" {plural(len(others), 'more finding')} of {first.query}." if others else ""
        yield Cause(
            kind=first.query,
            code=CODES[first.query],
            severity=first.severity,
            what=first.message + more,
            steps=tuple(finding.record for finding in bad if finding.record is not None),
        )


def _refused(findings: Sequence[Finding]) -> Iterator[Cause]:
    for finding in findings:
        assert isinstance(finding, ImportError_)
        if finding.error.startswith(PANIC):
            yield Cause(
                kind="no-history",
                code=finding.code,
                severity="error",
                what="The image's history is shorter than its layers, and buildkitd panics when it imports that.",
                cost="buildkitd ends, and every build that runs on it fails.",
                cure="Take this image out of --cache-from, and build it again with BuildKit.",
            )
            continue
        large = "too large" in finding.error
        yield Cause(
            kind="too-large" if large else "refused",
            code=finding.code,
            severity="error",
            what=f'BuildKit refuses it ("{finding.error}").',
            cost="Every build that imports it starts cold.",
            cure="Export less: mode=min, fewer stages, or a cache for each target; S3, Azure and GitHub have no limit."
            if large
            else "Export again, to a new place.",
        )


def _lost_roots(told: Told, findings: Sequence[Finding]) -> Iterator[Cause]:
    lost = [f for f in findings if isinstance(f, UnreachableRoot) and f.severity != "note"]
    if lost:
        one = len(lost) == 1
        records = tuple(finding.record for finding in lost if finding.record is not None)
        yield Cause(
            kind="lost-root",
            code=lost[0].code,
            severity=lost[0].severity,
            what=f"{plural(len(lost), 'operation')} on scratch {'keeps' if one else 'keep'} no result: "
            f"{'its layer is' if one else 'their layers are'} in a merged result, and cannot be loaded apart.",
            cost=f"{'It runs' if one else 'They run'} again as soon as another input of the merge changes.",
            cure=f"Give {'it' if one else 'them'} an input: copy from a base image instead of starting on scratch.",
            steps=records,
            names=told.names(records),
        )


def _empty(told: Told, findings: Sequence[Finding]) -> Iterator[Cause]:
    from cachegraph.verdict.cures import cache_to

    for finding in findings:
        yield Cause(
            kind="empty",
            code=finding.code,
            severity=finding.severity,
            what="It holds sources only: BuildKit imports it, and finds no step."
            if told.export.records
            else "It is empty: BuildKit imports it, and finds nothing.",
            cost="Every step runs.",
            cure="Export a build that ran its steps, with mode=max.",
            paste=cache_to(told.export.source, inline=told.export.kind == "inline"),
        )


def _uncached(told: Told, findings: Sequence[Finding]) -> Iterator[Cause]:
    return uncached_causes(told.export, [f for f in findings if isinstance(f, UncachedSteps)], told.names)


TELLERS: Mapping[str, Callable[[Told, Sequence[Finding]], Iterator[Cause]]] = {
    "uncached-steps": _uncached,
    "unreachable-roots": _lost_roots,
    "empty-exports": _empty,
    "fragile-links": lambda told, findings: fragile_causes(findings, told.name),
    "shadowed-keys": lambda told, findings: shadowed_causes(findings, told.name),
}
"""What tells the findings of a question, by the question's name. Notes that cost nothing make no cause."""
