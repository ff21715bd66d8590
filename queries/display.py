"""Rich display of findings in notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cachegraph.queries.findings import Findings
from cachegraph.schema.refs import apart
from cachegraph.text.clean import one_line
from cachegraph.text.render import render
from cachegraph.text.words import capital, plural

__all__ = ["describe_findings"]

_OPEN = 20
"""Findings that are shown at once; the others are folded."""
_MOST = 1000
"""Findings that a page holds; of more it says how many are left out, and how to get them."""


def describe_findings(findings: Findings[Any]) -> Mapping[str, str]:
    """Show findings, the worst first: severity, record, what it costs and what to do.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    mapping of str to str
        Plain text and HTML by media type.
    """
    query, worst_first = findings.query, findings.worst_first()
    counts = findings.counts()
    said = ", ".join(plural(count, severity) for severity, count in counts.items() if count) or "nothing found"
    lines = [f"{query.title}  {said}" if query else said]
    lines += [f"  {finding.severity}: {one_line(finding.message)}" for finding in worst_first[:_OPEN]]
    if len(findings) > _OPEN:
        lines.append(f"  and {len(findings) - _OPEN:,} more: .to_frame() has them all")
    page = render(
        "cachegraph.queries/findings.html.jinja",
        query=query,
        said=capital(said),
        rows=list(worst_first[:_MOST]),
        open=_OPEN,
        left=len(findings) - _MOST,
        exports=_names(findings),
    )
    return {"text/plain": "\n".join(lines), "text/html": page}


def _names(findings: Findings[Any]) -> Mapping[str, str]:
    """Name the exports that findings are about; empty if it is one."""
    named = {export: findings.title(export) for export in findings.by_export()}
    return apart(named) if len(named) > 1 else {}
