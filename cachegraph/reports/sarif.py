"""SARIF 2.1.0, as GitHub's code scanning takes it.

GitHub refuses a file with more than 25,000 results, shows a result only if it has a physical location, tells alerts
apart by the rule, the file and ``primaryLocationLineHash``, and cuts a rule's descriptions after 1,024 characters. A
rule's ``id`` is its code, which never changes; its ``name`` is the one that people read and filter by.

Source: docs.github.com, "SARIF support for code scanning"; OASIS SARIF 2.1.0, 3.49.3 (id) and 3.49.7 (name).
"""

from __future__ import annotations

import re
from typing import Any

from cachegraph import __version__
from cachegraph.reports.model import Entry, Place, Report, Unread, numbered
from cachegraph.reports.uris import line_length, name_as_path, uri_of
from cachegraph.text.clean import json_text
from cachegraph.text.rules import Rule
from cachegraph.text.words import plural

__all__ = ["sarif"]

_RESULTS = 25_000
_DESCRIPTION = 1024
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LINK = re.compile(r"\[(?=[^\]]*\]\()")


def sarif(report: Report) -> str:
    """Write SARIF.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        JSON. What is over 25,000 results is left out, the least severe first, and a notification says so.
    """
    entries = list(report.entries)
    prints = dict(zip(map(id, entries), numbered(entry.fingerprint for entry in entries), strict=True))
    told = entries if len(entries) <= _RESULTS else report.worst_first()[:_RESULTS]
    indexes = {rule.code: index for index, rule in enumerate(report.rules)}
    with_baseline = any(entry.known for entry in entries)
    notifications = [_notification(unread) for unread in report.unread]
    if len(told) < len(entries):
        left = f"{plural(len(entries) - len(told), 'finding')} left out, the least severe: GitHub takes {_RESULTS:,}."
        notifications.append({"level": "warning", "message": {"text": left}})
    notifications += [{"level": "note", "message": {"text": _message(remark)}} for remark in report.remarks]
    run = {
        "tool": {"driver": {"name": "cachegraph", "version": __version__, "rules": list(map(_rule, report.rules))}},
        "automationDetails": {"id": f"cachegraph-{report.command}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not any(unread.fails for unread in report.unread),
                "toolExecutionNotifications": notifications,
            }
        ],
        "results": [
            {
                "ruleId": entry.code,
                **({"ruleIndex": indexes[entry.code]} if entry.code in indexes else {}),
                "level": entry.severity,
                "message": {"text": _message(entry.message)},
                "locations": _locations(entry),
                **_related(entry),
                "partialFingerprints": {
                    "primaryLocationLineHash": prints[id(entry)],
                    "cachegraph/v1": prints[id(entry)],
                },
                **({"baselineState": "unchanged" if entry.known else "new"} if with_baseline else {}),
                "properties": {"rule": entry.rule},
            }
            for entry in told
        ],
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> dict[str, Any]:
    level = rule.level
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": _short(rule.title)},
        "fullDescription": {"text": _short(rule.meaning)},
        "defaultConfiguration": {"level": level},
        **({"helpUri": rule.link} if rule.link else {}),
        "help": {
            "text": f"{rule.meaning}\n\n{rule.cure}\n\nSeverity: {rule.severity}.",
            "markdown": f"{rule.meaning}\n\n**Cure.** {rule.cure}\n\n**Severity.** {rule.severity}.",
        },
        "properties": {
            "tags": ["build-cache", "docker"],
            "precision": "very-high",
            "problem.severity": "recommendation" if level == "note" else level,
        },
    }


def _short(text: str) -> str:
    return text if len(text) <= _DESCRIPTION else f"{text[: _DESCRIPTION - 1]}…"


def _message(text: str) -> str:
    r"""Keep what looks like a link from being one: SARIF reads ``[text](target)`` in a message."""
    return _LINK.sub(r"\\[", text) or "?"


def _locations(entry: Entry) -> list[dict[str, Any]]:
    logical = {"logicalLocations": [{"fullyQualifiedName": entry.where, "kind": "object"}]}
    places = [_physical(place) for place in entry.places] or [_region(name_as_path(entry.where))]
    return [{"physicalLocation": place, **logical} for place in places[:1]] + [
        {"physicalLocation": place} for place in places[1:10]
    ]


def _related(entry: Entry) -> dict[str, Any]:
    found = [
        {"id": number, "physicalLocation": _physical(place)} for number, place in enumerate(entry.related[:100], 1)
    ]
    return {"relatedLocations": found} if found else {}


def _physical(place: Place) -> dict[str, Any]:
    """Give a place with the four numbers that GitHub asks for: the whole line, or the file's beginning."""
    length = line_length(place.file, place.line) if place.line else None
    return _region(uri_of(place.file), place.line or 1, (length or 0) + 1)


def _region(uri: str, line: int = 1, end: int = 1) -> dict[str, Any]:
    region = {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": end}
    return {"artifactLocation": {"uri": uri}, "region": region}


def _notification(unread: Unread) -> dict[str, Any]:
    found: dict[str, Any] = {
        "level": "error" if unread.fails else "note",
        "message": {"text": _message(unread.text)},
        "properties": {"source": unread.source, "hint": unread.hint, "buildkit": unread.buildkit},
    }
    if unread.place is not None:
        found["locations"] = [{"physicalLocation": _physical(unread.place)}]
    return found
