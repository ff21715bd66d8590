"""What ``cachegraph check`` shows a tired build engineer: each export in a sentence, then what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cachegraph.cli.answer import Answer
from cachegraph.cli.findings import finding_lines, folded
from cachegraph.cli.output import Output, styled
from cachegraph.queries.base import Finding
from cachegraph.queries.findings import Findings
from cachegraph.text.clean import one_line, plain
from cachegraph.text.words import plural
from cachegraph.views.words import verdict

__all__ = ["summary"]

_FOLD = 4
"""Findings of one question and reason that are shown before the rest is only counted."""


def summary(answer: Answer, output: Output, *, everything: bool) -> str:
    """Write the exports, their findings, and what could not be read.

    Parameters
    ----------
    answer : Answer
    output : Output
    everything : bool
        Show notes one by one, and long lists whole.
    """
    return "\n".join(_lines(answer, output, everything=everything))


def _lines(answer: Answer, output: Output, *, everything: bool) -> Iterator[str]:
    none: Findings[Any] = Findings(())
    findings = answer.findings.by_export()
    for export in answer.exports:
        own = findings.get(export.id, none)
        yield styled(_title(export.name), output, bold=True)
        yield f"  {folded(verdict(export), output, before=2, indent=2)}"
        yield from _shown(own if everything else own.of("error", "warning"), output, everything=everything)
        if not everything:
            yield from _counted(own.of("note"), output)
        yield ""
    if len(answer.exports) > 1:
        yield styled(_total(answer), output, bold=True)
    if answer.failures:
        named = ", ".join(_title(failure.spec) for failure in answer.failures)
        yield styled(f"{plural(len(answer.failures), 'source')} could not be read: {named}", output, bold=True)


def _title(text: str) -> str:
    return plain(one_line(text))


def _shown(findings: Findings[Any], output: Output, *, everything: bool) -> Iterator[str]:
    """Show the worst first, and of many that are alike the first few."""
    counts: Counter[tuple[str, str]] = Counter()
    kept: list[Finding] = []
    for finding in findings.worst_first():
        alike = (finding.query, getattr(finding, "reason", ""))
        counts[alike] += 1
        if everything or counts[alike] <= _FOLD:
            kept.append(finding)
    yield from finding_lines(kept, output)
    for (query, reason), count in counts.items():
        if not everything and count > _FOLD:
            kind = f"{query} ({reason})" if reason else query
            yield f"  ... and {count - _FOLD:,} more of {kind}: --all shows them."


def _counted(notes: Findings[Any], output: Output) -> Iterator[str]:
    if len(notes):
        listed = ", ".join(f"{len(alike):,} {query}" for query, alike in notes.by_query().items())
        text = f"{plural(len(notes), 'note')} ({listed}): --all shows them."
        yield styled(f"  {folded(text, output, before=2, indent=2)}", output, dim=True)


def _total(answer: Answer) -> str:
    refused = sum(not export.importable for export in answer.exports)
    counts = ", ".join(plural(count, severity) for severity, count in answer.findings.counts().items())
    imports = f"BuildKit refuses {refused:,}" if refused else "BuildKit imports all"
    return f"{plural(len(answer.exports), 'export')}: {counts}; {imports}."
