"""Two predictions side by side: what a change of the source makes of the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cachegraph.causes.lines import Line

__all__ = ["Change", "compare_lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A step whose lot changes.

    Attributes
    ----------
    line : int
        In the second Dockerfile.
    name : str
    before, after : str or None
        ``cached``, ``runs``, ..; None of a step that is new.
    is_worse : bool or None
        It was cached, or was not there, and runs now; None where it may run now, which cannot be told.
    text : str
        In a sentence.
    """

    line: int
    name: str
    before: str | None
    after: str
    is_worse: bool | None
    text: str


def compare_lines(before: Sequence[Line], after: Sequence[Line]) -> list[Change]:
    """Say which steps become uncached, or cached.

    Parameters
    ----------
    before, after : sequence of Line
        Steps are compared by their stage and text; an instruction whose text changed is a new step.
    """
    left: dict[tuple[str, str], list[Line]] = {}
    for line in before:
        left.setdefault((line.stage, line.name), []).append(line)
    changes = []
    for line in after:
        same = left.get((line.stage, line.name))
        old = same.pop(0) if same else None
        if old is not None and old.executed == line.executed:
            continue
        if old is None and line.executed is False:
            continue
        changes.append(_change(old, line))
    return changes


def _change(old: Line | None, new: Line) -> Change:
    name = new.name if len(new.name) <= 60 else f"{new.name[:57]}..."
    why = f" ({new.reason})" if new.reason else ""
    if old is None:
        text = f"line {new.line}: {name} is new or changed, and {new.outcome}{why}"
    elif new.executed is None:
        text = f"line {new.line}: {name} may run now{why}"
    elif new.executed:
        text = f"line {new.line}: this change makes {name} uncached{why}"
    else:
        text = f"line {new.line}: {name} is cached now"
    return Change(
        line=new.line,
        name=new.name,
        before=old.outcome if old else None,
        after=new.outcome,
        is_worse=None if new.executed is None and (old is None or not old.executed) else bool(new.executed),
        text=text,
    )
