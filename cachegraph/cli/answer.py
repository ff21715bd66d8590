"""What ``cachegraph check`` found out, whatever format it is written in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cachegraph.cli.options import NAMES
from cachegraph.core.graph import ExportGraph
from cachegraph.loaders.catalogue import Failure
from cachegraph.queries.base import Finding
from cachegraph.queries.catalogue import asked, get
from cachegraph.queries.findings import Findings
from cachegraph.reports.baseline import KnownFinding
from cachegraph.reports.judge import Judge
from cachegraph.reports.model import Entry, Place, Report, Subject, Unread, fingerprint
from cachegraph.reports.uris import repository_root
from cachegraph.schema.summary import ExportSummary
from cachegraph.solver.together import Together
from cachegraph.text.rules import CODES
from cachegraph.verdict.failures import failed_verdict
from cachegraph.verdict.judge import judge
from cachegraph.verdict.model import Cause, Verdict
from cachegraph.verdict.words import headline

if TYPE_CHECKING:
    from cachegraph.cli.linted import LintAnswer

__all__ = ["Answer", "failed", "name_of", "steady", "unread_of", "where"]

_DIGEST = re.compile(r",digest=sha256:[0-9a-f]+|@sha256:[0-9a-f]+")
_PATH = re.compile(r"(?<=[=,])(?P<key>src|db)=(?P<path>[^,]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Exports, what the questions say of them, and the sources that could not be read.

    Attributes
    ----------
    exports : sequence of ExportSummary
    findings : Findings
        Those that count.
    failures : sequence of Failure
    places : mapping of str to tuple of (str, int)
        Files and lines that ask for a record, by its digest, where a Dockerfile names it.
    known : Findings
        Those that a baseline holds.
    remarks : sequence of str
        What was ignored, changed or known, a sentence each.
    fail_on : {"error", "warning", "note", "never"}
    named : mapping of str to tuple of Place
        Where each export is named: a file's line, a path; by the export's id.
    buildkit : str or None
        Version of the builder that was asked about; None for the newest.
    together : Together or None
        What several caches bring a build that imports them all.
    unread : sequence of Unread
        The failures, and the entries of files that name no source yet, as reports tell them.
    verdicts : sequence of Verdict
        On the exports, in their order; made of these and their findings where they are not given.
    settings : LintAnswer or None
        What ``lint`` says of the files that name the sources.
    shared : sequence of str
        Which caches several builds write, as far as these files tell; a sentence each.
    """

    exports: Sequence[ExportSummary]
    findings: Findings[Any]
    failures: Sequence[Failure] = ()
    places: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    known: Findings[Any] = field(default_factory=lambda: Findings(()))
    remarks: Sequence[str] = ()
    fail_on: str = "error"
    named: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    unread: Sequence[Unread] = ()
    buildkit: str | None = None
    together: Together | None = None
    verdicts: Sequence[Verdict] = ()
    settings: LintAnswer | None = None
    shared: Sequence[str] = ()

    def __post_init__(self) -> None:
        if len(self.verdicts) != len(self.exports):
            own = self.findings.by_export()
            made = [judge(export, own.get(export.id, ()), "record {}".format) for export in self.exports]
            object.__setattr__(self, "verdicts", tuple(made))

    @property
    def failed_verdicts(self) -> list[Verdict]:
        """Verdicts on the caches that could not be read; names are none."""
        return [failed_verdict(failure.spec, failure.error) for failure in self.failures if failure.spec != NAMES]

    def judged(self, judge: Judge) -> Answer:
        """Give the answer as a project's settings and baseline want it.

        Parameters
        ----------
        judge : Judge
        """
        if judge.idle:
            return self
        sources = {export.id: (export.name, steady(export)) for export in self.exports}

        def part(finding: Finding) -> tuple[str, Finding]:
            name, source = sources[finding.export]
            decision = judge.decide(CODES[finding.query], finding.severity, name, lambda: _fingerprint(finding, source))
            changed = decision.severity != finding.severity
            return decision.standing, replace(finding, severity=decision.severity) if changed else finding

        parts = self.findings.parted(part)
        none: Findings[Any] = Findings(())
        settings = self.settings.judged(judge) if self.settings is not None else None
        looked_at = [*(source for _, source in sources.values()), *(settings.linted.named if settings else ())]
        return replace(
            self,
            settings=settings,
            findings=parts.get("new", none),
            known=parts.get("known", none),
            verdicts=self._verdicts_on(parts.get("new", none)),
            remarks=judge.remarks(looked_at),
        )

    def _verdicts_on(self, left: Findings[Any]) -> tuple[Verdict, ...]:
        """Take causes that are ignored or known out of the verdicts; the others get the severity that is wanted."""
        severities = {(finding.export, CODES[finding.query]): finding.severity for finding in left}
        asked = {(finding.export, CODES[finding.query]) for finding in self.findings}

        def kept(verdict: Verdict) -> Iterator[Cause]:
            for cause in verdict.causes:
                place = (verdict.export or "", cause.code or "")
                if place not in asked:
                    yield cause
                elif place in severities:
                    yield replace(cause, severity=severities[place])

        return tuple(replace(verdict, causes=tuple(kept(verdict))) for verdict in self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """Give it as the JSON of ``check``; ``known`` and ``remarks`` are there if settings or a baseline say more."""
        words = {verdict.spec: verdict.word for verdict in self.failed_verdicts}
        told: dict[str, Any] = {
            "exports": [
                {**export.to_dict(), "verdict": verdict.to_dict()}
                for export, verdict in zip(self.exports, self.verdicts, strict=True)
            ],
            "findings": [finding.to_dict() for finding in self.findings],
            "sources_failed": [failed(one) | {"verdict": words.get(one.source, "UNREADABLE")} for one in self._unread],
        }
        if self.together is not None:
            told["together"] = asdict(self.together)
        if self.settings is not None:
            told["settings"] = {"findings": self.settings.to_dict()["findings"], "shared": list(self.shared)}
        if self.known or self.remarks:
            told |= {"known": [finding.to_dict() for finding in self.known], "remarks": list(self.remarks)}
        return told

    def to_report(self) -> Report:
        """Give it as a report, for the formats of `cachegraph.reports`."""
        settings = self.settings.to_report() if self.settings is not None else None
        found = {entry.subject for entry in settings.entries} if settings is not None else set()
        return Report(
            command="check",
            rules=[
                *(query.rule for query in asked(self.buildkit, together=len(self.exports) > 1)),
                *(settings.rules if settings is not None else ()),
            ],
            subjects=[
                Subject(key=export.id, name=export.name, sentence=headline(verdict))
                for export, verdict in zip(self.exports, self.verdicts, strict=True)
            ]
            + [subject for subject in (settings.subjects if settings is not None else ()) if subject.key in found],
            entries=[
                *self._entries(self.known, known=True),
                *self._entries(self.findings),
                *(settings.entries if settings is not None else ()),
            ],
            unread=self._unread,
            remarks=self.said,
            fail_on=self.fail_on,
        )

    def to_baseline(self) -> Iterator[KnownFinding]:
        """Give the findings as a baseline keeps them."""
        sources = {export.id: steady(export) for export in self.exports}
        for finding in self.findings:
            source = sources[finding.export]
            yield KnownFinding(
                fingerprint=_fingerprint(finding, source),
                code=CODES[finding.query],
                severity=finding.severity,
                source=source,
                message=finding.message,
            )
        if self.settings is not None:
            yield from self.settings.to_baseline()

    @property
    def said(self) -> tuple[str, ...]:
        """What is to be said besides findings: of several caches, of settings and baseline; a sentence each."""
        return (*(self.together.sentences if self.together else ()), *self.shared, *self.remarks)

    @property
    def _unread(self) -> Sequence[Unread]:
        return self.unread or tuple(map(unread_of, self.failures))

    def _entries(self, findings: Findings[Any], *, known: bool = False) -> Iterator[Entry]:
        exports = {export.id: (export, steady(export)) for export in self.exports}
        for finding in findings:
            export, source = exports[finding.export]
            lines = tuple(Place(file=file, line=line) for file, line in self.places.get(finding.digest or "", ()))
            named = self.named.get(finding.export, ())
            exact = any(place.line for place in named)
            yield Entry(
                code=CODES[finding.query],
                rule=finding.query,
                severity=finding.severity,
                message=finding.message,
                subject=finding.export,
                where=where(export, finding),
                fingerprint=_fingerprint(finding, source),
                places=named[:1] if exact else lines or named[:1],
                related=(*named[1:], *lines) if exact else (),
                known=known,
            )


def _fingerprint(finding: Finding, source: str) -> str:
    fields = (getattr(finding, name) for name in get(finding.query).identity)
    return fingerprint(finding.query, source, finding.digest, *fields)


def steady(export: ExportSummary) -> str:
    """Name an export by what stays when it is exported again, on whatever machine.

    Parameters
    ----------
    export : ExportSummary

    Returns
    -------
    str
        Its source without the digest that it has now, with paths relative to the repository; and its platform.
    """
    return _PATH.sub(_relative, _DIGEST.sub("", export.name))


def _relative(found: re.Match[str]) -> str:
    here = str(Path.cwd())
    root = os.path.realpath(repository_root(here) or here)
    path, blank, platform = found["path"].partition(" ")
    real = os.path.realpath(path)
    inside = real != root and real.startswith(root + os.sep)
    return f"{found['key']}={os.path.relpath(real, root) if inside else path}{blank}{platform}"


def failed(unread: Unread) -> dict[str, Any]:
    """Give a source that could not be read as its JSON object."""
    place = unread.place and {"file": unread.place.file, "line": unread.place.line}
    return {
        "source": unread.source,
        "error": unread.error,
        "message": unread.message,
        "hint": unread.hint,
        "place": place,
        "buildkit": unread.buildkit,
        "warnings": list(unread.warnings),
    }


def unread_of(failure: Failure, place: Place | None = None, *, fails: bool = True) -> Unread:
    """Give a source that could not be read as reports tell it."""
    return Unread(
        source=failure.spec,
        error=type(failure.error).__name__,
        message=failure.error.message,
        hint=failure.error.hint,
        buildkit=failure.error.buildkit,
        place=place,
        fails=fails,
        warnings=tuple(trap.message for trap in failure.traps),
    )


def where(export: ExportSummary, finding: Finding) -> str:
    """Name the place of a finding: the export, and the record if it is about one."""
    return export.name if finding.record is None else f"{export.name}#records[{finding.record}]"


def name_of(graph: ExportGraph) -> str:
    """Name an export for a heading: source and platform."""
    return f"{graph.export.source} {graph.export.platform or ''}".rstrip()
