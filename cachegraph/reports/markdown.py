"""A report in Markdown, for the summary of a workflow's step, an issue or a chat.

GitHub drops a step's summary of more than 1 MiB, so that what is longer is cut: subjects without an error first keep
their sentence only, and a line says what was left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cachegraph.reports.model import Entry, Report
from cachegraph.text.clean import markdown as clean
from cachegraph.text.rules import SEVERITIES
from cachegraph.text.words import plural

__all__ = ["markdown"]

_BYTES = 1_000_000
"""GitHub's limit is 1,048,576 bytes for all that a step writes; some room is left for others."""

_HEAD = ("| severity | code | what it costs, what to do |", "| --- | --- | --- |")


def markdown(report: Report, limit: int = _BYTES) -> str:
    """Write Markdown.

    Parameters
    ----------
    report : Report
    limit : int
        Bytes. The worst findings are told first, so that the others are those that are cut.

    Returns
    -------
    str
        A heading, its sentence and a table for each subject, worst first; then what could not be read.
    """
    ends = list(_endings(report))
    room = limit - _size(ends) - 400  # for the lines that say what was cut
    shown, hidden, lines = 0, 0, []
    groups = report.by_subject()
    subjects = sorted(report.subjects, key=lambda subject: _rank(groups[subject.key]))
    left: list[int] = []
    for subject in subjects:
        entries = _worst_first(groups[subject.key])
        head = [f"### {clean(subject.name)}", "", clean(subject.sentence or "Nothing to say."), ""]
        if _size(head) > room:
            left.append(len(entries))
            continue
        room -= _size(head)
        lines += head
        told = [_row(entry) for entry in entries]
        kept = _that_fit(told, room - _size(_HEAD) - 1)
        if kept:
            lines += [*_HEAD, *told[:kept], ""]
            room -= _size([*_HEAD, *told[:kept], ""])
        shown += kept
        hidden += len(told) - kept
    if hidden or left:
        lines += [_cut(shown, hidden + sum(left), len(left), limit), ""]
    if not report.subjects and not report.unread:
        lines += ["Nothing was looked at.", ""]
    return "\n".join([*lines, *ends]).rstrip("\n")


def _cut(shown: int, findings: int, subjects: int, limit: int) -> str:
    also = f" and {plural(subjects, 'source')}" if subjects else ""
    return (
        f"Cut at {limit:,} bytes, GitHub's limit for a summary: {plural(shown, 'finding')} shown, "
        f"{plural(findings, 'finding')}{also} left out, the least severe. The formats json and csv have all."
    )


def _endings(report: Report) -> Iterator[str]:
    if report.unread:
        yield from ("### Could not be read", "")
        yield from (f"- {clean(unread.text)}" for unread in report.unread)
        yield ""
    if report.remarks:
        yield from (f"- {clean(remark)}" for remark in report.remarks)


def _rank(entries: Sequence[Entry]) -> int:
    return min((SEVERITIES.index(e.severity) + len(SEVERITIES) * e.known for e in entries), default=99)


def _worst_first(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda e: (e.known, SEVERITIES.index(e.severity)))


def _row(entry: Entry) -> str:
    at = "".join(f" ({place.file}:{place.line})" for place in entry.places[:1] if place.line)
    known = " (known)" if entry.known else ""
    return f"| {entry.severity}{known} | {entry.code} | {clean(f'{entry.message}{at}')} |"


def _that_fit(rows: Sequence[str], room: int) -> int:
    for number, row in enumerate(rows):
        room -= _size([row])
        if room < 0:
            return number
    return len(rows)


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode("utf-8", "backslashreplace")) + 1 for line in lines)
