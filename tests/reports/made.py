"""Reports made by hand."""

from __future__ import annotations

from typing import Any

from cachegraph.reports.model import Entry, Place, Report, Subject, Unread, fingerprint
from cachegraph.text.rules import Rule, Severity

RULES = [
    Rule(
        name=name, title=f"Is it {name}?", meaning="m" * 2000, severity=severity, example="An example.", cure="A cure."
    )
    for name, severity in (
        ("import-errors", "error"),
        ("missing-results", "error if a blob is lost, else warning"),
        ("merge-subsets", "note"),
    )
]


def entry(
    number: int = 0,
    severity: Severity = "warning",
    rule: str = "missing-results",
    **changes: Any,  # noqa: ANN401 - fields of any type
) -> Entry:
    """Make an entry about step `number`."""
    code = {"import-errors": "CG101", "missing-results": "CG103", "merge-subsets": "CG105"}[rule]
    made: dict[str, Any] = {
        "code": code,
        "rule": rule,
        "severity": severity,
        "message": f"step {number} costs time.",
        "subject": "a",
        "where": f"app:cache#records[{number}]",
        "fingerprint": fingerprint(rule, "app:cache", number),
    }
    return Entry(**(made | changes))


def report(*entries: Entry, **changes: Any) -> Report:  # noqa: ANN401 - fields of any type
    """Make a report about one export, ``app:cache``."""
    subjects = [Subject(key="a", name="app:cache", sentence="Half of it is cached.")]
    return Report(**({"command": "check", "rules": RULES, "subjects": subjects, "entries": entries} | changes))


GONE = Unread(
    source="gone:cache",
    error="NotFoundError",
    message="gone:cache: there is no such tag",
    hint="check the tag",
    buildkit="skip",
    place=Place(file="compose.yaml", line=7),
)
