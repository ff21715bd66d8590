"""Causes that lie in the import: what a builder's version loses, and what several caches hide from each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cachegraph.queries.base import Finding
from cachegraph.queries.fragile_links import FragileLink
from cachegraph.queries.shadowed_keys import ShadowedKeys
from cachegraph.text.words import plural
from cachegraph.verdict.model import Cause

__all__ = ["fragile_causes", "shadowed_causes"]

_BUILDERS = "BuildKit 0.25 to 0.32"


def fragile_causes(findings: Sequence[Finding], name: Callable[[int], str]) -> Iterator[Cause]:
    """Tell what a builder can miss at random, once for the export.

    Parameters
    ----------
    findings : sequence of Finding
        Of ``fragile-links``.
    name : callable
        Names a record by its index.
    """
    found = [finding for finding in findings if isinstance(finding, FragileLink)]
    records = tuple(finding.record for finding in found if finding.record is not None)
    if not records:
        yield Cause(
            kind="fragile-unknown",
            code=found[0].code,
            severity="note",
            what=f"Whether {_BUILDERS} can miss steps of it cannot be told: it has too many records and targets.",
            cure="Builders from 0.33 on miss none.",
        )
        return
    worst = max(finding.cost or 1 for finding in found)
    yield Cause(
        kind="fragile-links",
        code=found[0].code,
        severity=found[0].severity,
        what=f"{_BUILDERS} can miss {plural(len(records), 'step')} of it at random: its importer loses links.",
        cost=f"Then up to {plural(worst, 'step')} run though nothing changed, other ones in other builds.",
        cure="Update the builders to 0.33 or newer, or export a cache for each target.",
        steps=records,
        names=tuple(dict.fromkeys(map(name, records))),
    )


def shadowed_causes(findings: Sequence[Finding], name: Callable[[int], str]) -> Iterator[Cause]:
    """Tell which results of other caches this one can hide.

    Parameters
    ----------
    findings : sequence of Finding
        Of ``shadowed-keys``: one.
    name : callable
        Names a record by its index.
    """
    for finding in findings:
        assert isinstance(finding, ShadowedKeys)
        steps, sources = finding.records, finding.loadable_in
        others = sources[0] if len(sources) == 1 else f"{len(sources):,} other caches"
        yield Cause(
            kind="shadowed-keys",
            code=finding.code,
            severity=finding.severity,
            what=f"{plural(len(steps), 'step')} that {others} can load {'is' if len(steps) == 1 else 'are'} here as "
            "bare keys.",
            cost="In a build that imports both, which one answers is a race, and such a step may run all the same.",
            cure="Import one of them, or list the one that fits best last.",
            steps=steps,
            names=tuple(dict.fromkeys(map(name, steps))),
        )
