"""Rich display of what this package answers, in notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cachegraph.schema.refs import short_ref
from cachegraph.solver.words import blast_cells, outcome, reason, source_cells
from cachegraph.text.render import legal, render
from cachegraph.text.words import capital

if TYPE_CHECKING:
    from cachegraph.solver.blast import BlastRadius
    from cachegraph.solver.causes import Explanation
    from cachegraph.solver.diff import Diff
    from cachegraph.solver.history import History
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
"""Rows that are shown at once; the others are folded."""
_MOST = 1000
"""Rows that a page holds; of more it says how many are left out, and how to get them."""


def describe(
    said: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, notes: Sequence[str] = ()
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

    Returns
    -------
    mapping of str to str
        Plain text and HTML by media type.
    """
    lines = [capital(said), *(f"  {legal(note)}" for note in notes)]
    lines += ["  " + "  ".join(legal(cell) for cell in row if cell) for row in rows[:_OPEN]]
    if len(rows) > _OPEN:
        lines.append(f"  and {len(rows) - _OPEN:,} more: .to_frame() has them all")
    page = render(
        "cachegraph.solver/answer.html.jinja",
        said=capital(said),
        notes=notes,
        columns=columns,
        rows=rows[:_MOST],
        open=_OPEN,
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
    columns = ("export", "made", "loadable", "coverage", "keys gained", "keys lost", "results lost", "same as")
    rows = [
        (
            f"{number}: {short_ref(point.source)}",
            (point.at or "unknown")[:16].replace("T", " "),
            f"{point.loadable:,} of {point.steps:,}",
            "" if point.coverage is None else f"{point.coverage:.0%}",
            *("" if one is None else f"{one:,}" for one in (point.keys_gained, point.keys_lost, point.results_lost)),
            "" if point.same_as is None else f"export {point.same_as}",
        )
        for number, point in enumerate(found)
    ]
    return describe(found.summary.rstrip("."), columns, rows)
