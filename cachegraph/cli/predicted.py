"""Predictions in every format."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from cachegraph.causes.compare import Change
from cachegraph.causes.lines import Line
from cachegraph.cli.findings import folded
from cachegraph.cli.output import Output, json_text, write, write_rows
from cachegraph.predicting import Forecast
from cachegraph.text.clean import markdown, one_line
from cachegraph.text.words import cut_at_word, plural

__all__ = ["answer", "write_changes", "write_forecasts"]

_COLUMNS = (
    "build",
    "line",
    "name",
    "stage",
    "platform",
    "outcome",
    "reason",
    "remedy",
    "executed",
    "bytes",
    "source",
    "digest",
)
_CHANGES = ("line", "name", "before", "after", "is_worse", "text")
_NAME = 48
_NO_CACHE = "no cache is given (--cache-from)"


def write_forecasts(made: Sequence[tuple[str, Forecast]], output: Output) -> None:
    """Write predictions.

    Parameters
    ----------
    made : sequence of (str, Forecast)
        What each is called; ``""`` for a prediction of a context, which is the only one.
    output : Output
    """
    match output.format:
        case "json":
            named = [({"build": name} if name else {}) | answer(one) for name, one in made]
            write(json_text(named if made and made[0][0] else named[0]), output)
        case "table":
            write("\n\n".join("\n".join(_text(name, one, output)) for name, one in made), output)
        case "markdown":
            write("\n\n".join("\n".join(_markdown(name, one)) for name, one in made), output)
        case _:
            rows = [
                {"build": name} | _line(line) | {"outcome": line.outcome} for name, one in made for line in one.lines
            ]
            write_rows(rows, _COLUMNS, output)


def _text(title: str, made: Forecast, output: Output) -> Iterator[str]:
    yield folded(f"{_titled(title, made)}: {made.prediction.summary}", output, before=0, indent=2)
    if _asked_nothing(made):
        said = f"{_NO_CACHE}, so this is what a builder does that has nothing of its own"
        yield folded(said, output, before=0, indent=2)
    told: set[str] = set()
    width = max((len(str(line.line)) for line in made.lines), default=1)
    names = min(_NAME, max((len(line.name) for line in made.lines), default=1))
    platforms = _several(made)
    wide = max((len(platform) for platform in platforms), default=0)
    for line in made.lines:
        name = one_line(line.name)
        if output.is_terminal:  # elsewhere a long name is whole, and only its line is longer
            name = cut_at_word(name, names)
        if platforms:
            name = f"{name:<{names}}  {line.platform or '':<{wide}}"
        said = f"{line.outcome}: {one_line(line.reason)}" if line.reason else line.outcome
        start = f"{line.line or '':>{width}}  {name:<{names}}  "
        yield f"{start}{folded(said, output, before=len(start), indent=len(start))}"
        if line.remedy and line.executed is not False and line.remedy not in told:  # once
            told.add(line.remedy)
            start = f"{'':{len(start)}}-> "
            yield f"{start}{folded(line.remedy, output, before=len(start), indent=len(start))}"
        for unknown in line.unknown if line.executed is None else ():
            if unknown not in told:  # once
                yield f"{'':>{width}}    {folded(unknown, output, before=width + 4, indent=width + 4)}"
            told.add(unknown)


def _asked_nothing(made: Forecast) -> bool:
    return not made.prediction.caches and not made.prediction.not_imported


def _several(made: Forecast) -> set[str]:
    """Name the platforms, if there are several."""
    found = {line.platform for line in made.lines if line.platform}
    return found if len(found) > 1 else set()


def _titled(title: str, made: Forecast) -> str:
    return f"{title} ({made.build.file})" if title else made.build.file


def _markdown(title: str, made: Forecast) -> Iterator[str]:
    yield f"**{markdown(_titled(title, made))}**: {markdown(made.prediction.summary)}\n"
    platforms = _several(made)
    yield "| line | step |" + " platform |" * bool(platforms) + " | why |"
    yield "| --- | --- |" + " --- |" * bool(platforms) + " --- | --- |"
    for line in made.lines:
        why = f"{line.reason}; {line.remedy}" if line.remedy and line.executed is not False else line.reason
        where = f" {line.platform or ''} |" if platforms else ""
        yield f"| {line.line or ''} | {markdown(line.name)} |{where} {line.outcome} | {markdown(why)} |"


def answer(made: Forecast) -> dict[str, Any]:
    """Give the JSON of a prediction.

    Parameters
    ----------
    made : Forecast
    """
    prediction = made.prediction
    return {
        "dockerfile": made.build.file,
        "summary": prediction.summary,
        "exact": prediction.exact,
        "caches": list(prediction.caches),
        "not_imported": [dataclasses.asdict(one) for one in prediction.not_imported],
        "notes": list(made.build.notes),
        "best": dataclasses.asdict(prediction.best),
        "worst": dataclasses.asdict(prediction.worst),
        "steps": [_line(line) for line in made.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    step = line.step
    return {
        "line": line.line or None,
        "name": line.name,
        "stage": line.stage or None,
        "platform": line.platform,
        "record": line.record,
        "digest": step.digest if step else None,
        "executed": line.executed,
        "how": step.how if step else "runs",
        "best": step.best if step else "runs",
        "worst": step.worst if step else "runs",
        "why": step.why if step else None,
        "first": step.first if step else None,
        "reason": line.reason or None,
        "remedy": line.remedy,
        "cause": dataclasses.asdict(line.cause) if line.cause else None,
        "source": step.source if step else None,
        "blobs": list(step.loads.blobs) if step and step.loads else [],
        "bytes": step.loads.bytes if step and step.loads else None,
        "depends": step.depends.cause if step and step.depends else None,
        "unknown": list(line.unknown),
    }


def _told(after: Forecast, changes: int) -> str:
    """Say how many steps changed, and no more than was looked at."""
    if changes:
        return f"{plural(changes, 'step')} changed"
    if _asked_nothing(after):
        return f"{_NO_CACHE}, so there is nothing that a change could make run again"
    unknown = sum(line.executed is None for line in after.lines)
    if unknown:
        return (
            f"no step is known to become cached or uncached; what becomes of {plural(unknown, 'step')} cannot be told"
        )
    return "no step becomes cached or uncached"


def write_changes(
    revisions: Sequence[str], before: Forecast, after: Forecast, changes: Sequence[Change], output: Output
) -> None:
    """Write what a change of the source makes of the cache.

    Parameters
    ----------
    revisions : sequence of str
        The two.
    before, after : Forecast
    changes : sequence of Change
    output : Output
    """
    title = f"{' '.join(revisions)}: {_told(after, len(changes))}"
    match output.format:
        case "json":
            rows = [dataclasses.asdict(change) for change in changes]
            write(json_text({"before": answer(before), "after": answer(after), "changes": rows}), output)
        case "table":
            lines = (f"  {folded(change.text, output, before=2, indent=4)}" for change in changes)
            write("\n".join([folded(title, output, before=0, indent=2), *lines]), output)
        case "markdown":
            write("\n".join([markdown(title), "", *(f"- {markdown(change.text)}" for change in changes)]), output)
        case _:
            write_rows([dataclasses.asdict(change) for change in changes], _CHANGES, output)
