"""Rich display of findings in notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cachegraph.queries.base import SEVERITIES, Finding, Query, plural
from cachegraph.text.render import legal, render

__all__ = ["describe_findings"]

_OPEN = 20
"""Findings that are shown at once; the others are folded."""
_MOST = 1000
"""Findings that a page holds; of more it says how many are left out, and how to get them."""


def describe_findings(findings: Sequence[Finding], query: Query | None) -> Mapping[str, str]:
    """Show findings, the worst first: severity, record, what it costs and what to do.

    Parameters
    ----------
    findings : sequence of Finding
    query : Query or None
        The question that they answer.

    Returns
    -------
    mapping of str to str
        Plain text and HTML by media type.
    """
    worst_first = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    counts = {severity: sum(f.severity == severity for f in findings) for severity in SEVERITIES}
    said = ", ".join(plural(count, severity) for severity, count in counts.items() if count) or "nothing found"
    lines = [f"{query.title}  {said}" if query else said]
    lines += [f"  {finding.severity}: {legal(finding.message)}" for finding in worst_first[:_OPEN]]
    if len(findings) > _OPEN:
        lines.append(f"  and {len(findings) - _OPEN:,} more: .to_frame() has them all")
    page = render(
        "cachegraph.queries/findings.html.jinja",
        query=query,
        said=said,
        rows=worst_first[:_MOST],
        open=_OPEN,
        left=len(findings) - _MOST,
        exports=len({finding.export for finding in findings}) > 1,
    )
    return {"text/plain": "\n".join(lines), "text/html": page}
