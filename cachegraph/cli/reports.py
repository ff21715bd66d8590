"""The formats of ``cachegraph check``: for people, for other programs, for the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cachegraph import __version__
from cachegraph.cli.answer import Answer
from cachegraph.cli.findings import folded
from cachegraph.cli.output import ROWS, Output, json_text, styled
from cachegraph.cli.summary import summary
from cachegraph.queries.base import Finding
from cachegraph.queries.catalogue import asked
from cachegraph.reports.github import github
from cachegraph.reports.junit import junit
from cachegraph.reports.markdown import markdown
from cachegraph.reports.sarif import sarif
from cachegraph.text.render import render
from cachegraph.verdict.words import headline

__all__ = ["REPORTS", "html"]


def html(answer: Answer) -> str:
    """Write one page that needs nothing else, for people.

    Parameters
    ----------
    answer : Answer

    Returns
    -------
    str
        HTML; every text of an export is escaped.
    """
    return render(
        "cachegraph.cli/report.html.jinja",
        exports=answer.exports,
        findings=answer.findings.by_export(),
        failures=answer.failures,
        settings=answer.settings.to_report().worst_first() if answer.settings is not None else (),
        remarks=answer.said,
        questions={query.name: query for query in asked(answer.buildkit, together=True)},
        verdicts={export.id: verdict for export, verdict in zip(answer.exports, answer.verdicts, strict=True)},
        headline=headline,
        version=__version__,
    )


def _table(answer: Answer, output: Output, *, everything: bool) -> str:
    """Write the summary; below it what the settings and the baseline say."""
    said = [styled(folded(remark, output, before=0, indent=2), output, dim=True) for remark in answer.said]
    text = summary(answer, output, everything=everything)
    if answer.settings is not None:
        from cachegraph.cli.alongside import setting_lines

        lines = list(setting_lines(answer.settings, output, everything=everything))
        text = "\n".join([text.rstrip("\n"), "", *lines]) if lines else text
    return "\n".join([text.rstrip("\n"), "", *said]) if said else text


def _csv(answer: Answer, output: Output) -> str:
    """Write a row for each finding, its source named beside the id that stands for it; then one for each unread one."""
    names = {export.id: export.name for export in answer.exports}
    rows: list[dict[str, Any]] = []
    for known, findings in ((False, answer.findings), (True, answer.known)):
        rows += [{**f.to_dict(), "source": names[f.export], "known": known} for f in findings]
    rows += _setting_rows(answer)
    rows += [
        {
            "severity": "error" if unread.fails else "note",
            "message": unread.text,
            "source": unread.source,
            "unread": unread.message,
        }
        for unread in answer.to_report().unread
    ]
    columns = (*Finding.__dataclass_fields__, "code", "source", "known", "unread")
    return ROWS["csv"](rows, columns, "", output)


def _setting_rows(answer: Answer) -> list[dict[str, Any]]:
    """Give a row for each finding about the files; its source is the line."""
    entries = answer.settings.to_report().entries if answer.settings is not None else ()
    return [
        {
            "query": entry.rule,
            "code": entry.code,
            "severity": entry.severity,
            "message": entry.message,
            "source": ":".join(str(part) for part in (entry.places[0].file, entry.places[0].line) if part),
            "known": entry.known,
        }
        for entry in entries
    ]


REPORTS: Mapping[str, Callable[[Answer, Output, bool], str]] = {
    "table": lambda answer, output, everything: _table(answer, output, everything=everything),
    "json": lambda answer, *_: json_text(answer.to_dict()),
    "csv": lambda answer, output, _: _csv(answer, output),
    "markdown": lambda answer, *_: markdown(answer.to_report()),
    "sarif": lambda answer, *_: sarif(answer.to_report()),
    "junit": lambda answer, *_: junit(answer.to_report()),
    "github": lambda answer, *_: github(answer.to_report()),
    "html": lambda answer, *_: html(answer),
}
"""How the answer is written, by the name of the format; the last argument is whether everything is shown."""
