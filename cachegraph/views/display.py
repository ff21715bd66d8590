"""Rich display in notebooks: small pages that escape whatever an export says, in light and dark.

Colours come from the notebook's theme: text keeps the page's own colour, lines and badges are mixed from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import SEVERITIES, Finding, Query, plural, size_text
from cachegraph.views.focus import Window, shown
from cachegraph.views.words import legal, short, verdict

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["describe_findings", "describe_graphs", "render"]

_OPEN = 20
"""Rows that are shown at once; the others are folded."""
_MOST = 1000
"""Rows that a page holds; of more it says how many are left out, and how to get them."""


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader

    def read(name: str) -> str:
        return resources.files("cachegraph.views").joinpath(name).read_text("utf-8")

    made = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(read), finalize=_legal_text
    )
    made.filters.update(short=short, size=size_text)
    return made


def _legal_text(value: object) -> object:
    """Replace control characters; whatever else a text holds is escaped after this."""
    return legal(value) if type(value) is str else value


def render(template: str, **values: Any) -> str:  # noqa: ANN401 - whatever the template takes
    """Fill in a template of this folder.

    Parameters
    ----------
    template : str
        File name.
    **values
        For the template. Strings are escaped.
    """
    return _environment().get_template(template).render(**values)


def describe_graphs(graphs: Sequence[ExportGraph]) -> Mapping[str, str]:
    """Show exports: verdict, counts, loadable share, sizes.

    Parameters
    ----------
    graphs : sequence of ExportGraph

    Returns
    -------
    mapping of str to str
        Plain text and HTML by media type.
    """
    rows = [
        {
            "source": f"{graph.export.source}  {graph.export.platform or ''}".strip(),
            "kind": graph.export.kind,
            "refused": graph.import_error,
            "records": len(graph),
            "in_focus": len(shown(graph)) if isinstance(graph, Window) else None,
            "roots": len(graph.roots),
            "loadable": sum(graph.loadable[r] for r in range(len(graph)) if not graph.is_root(r)),
            "steps": len(graph) - len(graph.roots),
            "layers": len(graph.export.config.layers),
            "config": graph.export.config_bytes,
            "blobs": sum(graph.sizes.values()) if graph.sizes else None,
            "verdict": verdict(graph),
        }
        for graph in graphs[:_MOST]
    ]
    left = len(graphs) - len(rows)
    lines = [plural(len(graphs), "export")]
    for row in rows[:_OPEN]:
        focus = f" In focus: {row['in_focus']:,} of its records." if row["in_focus"] is not None else ""
        lines.append(f"  {legal(str(row['source']))}: {row['verdict']}{focus}")
    if len(graphs) > _OPEN:
        lines.append(f"  and {len(graphs) - _OPEN:,} more: graph.exports has them all")
    page = render("graph.html.jinja", rows=rows, open=_OPEN, left=left, total=len(graphs))
    return {"text/plain": "\n".join(lines), "text/html": page}


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
        "findings.html.jinja",
        query=query,
        said=said,
        rows=worst_first[:_MOST],
        open=_OPEN,
        left=len(findings) - _MOST,
        exports=len({finding.export for finding in findings}) > 1,
    )
    return {"text/plain": "\n".join(lines), "text/html": page}
