"""What ``cachegraph lint`` found, whatever format it is written in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from cachegraph.lint.linting import Linted
from cachegraph.lint.rules.base import LintFinding
from cachegraph.lint.rules.catalogue import LINT_RULES
from cachegraph.lint.values import Place as WrittenPlace
from cachegraph.reports.baseline import KnownFinding
from cachegraph.reports.judge import Judge
from cachegraph.reports.model import Entry, Place, Report, Subject, Unread, fingerprint
from cachegraph.text.rules import SEVERITIES
from cachegraph.text.words import plural

__all__ = ["LintAnswer", "counted"]


def counted(severities: Sequence[str]) -> str:
    """Count severities in words: ``1 error, 2 notes``; empty for none."""
    counts = ((severity, severities.count(severity)) for severity in SEVERITIES)
    return ", ".join(plural(count, severity) for severity, count in counts if count)


@dataclass(frozen=True, kw_only=True)
class LintAnswer:
    """Findings about settings, and what was read.

    Attributes
    ----------
    linted : Linted
    fail_on : {"error", "warning", "note", "never"}
    known : frozenset of int
        Ids of the findings that a baseline holds.
    remarks : sequence of str
    """

    linted: Linted
    fail_on: str = "error"
    known: frozenset[int] = frozenset()
    remarks: Sequence[str] = field(default_factory=tuple)

    def judged(self, judge: Judge) -> LintAnswer:
        """Give the answer as a project's settings and baseline want it."""
        if judge.idle:
            return self
        kept: list[LintFinding] = []
        known: set[int] = set()
        for finding in self.linted.findings:
            print_ = self._fingerprint(finding)
            decision = judge.decide(finding.code, finding.severity, finding.place.file, lambda one=print_: one)  # type: ignore[misc]
            if decision.standing == "ignored":
                continue
            changed = replace(finding, severity=decision.severity)
            kept.append(changed)
            if decision.standing == "known":
                known.add(id(changed))
        return replace(
            self,
            linted=replace(self.linted, findings=tuple(kept)),
            known=frozenset(known),
            remarks=judge.remarks(self._names),
        )

    @property
    def _names(self) -> list[str]:
        return [*(file.name for file in self.linted.repository.files), *self.linted.dockerfiles]

    @property
    def broken(self) -> bool:
        """Whether a file that was named could not be read."""
        return any(one.place.file in self.linted.named for one in self.linted.repository.failures)

    @property
    def fails(self) -> bool:
        """Whether a finding is new, and severe enough."""
        report = self.to_report()
        return any(map(report.fails, report.entries))

    @property
    def has_worse(self) -> bool:
        """Whether there is more than notes: then the table folds these."""
        return any(finding.severity != "note" for finding in self.linted.findings)

    def shown(self, name: str) -> str:
        """Name a file from the current folder."""
        path = self.linted.path(name)
        return os.path.relpath(path) if path is not None else name

    @cached_property
    def _lines(self) -> dict[str, list[str]]:
        return {file.name: file.text.splitlines() for file in self.linted.repository.files}

    def _line(self, place: WrittenPlace) -> str:
        if place.file not in self._lines:
            path = self.linted.path(place.file)
            try:
                text = path.read_text("utf-8", "replace") if path is not None else ""
            except OSError:
                text = ""
            self._lines[place.file] = text.splitlines()
        lines = self._lines[place.file]
        return lines[place.line - 1].strip() if 0 < place.line <= len(lines) else ""

    def _fingerprint(self, finding: LintFinding) -> str:
        return fingerprint(finding.rule, finding.place.file, self._line(finding.place))

    def to_dict(self) -> dict[str, Any]:
        """Give it as the JSON of ``lint``."""
        repository = self.linted.repository
        return {
            "files": self._names,
            "entries": len(repository.entries),
            "findings": [{**finding.to_dict(), "known": id(finding) in self.known} for finding in self.linted.findings],
            "failures": [{"file": one.place.file, "message": one.reason} for one in repository.failures],
            "unresolved": [
                {
                    "file": one.place.file,
                    "line": one.place.line or None,
                    "reason": one.reason,
                }
                for one in repository.unresolved
            ],
            "remarks": list(self.remarks),
        }

    def to_report(self) -> Report:
        """Give it as a report, for the formats of `cachegraph.reports`."""
        names = dict.fromkeys(
            [
                *(finding.place.file for finding in self.linted.findings),
                *(entry.place.file for _, entry in self.linted.repository.entries),
            ]
        )
        return Report(
            command="lint",
            rules=[rule.rule for rule in LINT_RULES],
            subjects=[Subject(key=name, name=self.shown(name), sentence=self._count(name)) for name in sorted(names)],
            entries=list(self._entries()),
            unread=tuple(self._unread()),
            remarks=self.remarks,
            fail_on=self.fail_on,
        )

    def _count(self, name: str) -> str:
        severities = [finding.severity for finding in self.linted.findings if finding.place.file == name]
        return f"{counted(severities) or 'No findings'}."

    def _entries(self) -> Iterator[Entry]:
        for finding in self.linted.findings:
            yield Entry(
                code=finding.code,
                rule=finding.rule,
                severity=finding.severity,
                message=finding.message,
                subject=finding.place.file,
                where=finding.place.path or f"line {finding.place.line}",
                fingerprint=self._fingerprint(finding),
                places=(self._place(finding.place),),
                related=tuple(map(self._place, finding.related)),
                known=id(finding) in self.known,
            )

    def _place(self, place: WrittenPlace) -> Place:
        return Place(file=self.shown(place.file), line=place.line or None)

    def _unread(self) -> Iterator[Unread]:
        for one in self.linted.repository.failures:
            yield Unread(
                source=self.shown(one.place.file),
                error="DecodeError",
                message=one.reason,
                place=self._place(one.place),
                fails=one.place.file in self.linted.named,
            )

    def to_baseline(self) -> Iterator[KnownFinding]:
        """Give the findings as a baseline keeps them."""
        for finding in self.linted.findings:
            yield KnownFinding(
                fingerprint=self._fingerprint(finding),
                code=finding.code,
                severity=finding.severity,
                source=finding.place.file,
                message=finding.message,
            )

    def summary(self, hidden: int) -> Iterator[str]:
        """Say how much was read and found.

        Parameters
        ----------
        hidden : int
            Notes that the table leaves out.
        """
        repository = self.linted.repository
        findings = self.linted.findings
        files, entries = plural(len(repository.files) + len(self.linted.dockerfiles), "file"), len(repository.entries)
        read = f"{files}, {entries:,} cache {'entry' if entries == 1 else 'entries'}"
        if not repository.files and not self.linted.dockerfiles:
            yield (
                "Nothing here says how images are built: no workflow, bake or compose file, .gitlab-ci.yml, script or "
                "Dockerfile. Give the file, or run it in the repository."
            )
            return
        yield f"{read}: {counted([finding.severity for finding in findings]) or 'no findings'}."
        if hidden:
            yield f"{plural(hidden, 'note')} not shown: --all shows them."
        if count := sum(finding.fix is not None and finding.fix.is_safe for finding in findings):
            yield f"--fix cures {count:,} of them; --diff shows how."
        if repository.unresolved:
            yield f"{plural(len(repository.unresolved), 'place')} could not be worked out: --all lists them."
