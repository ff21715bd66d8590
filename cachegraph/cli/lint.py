"""``cachegraph lint``: what is wrong with how caches are named, written and read, without a build or a network."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

from cachegraph.cli.findings import folded
from cachegraph.cli.formats import output_options
from cachegraph.cli.judging import Policy, judging_options
from cachegraph.cli.linted import LintAnswer
from cachegraph.cli.options import fail_on_option, not_with
from cachegraph.cli.output import ROWS, Output, json_text, say, styled, write
from cachegraph.errors import CacheGraphError
from cachegraph.lint.linting import Linted, lint_paths, lint_text
from cachegraph.lint.rules.fixing import Changed, fix_files
from cachegraph.reports.github import github
from cachegraph.reports.junit import junit
from cachegraph.reports.markdown import markdown
from cachegraph.reports.rows import COLUMNS, rows
from cachegraph.reports.sarif import sarif
from cachegraph.text.words import plural

__all__ = ["lint"]

_STYLES: Mapping[str, Mapping[str, object]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "note": {"fg": "cyan"},
}
_MOST_ROUNDS = 5
_MOST_TEXT = 16 * 2**20  # bytes of standard input


def _table(answer: LintAnswer, output: Output, *, everything: bool) -> str:
    lines: list[str] = []
    report = answer.to_report()
    hidden = 0
    for name, entries in report.by_subject().items():
        shown = [entry for entry in entries if everything or entry.severity != "note" or not answer.has_worse]
        hidden += len(entries) - len(shown)
        if not shown:
            continue
        lines.append(styled(answer.shown(name), output, bold=True))
        for entry in shown:
            line = str(entry.places[0].line or "-") if entry.places else "-"
            severity = styled(entry.severity, output, **_STYLES[entry.severity])
            known = " (known)" if entry.known else ""
            before = 2 + len(line) + 1 + len(entry.severity) + len(known) + 1 + len(entry.code) + 1
            text = folded(entry.message, output, before=before, indent=6)
            lines.append(f"  {line} {severity}{known} {entry.code} {text}")
        lines.append("")
    lines += [f"{folded(unread.text, output, before=0, indent=2)}" for unread in report.unread]
    lines += [folded(line, output, before=0, indent=2) for line in answer.summary(hidden)]
    if everything:
        lines += [
            folded(f"{one.place}: {one.reason}", output, before=0, indent=2)
            for one in answer.linted.repository.unresolved
        ]
    return "\n".join([*lines, *report.remarks])


def _csv(answer: LintAnswer, output: Output) -> str:
    return ROWS["csv"](list(rows(answer.to_report())), COLUMNS, "", output)


def _html(answer: LintAnswer) -> str:
    from cachegraph import __version__
    from cachegraph.text.render import render

    report = answer.to_report()
    return render(
        "cachegraph.cli/lint.html.jinja",
        report=report,
        groups=report.by_subject(),
        rules={rule.name: rule for rule in report.rules},
        summary=list(answer.summary(0)),
        remarks=report.remarks,
        version=__version__,
    )


_REPORTS: Mapping[str, Callable[[LintAnswer, Output, bool], str]] = {
    "table": lambda answer, output, everything: _table(answer, output, everything=everything),
    "json": lambda answer, *_: json_text(answer.to_dict()),
    "csv": lambda answer, output, _: _csv(answer, output),
    "markdown": lambda answer, *_: markdown(answer.to_report()),
    "sarif": lambda answer, *_: sarif(answer.to_report()),
    "junit": lambda answer, *_: junit(answer.to_report()),
    "github": lambda answer, *_: github(answer.to_report()),
    "html": lambda answer, *_: _html(answer),
}


@click.command(
    epilog="\b\nExamples:\n  cachegraph lint\n  cachegraph lint --fix\n  cachegraph lint .github/workflows/image.yml\n"
    "  docker buildx bake --print | cachegraph lint -\n  cachegraph lint --format sarif=lint.sarif --fail-on warning"
)
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path, allow_dash=True))
@output_options(only=tuple(_REPORTS))
@fail_on_option("error")
@judging_options
@click.option("--all", "everything", is_flag=True, help="Show notes in the table, and what could not be worked out.")
@click.option("--fix", is_flag=True, help="Change the lines that can mean one thing only.")
@click.option("--diff", is_flag=True, help="Print what --fix would change, as a patch, and change nothing.")
def lint(
    paths: tuple[Path, ...],
    outputs: tuple[Output, ...],
    fail_on: str,
    policy: Policy,
    *,
    everything: bool,
    fix: bool,
    diff: bool,
) -> None:
    """Look for what is wrong with how caches are written and read.

    It looks in workflows, actions, bake and compose files, .gitlab-ci.yml, scripts and Dockerfiles: without a PATH in
    all of the repository that the current folder is in. With PATHs, only what is wrong in these is told; the rest of
    the repository is still read. A single - reads what docker buildx bake --print or docker compose config prints.
    Nothing is built, and no server is asked.
    """
    if everything and all(output.format != "table" for output in outputs):
        not_with({"everything": "--all"}, "only the table folds findings", "The other formats have all of them.")
    if fix and diff:
        raise click.UsageError("--diff changes nothing: leave out --fix")
    judge = policy.judge()
    linted = _linted(paths)
    if diff:
        click.echo("".join(change.diff() for change in _changes(linted)), nl=False)
        return
    if fix:
        linted = _fixed(linted, paths)
    answer = LintAnswer(linted=linted, fail_on=fail_on)
    policy.write(answer.judged(policy.judge()).to_baseline(), complete=not answer.broken)
    answer = answer.judged(judge)
    for output in outputs:
        write(_REPORTS[output.format](answer, output, everything), output)
    sys.exit(3 if answer.broken else int(answer.fails))


def _linted(paths: tuple[Path, ...]) -> Linted:
    if Path("-") in paths:
        if len(paths) > 1:
            raise click.UsageError("- stands for standard input and goes with no other PATH")
        text = sys.stdin.buffer.read(_MOST_TEXT + 1)
        if len(text) > _MOST_TEXT:
            raise CacheGraphError("there is too much on standard input", hint="give what one command prints")
        if not text.strip():
            raise click.UsageError("there is nothing on standard input")
        return lint_text(text.decode("utf-8", "replace"))
    return lint_paths(paths)


def _changes(linted: Linted) -> Iterator[Changed]:
    if linted.root is None:
        raise click.UsageError("standard input cannot be changed: give the file")
    return fix_files(linted.findings, linted.root)


def _fixed(linted: Linted, paths: tuple[Path, ...]) -> Linted:
    """Change what can be changed; a line may have several things wrong with it, one after the other."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for _ in range(_MOST_ROUNDS):
        changes = list(_changes(linted))
        for change in changes:
            change.write()
            before.setdefault(change.name, change.before)
            after[change.name] = change.after
        if not changes:
            break
        linted = _linted(paths)
    for name, text in after.items():
        count = sum(one != two for one, two in zip(before[name].splitlines(), text.splitlines(), strict=True))
        say(f"{_relative(linted, name)}: {plural(count, 'line')} changed")
    if not after:
        say("nothing to change: no finding has a cure that nobody could mean otherwise")
    return linted


def _relative(linted: Linted, name: str) -> str:
    path = linted.path(name)
    return os.path.relpath(path) if path is not None else name
