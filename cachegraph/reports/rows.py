"""Entries as rows, for CSV and spreadsheets: findings, then a row for each source that could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cachegraph.reports.model import Report

__all__ = ["COLUMNS", "rows"]

COLUMNS = ("severity", "code", "rule", "source", "where", "file", "line", "message", "known", "unread")
"""What a row holds; ``unread`` is why a source could not be read, and empty for a finding."""


def rows(report: Report) -> Iterator[dict[str, Any]]:
    """Give each entry, and each source that could not be read, as a row.

    Parameters
    ----------
    report : Report

    Yields
    ------
    dict
        With `COLUMNS`; None for what is not known.
    """
    names = {subject.key: subject.name for subject in report.subjects}
    for entry in report.entries:
        place = entry.places[0] if entry.places else None
        yield {
            "severity": entry.severity,
            "code": entry.code,
            "rule": entry.rule,
            "source": names.get(entry.subject, entry.subject),
            "where": entry.where,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "message": entry.message,
            "known": entry.known,
            "unread": None,
        }
    for unread in report.unread:
        yield dict.fromkeys(COLUMNS) | {
            "severity": "error" if unread.fails else "note",
            "source": unread.source,
            "file": unread.place.file if unread.place else None,
            "line": unread.place.line if unread.place else None,
            "message": unread.text,
            "unread": unread.message,
        }
