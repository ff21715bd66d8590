"""Findings as lines of text: on a terminal folded to its width, elsewhere one line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cachegraph.cli.output import Output, styled, width
from cachegraph.cli.tables import fold
from cachegraph.queries.base import Finding, Severity
from cachegraph.text.clean import one_line, plain
from cachegraph.text.rules import CODES

__all__ = ["STYLES", "finding_lines", "folded"]

STYLES: dict[Severity, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "note": {"fg": "cyan"},
}


def finding_lines(findings: Iterable[Finding], output: Output, *, indent: int = 2) -> Iterator[str]:
    """Give each finding as text: severity, code, message.

    Parameters
    ----------
    findings : iterable of Finding
    output : Output
    indent : int
        Blanks before each line.
    """
    for finding in findings:
        severity = styled(finding.severity, output, **STYLES[finding.severity])
        code = CODES[finding.query]  # a finding of source-problems has a code of its own
        start = f"{' ' * indent}{severity} {code} "
        before = indent + len(finding.severity) + len(code) + 2
        yield start + folded(finding.message, output, before=before, indent=indent + 2)


def folded(text: str, output: Output, *, before: int, indent: int) -> str:
    """Fold a text to the width of the terminal, never within a word; elsewhere leave it on one line.

    Parameters
    ----------
    text : str
    output : Output
    before : int
        Columns that are taken on the first line.
    indent : int
        Blanks before the others.
    """
    text = plain(one_line(text))
    if not output.is_terminal:
        return text
    return fold(text, width(), before=before, indent=indent)
