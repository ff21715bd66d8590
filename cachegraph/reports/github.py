"""Annotations of a GitHub workflow: a command for each finding, on a line of its own.

The runner takes ``::error file=..,line=..,title=..::message`` from standard output and shows it at the file's line.
It shows ten of each kind for a step; all of them stand in the log.

Source: actions/runner ``src/Runner.Common/ActionCommand.cs``, ``TryParseV2``: what must be escaped, and where.
"""

from __future__ import annotations

from collections import Counter
from urllib.parse import unquote

from cachegraph.reports.model import Place, Report
from cachegraph.reports.uris import uri_of
from cachegraph.text.clean import one_line, plain
from cachegraph.text.rules import Severity
from cachegraph.text.words import plural

__all__ = ["github"]

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
_SHOWN = 10
"""Annotations of one kind that GitHub shows for a step."""


def github(report: Report) -> str:
    """Write annotations, the worst first; what a baseline holds is only counted.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        Lines. Besides commands only the last ones, which say what is not shown.
    """
    names = {subject.key: subject.name for subject in report.subjects}
    lines = [
        _command("error" if unread.fails else "notice", f"not read: {unread.source}", unread.text, unread.place)
        for unread in report.unread
    ]
    counts: Counter[str] = Counter({"error": sum(unread.fails for unread in report.unread)})
    known = 0
    for entry in report.worst_first():
        if entry.known:
            known += 1
            continue
        kind = _COMMANDS[entry.severity]
        counts[kind] += 1
        about = names.get(entry.subject, entry.subject)
        place = entry.places[0] if entry.places else None
        lines.append(_command(kind, f"{entry.code} {entry.rule}", f"{about}: {entry.message}", place))
    many = [f"{_SHOWN} of {plural(count, kind)}" for kind, count in counts.items() if count > _SHOWN]
    if many:
        lines.append(f"cachegraph: GitHub shows {', '.join(many)} beside the files; the others are in this log.")
    if known:
        lines.append(f"cachegraph: {plural(known, 'known finding')} not shown.")
    lines += [f"cachegraph: {plain(one_line(remark))}" for remark in report.remarks]
    return "\n".join(lines)


def _command(kind: str, title: str, message: str, place: Place | None) -> str:
    properties = {"title": title}
    if place is not None:
        properties = {"file": unquote(uri_of(place.file)), **properties}
        if place.line is not None:
            properties = {"file": properties["file"], "line": str(place.line), "title": title}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {told}::{_data(message)}"


def _data(text: str) -> str:
    return one_line(text).replace("##[", "## [").replace("##vso[", "## vso[").replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
