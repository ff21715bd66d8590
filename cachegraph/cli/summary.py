"""What ``cachegraph check`` shows a tired build engineer: each export in a sentence, then what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cachegraph.cli.described import Described
from cachegraph.cli.output import clean, console
from cachegraph.queries.base import SEVERITIES, Finding
from cachegraph.queries.findings import Findings
from cachegraph.text.words import plural

__all__ = ["print_summary"]

_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_FOLD = 4
"""Findings of one question and reason that are shown before the rest is only counted."""


def print_summary(exports: Sequence[Described], findings: Findings, *, everything: bool) -> None:
    """Write the exports and their findings to standard output.

    Parameters
    ----------
    exports : sequence of Described
    findings : Findings
        All findings about them.
    everything : bool
        Show notes one by one, and long lists whole.
    """
    out = console()
    for export in exports:
        own = [finding for finding in findings if finding.export == export.id]
        out.print(Text(clean(export.name), style="bold"))
        out.print(Padding(Text(clean(export.verdict)), (0, 0, 0, 2)))
        shown = [f for f in own if everything or f.severity != "note"]
        _print_findings(out, shown, everything=everything)
        if not everything:
            _print_counts(out, [f for f in own if f.severity == "note"])
        out.print()
    if len(exports) != 1:
        out.print(Text(_total(exports, findings), style="bold"))


def _print_findings(out: Console, findings: list[Finding], *, everything: bool) -> None:
    if not findings:
        return
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    counts: Counter[tuple[str, str]] = Counter()
    for finding in sorted(findings, key=lambda f: SEVERITIES.index(f.severity)):
        like = (finding.query, getattr(finding, "reason", ""))
        counts[like] += 1
        if everything or counts[like] <= _FOLD:
            sentence = Text(clean(finding.message))
            table.add_row(Text(finding.severity, style=_STYLES[finding.severity]), sentence)
    out.print(Padding(table, (0, 0, 0, 2)))
    for (query, reason), count in counts.items():
        if not everything and count > _FOLD:
            kind = f"{query} ({reason})" if reason else query
            out.print(Text(f"  ... and {count - _FOLD:,} more of {kind}: --all shows them."))


def _print_counts(out: Console, notes: list[Finding]) -> None:
    if notes:
        counts = Counter(finding.query for finding in notes)
        listed = ", ".join(f"{count:,} {query}" for query, count in counts.items())
        out.print(
            Padding(Text(f"{plural(len(notes), 'note')} ({listed}): --all shows them.", style="dim"), (0, 0, 0, 2))
        )


def _total(exports: Sequence[Described], findings: Findings) -> str:
    if not exports:
        return "There is nothing to ask."
    refused = sum(not export.importable for export in exports)
    counts = ", ".join(plural(count, severity) for severity, count in findings.counts().items())
    words = f"{plural(len(exports), 'export')}: {counts}"
    return f"{words}; BuildKit refuses {refused}." if refused else f"{words}; BuildKit imports all."
