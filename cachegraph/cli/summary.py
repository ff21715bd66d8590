"""What ``cachegraph check`` shows a tired build engineer: what each cache is worth, what costs a build, what to change.

One cache: its verdict, its causes, a line on what is fine. Several: a table of all, worst first, and details of the bad
ones. On a terminal lines are folded between words; elsewhere each is one line, so that it can be searched and cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from cachegraph.cli.answer import Answer
from cachegraph.cli.findings import STYLES, finding_lines, folded
from cachegraph.cli.output import Output, styled, width
from cachegraph.queries.base import Finding
from cachegraph.queries.findings import Findings
from cachegraph.text.clean import one_line, plain
from cachegraph.text.durations import age_text
from cachegraph.text.rules import CODES
from cachegraph.text.words import cut_at_word, plural, size_text
from cachegraph.verdict.model import Cause, Verdict, Word
from cachegraph.verdict.verdicts import Verdicts
from cachegraph.verdict.words import facts, pasted

__all__ = ["summary"]

_COLOURS: dict[Word, dict[str, Any]] = {
    "BREAKS THE BUILD": {"fg": "red", "bold": True},
    "COLD": {"fg": "red", "bold": True},
    "UNREADABLE": {"fg": "red", "bold": True},
    "PARTLY CACHED": {"fg": "yellow", "bold": True},
    "CACHED": {"fg": "green", "bold": True},
}
_GAP = "   "
_NAME_LINES = 2
"""Lines of a terminal that the names of a cause's steps may take."""
_NAMES = 8
"""Names of steps on one line, where there is no terminal."""
_LONGEST = 56
"""Characters of a step's name."""
_LINES = re.compile(r" \([^()]{1,40}:\d+(?:, \d+)*\)$")


def summary(answer: Answer, output: Output, *, everything: bool) -> str:
    """Write the verdicts, their causes, and what could not be read.

    Parameters
    ----------
    answer : Answer
    output : Output
    everything : bool
        Show every finding too, notes included.
    """
    return "\n".join(_lines(answer, output, everything=everything)).rstrip("\n")


def _lines(answer: Answer, output: Output, *, everything: bool) -> Iterator[str]:
    none: Findings[Any] = Findings(())
    findings = answer.findings.by_export()
    verdicts = Verdicts([*answer.verdicts, *answer.failed_verdicts]).worst_first()
    places = {one.source: one.place for one in answer.unread if one.place is not None}
    several = len(verdicts) > 1
    if several:
        yield from _table(verdicts, output)
        yield ""
    for verdict in verdicts:
        if several and not everything and verdict.severity not in ("error", "warning"):
            continue
        yield from _detail(verdict, output)
        if verdict.export is None and (place := places.get(verdict.spec)) is not None:
            at = f"{place.file}:{place.line}" if place.line else place.file
            yield f"    Named in {_folded(at, output, 13, 6)}"
        if everything and verdict.export is not None:
            own = findings.get(verdict.export, none).worst_first()
            yield from finding_lines((finding for finding in own if not _is_told(finding, own, verdict)), output)
        elif verdict.export is not None:
            yield from _fine(verdict, findings.get(verdict.export, none), output)
        yield ""


def _is_told(finding: Finding, own: Findings[Any], verdict: Verdict) -> bool:
    """Tell whether the causes say the same in fewer words: there is one for each finding of the question."""
    told = (cause.code for cause in verdict.causes if cause.kind != "earlier-build")
    causes = sum(code == CODES[finding.query] for code in told)
    return causes == len(own.by_query()[finding.query])


def _title(text: str) -> str:
    return plain(one_line(text))


def _name(verdict: Verdict) -> str:
    """Name a cache by what can be pasted; a source that could not be read as it was given."""
    return _title(verdict.spec if verdict.export is None else pasted(verdict.spec))


# --- One cache --------------------------------------------------------------------------------------------------------


def _detail(verdict: Verdict, output: Output) -> Iterator[str]:
    yield styled(_name(verdict), output, bold=True)
    word, *rest = _filled([verdict.word, *map(_title, facts(verdict))], output, indent=2)
    yield f"  {styled(verdict.word, output, **_COLOURS[verdict.word])}{word.removeprefix(verdict.word)}"
    yield from (f"    {line}" for line in rest)
    named: set[str] = set()
    for cause in verdict.causes:
        if cause.kind != "earlier-build":
            yield from _cause(cause, output, names=not named.issuperset(cause.names))
            named.update(cause.names)


def _cause(cause: Cause, output: Output, *, names: bool) -> Iterator[str]:
    """Tell a cause; steps that were named before are not named again."""
    severity = styled(cause.severity, output, **STYLES[cause.severity])
    start = f"{cause.severity} {cause.code or ''}".rstrip()
    code = f" {cause.code}" if cause.code else ""
    yield f"  {severity}{code} {_folded(cause.what, output, len(start) + 3, 4)}"
    if names:
        yield from _names(cause, output)
    if cause.cost:
        yield f"    {_folded(cause.cost, output, 4, 4)}"
    if cause.cure or cause.paste:
        cure = cause.cure or "Build with."
        cure = f"{cure.rstrip('.')}:" if cause.paste else cure
        yield f"    Fix: {_folded(cure, output, 9, 6)}"
    if cause.paste:
        yield f"      {_title(cause.paste)}"


def _filled(parts: Sequence[str], output: Output, *, indent: int) -> list[str]:
    """Set parts on lines, as many as fit; none is broken, and where there is no terminal all are on one."""
    room = max(width(), 40) - indent - 2 if output.is_terminal else None
    lines = [parts[0]]
    for part in parts[1:]:
        if room is None or len(lines[-1]) + len(_GAP) + len(part) <= room:
            lines[-1] += _GAP + part
        else:
            lines.append(part)
    return lines


def _names(cause: Cause, output: Output) -> Iterator[str]:
    """Name steps, as many as fit; the rest is counted."""
    shown = [_cut(_title(name)) for name in cause.names]
    if not shown:
        return
    if {*cause.names} == {f"record {record}" for record in cause.steps}:
        some = ", ".join(f"{record:,}" for record in cause.steps[:_NAMES])
        others = f" and {len(shown) - _NAMES:,} more" if len(shown) > _NAMES else ""
        tells = (
            "record {} (--names tells what it does)" if len(shown) == 1 else "records {} (--names tells what they do)"
        )
        yield f"      {_folded(tells.format(some + others), output, 6, 6)}"
        return
    if not output.is_terminal:
        rest = [f"... {len(shown) - _NAMES:,} more"] if len(shown) > _NAMES else []
        yield f"      {_GAP.join([*shown[:_NAMES], *rest])}"
        return
    room = max(width(), 40) - 6
    lines: list[str] = []
    for number, name in enumerate(shown):
        left = f"{_GAP}... {len(shown) - number - 1:,} more"
        is_last = len(lines) >= _NAME_LINES
        needed = len(name) + len(_GAP) + (len(left) if is_last and number + 1 < len(shown) else 0)
        if lines and len(lines[-1]) + needed <= room:
            lines[-1] += _GAP + name
        elif not is_last:
            lines.append(name)
        else:
            lines[-1] += f"{_GAP}... {len(shown) - number:,} more"
            break
    yield from (f"      {line}" for line in lines)


def _cut(name: str) -> str:
    """Cut a long name, but not the lines of a Dockerfile that it ends in."""
    if len(name) <= _LONGEST:
        return name
    lines = found[0] if (found := _LINES.search(name)) else ""
    return cut_at_word(name.removesuffix(lines), max(_LONGEST - len(lines), _LONGEST // 2)) + lines


def _fine(verdict: Verdict, findings: Findings[Any], output: Output) -> Iterator[str]:
    """Say in one line what costs nothing."""
    earlier = next((cause for cause in verdict.causes if cause.kind == "earlier-build"), None)
    said = [f"{plural(len(earlier.steps), 'key')} of earlier builds"] if earlier else []
    strays = len(findings.by_query().get("orphan-blobs", ()))
    if strays:  # of the store: of several exports in one, the first tells
        said.append(f"{plural(strays, 'blob')} that no manifest names")
    if verdict.notes:
        said.append(f"{plural(verdict.notes, 'note')} (--all shows them)")
    if said:
        text = _folded(f"Costs nothing: {', '.join(said)}.", output, 2, 4)
        yield styled(f"  {text}", output, dim=True)


def _folded(text: str, output: Output, before: int, indent: int) -> str:
    return folded(text, output, before=before, indent=indent)


# --- Several ----------------------------------------------------------------------------------------------------------


def _table(verdicts: Verdicts, output: Output) -> Iterator[str]:
    """Draw a row for each cache, its name last: it may be long, and is never broken."""
    counts = ", ".join(f"{count:,} {word}" for word, count in verdicts.counts().items())
    yield styled(f"{plural(len(verdicts), 'cache')}: {counts}", output, bold=True)
    rows = [_cells(verdict) for verdict in verdicts]
    if not output.is_terminal:
        yield from ("\t".join(row) for row in rows)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for verdict, (word, *cells, name) in zip(verdicts, rows, strict=True):
        shown = styled(word.ljust(widths[0]), output, **_COLOURS[verdict.word])
        padded = [cell.rjust(size) for cell, size in zip(cells, widths[1:-1], strict=True) if size]
        yield "  ".join([f"  {shown}", *padded, name])


def _cells(verdict: Verdict) -> tuple[str, ...]:
    known = verdict.export is not None
    steps = f"{verdict.cached:,}/{verdict.steps:,} steps" if known else ""
    size = size_text(verdict.bytes) if verdict.bytes else ""
    age = "" if verdict.age_seconds is None else age_text(verdict.age_seconds)
    return verdict.word, steps, size, age, f"{_name(verdict)} {_title(verdict.platform or '')}".rstrip()
