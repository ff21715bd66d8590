"""What a key stands for, in facts with labels for people, and how two keys differ in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal

from cachegraph.builds.operation_names import clean

__all__ = ["Meaning", "differences", "likeness"]

Kind = Literal["run", "file", "merge", "diff", "image", "source", "content"]

_MAX_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a key stands for.

    Attributes
    ----------
    kind : Kind
    title : str
        A line that a build engineer recognises: ``RUN make``, ``COPY src /src``, an image's reference.
    facts : mapping of str to str
        Everything that makes the key, by a label for people.
    ordered : tuple of str
        Labels whose order counts in the key too.
    hidden : frozenset of str
        Labels of what may be a secret, whose values are never shown.
    """

    kind: Kind
    title: str
    facts: Mapping[str, str] = field(default_factory=dict, repr=False)
    ordered: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()


def likeness(one: Meaning, other: Meaning) -> float:
    """Say how alike two meanings read, from 0 to 1; 0 for those of different kinds."""
    if one.kind != other.kind:
        return 0.0
    a, b = one.title[:_MAX_SHOWN], other.title[:_MAX_SHOWN]
    return SequenceMatcher(None, a, b, autojunk=False).ratio() if a != b else 1.0


def differences(was: Meaning, now: Meaning) -> tuple[str, ...]:
    """Say in words how two meanings differ, one thing each.

    Parameters
    ----------
    was, now : Meaning

    Returns
    -------
    tuple of str
        Empty where they are the same.

    Examples
    --------
    >>> differences(Meaning(kind="run", title="", facts={"env MODE": "a"}), Meaning(kind="run", title="", facts={}))
    ('env MODE is gone (was a)',)
    """
    if now.kind == "content":
        return tuple(_file_changes(was.facts, now.facts))
    found: list[str] = []
    for label in dict.fromkeys((*was.facts, *now.facts)):
        before, after = was.facts.get(label), now.facts.get(label)
        if before == after:
            continue
        if label in was.hidden | now.hidden:
            found.append(f"{label} {_change(before, after)} (its value is not shown)")
            continue
        if before is None:
            found.append(f"{label} is new: {_shown(after)}" if after else f"{label} is new")
        elif after is None:
            found.append(f"{label} is gone (was {_shown(before)})" if before else f"{label} is gone")
        else:
            found.append(f"{label} was {_shown(before)}, is now {_shown(after)}")
    if not found and was.ordered != now.ordered and sorted(was.ordered) == sorted(now.ordered):
        found.append(f"the order was {', '.join(was.ordered)}, is now {', '.join(now.ordered)}")
    return tuple(found)


def _file_changes(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Say in words which files differ: those that are new or gone, else their kind, mode, size or content."""
    for path in sorted({*was, *now}):
        before, after = was.get(path), now.get(path)
        if before is None:
            yield f"{path} is new"
        elif after is None:
            yield f"{path} is gone"
        elif before != after:
            yield f"{path}: {_file_change(before.split(', '), after.split(', '))}"


def _file_change(before: Sequence[str], after: Sequence[str]) -> str:
    """Compare ``file, mode 0644, 18 bytes, 76ea7168``: the last is of header and content together."""
    if before[0] != after[0] or len(before) != len(after):
        return f"was a {', '.join(before[:3])}, is now a {', '.join(after[:3])}"
    changed = [f"{one}, is now {other}" for one, other in zip(before[1:3], after[1:3], strict=True) if one != other]
    return "; ".join(changed) or f"other content ({after[2] if len(after) > 2 else after[0]})"


def _change(before: str | None, after: str | None) -> str:
    return "is new" if before is None else "is gone" if after is None else "differs"


def _shown(text: str | None) -> str:
    cleaned = clean(text or "")
    return cleaned if len(cleaned) <= _MAX_SHOWN else cleaned[: _MAX_SHOWN - 3] + "..."
