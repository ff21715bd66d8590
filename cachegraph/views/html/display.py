"""Rich display of exports in notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cachegraph.core.graph import ExportGraph
from cachegraph.schema.focus import Window, shown
from cachegraph.schema.refs import apart, short_ref
from cachegraph.schema.summary import summarise
from cachegraph.text.render import legal, render
from cachegraph.text.words import plural, size_text
from cachegraph.verdict.judge import judge, step_name
from cachegraph.verdict.words import headline

__all__ = ["describe_graphs"]

_OPEN = 20
"""Rows that are shown at once; the others are folded."""
_MOST = 1000
"""Rows that a page holds; of more it says how many are left out, and how to get them."""


def _worth(graph: ExportGraph) -> str:
    """Say in a line what an export is worth."""
    refused = "" if graph.import_error is None else f'. BuildKit refuses it ("{graph.import_error}")'
    return headline(judge(summarise(graph), (), step_name(graph))) + refused


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
    named = apart({graph.id: short_ref(graph.export.source, graph.export.platform) for graph in graphs[:_MOST]})
    rows = [
        {
            "title": named[graph.id],
            "source": graph.export.source,
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
            "verdict": _worth(graph),
        }
        for graph in graphs[:_MOST]
    ]
    left = len(graphs) - len(rows)
    lines = [plural(len(graphs), "export")]
    for row in rows[:_OPEN]:
        focus = f" In focus: {row['in_focus']:,} of its records." if row["in_focus"] is not None else ""
        lines.append(f"  {legal(str(row['title']))}: {row['verdict']}{focus}")
    if len(graphs) > _OPEN:
        lines.append(f"  and {len(graphs) - _OPEN:,} more: graph.exports has them all")
    page = render("cachegraph.views.html/graph.html.jinja", rows=rows, open=_OPEN, left=left, size=size_text)
    return {"text/plain": "\n".join(lines), "text/html": page}
