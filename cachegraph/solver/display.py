"""Rich display of what this package answers, in notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cachegraph.solver.words import blast_cells, outcome, reason, source_cells
from cachegraph.text.render import legal, render
from cachegraph.text.words import capital, size_text

if TYPE_CHECKING:
    from cachegraph.solver.blast import BlastRadius
    from cachegraph.solver.causes import Explanation
    from cachegraph.solver.diff import Diff
    from cachegraph.solver.history_rows import History
    from cachegraph.solver.prediction import Prediction
    from cachegraph.solver.sources import Sources

__all__ = [
    "describe",
    "describe_blast",
    "describe_diff",
    "describe_explanation",
    "describe_history",
    "describe_prediction",
    "describe_sources",
]

_OPEN = 20
"""Rows of most answers that are shown at once; the others are folded."""
_HISTORY = 62
"""Exports of a history that are shown at once: two months of nights."""
_MOST = 1000
"""Rows that a page holds; of more it says how many are left out, and how to get them."""


def describe(
    said: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    notes: Sequence[str] = (),
    at_once: int = _OPEN,
) -> Mapping[str, str]:
    """Show an answer: a sentence, notes and a table.

    Parameters
    ----------
    said : str
        The answer in one sentence.
    columns : sequence of str
    rows : sequence of sequence of str
        A cell for each column.
    notes : sequence of str
    at_once : int
        Rows that are shown at once; the others are folded.

    Returns
    -------
    mapping of str to str
        Plain text and HTML by media type.
    """
    lines = [capital(said), *(f"  {legal(note)}" for note in notes)]
    lines += ["  " + "  ".join(legal(cell) for cell in row if cell) for row in rows[:at_once]]
    if len(rows) > at_once:
        lines.append(f"  and {len(rows) - at_once:,} more: .to_frame() has them all")
    page = render(
        "cachegraph.solver/answer.html.jinja",
        said=capital(said),
        notes=notes,
        columns=columns,
        rows=rows[:_MOST],
        open=at_once,
        left=len(rows) - _MOST,
    )
    return {"text/plain": "\n".join(lines), "text/html": page}


def describe_prediction(prediction: Prediction) -> Mapping[str, str]:
    """Show a prediction, step by step."""
    rows = [
        (outcome(step), str(step.record), step.name or step.digest[:19], reason(step, prediction))
        for step in prediction
    ]
    notes = [f"BuildKit refuses {refused.source}: {refused.error}" for refused in prediction.not_imported]
    return describe(prediction.summary, ("outcome", "record", "step", "why"), rows, notes=notes)


def describe_blast(radius: BlastRadius) -> Mapping[str, str]:
    """Show what each change makes run again."""
    columns = ("record", "change of", "runs again", "seconds", "bytes", "stays cached", "if not taken by")
    return describe(radius.summary, columns, [blast_cells(row) for row in radius])


def describe_sources(found: Sources) -> Mapping[str, str]:
    """Show what each cache brings."""
    columns = ("rank", "steps saved alone", "loads", "only here", "can hide", "cache")
    return describe(found.summary, columns, [source_cells(row) for row in found])


def describe_explanation(found: Explanation) -> Mapping[str, str]:
    """Show why steps ran, cause by cause."""
    rows = [(cause.sentence, "; ".join(cause.details), cause.cost, cause.advice) for cause in found.causes]
    return describe(
        found.summary.rstrip("."), ("what ran", "what changed", "cost", "to change"), rows, notes=found.notes
    )


def describe_diff(found: Diff) -> Mapping[str, str]:
    """Show what two exports differ in."""
    rows = [(row.change, str(row.old if row.new is None else row.new), row.name or row.digest[:19]) for row in found]
    return describe(found.summary.rstrip("."), ("difference", "record", "step"), rows)


def describe_history(found: History) -> Mapping[str, str]:
    """Show a cache over time, an export a row, the oldest first."""
    columns = ("export", "newest result", "ran", "loadable", "size", "new", "what happened")
    rows = [
        (
            label,
            (point.at or "unknown")[:16].replace("T", " "),
            "" if point.ran is None else f"{point.ran:,} of {point.steps:,}",
            f"{point.loadable:,} of {point.steps:,}",
            size_text(point.bytes),
            size_text(point.new_bytes) if point.new_bytes else "",
            point.said,
        )
        for label, point in zip(found.labels, found, strict=True)
    ]
    return describe(found.summary.rstrip("."), columns, rows, at_once=_HISTORY)
