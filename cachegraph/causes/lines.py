"""A prediction line by line: what becomes of each instruction, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cachegraph.builds.operations import Label
from cachegraph.builds.records import BuildStep
from cachegraph.causes.model import Cause
from cachegraph.causes.sources import platform_name
from cachegraph.solver.prediction import Prediction, Step
from cachegraph.solver.words import outcome, reason
from cachegraph.text.words import size_text

__all__ = ["Line", "predicted_lines"]

_NAME = 60
_NOT_WORKED_OUT = "what it is could not be worked out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A step of a build.

    Attributes
    ----------
    line : int
        Of the Dockerfile; 0 for a step that no line asks for.
    name, stage : str
    record : int or None
        In the build's own records; None for a step that is in no cache, since it stands on a folder of the client.
    executed : bool or None
        Whether it runs; None where that cannot be told before the build.
    outcome : str
        ``cached``, ``cached, loaded``, ``runs``, ``may run``.
    reason : str
        Why it runs, or what decides; where it is loaded from, for a step that is.
    remedy : str or None
    step : Step or None
    cause : Cause or None
    unknown : tuple of str
        What could not be worked out of it.
    platform : str or None
        What it is built for; None of a step that is on no image and runs nothing.
    """

    line: int
    name: str
    stage: str
    record: int | None
    executed: bool | None
    outcome: str
    reason: str
    remedy: str | None
    step: Step | None
    cause: Cause | None
    unknown: tuple[str, ...]
    platform: str | None = None


def predicted_lines(steps: Sequence[BuildStep], prediction: Prediction, causes: Mapping[int, Cause]) -> list[Line]:
    """Put a prediction into the Dockerfile's order.

    Parameters
    ----------
    steps : sequence of BuildStep
        The build's operations, inputs first.
    prediction : Prediction
    causes : mapping of int to Cause
        By record.

    Returns
    -------
    list of Line
        Steps alone, without sources and BuildKit's own; several platforms of a line stand one below the other.
    """
    of = {one.operation.identity: one for one in steps}
    platforms = _platforms(steps)
    lines = []
    for one in steps:
        label = one.operation.label
        if not one.operation.inputs or (not label.start and label.name.startswith("[internal]")):
            continue
        lines.append(replace(_line(one, prediction, causes, of), platform=platforms.get(one.operation.identity)))
    # A step stands behind what it takes, which is the order of the lines but for stages that are built on later ones.
    return sorted(lines, key=lambda line: line.line)


def _platforms(steps: Sequence[BuildStep]) -> dict[str, str]:
    """Give the platform of each operation: its own, else that of what it begins with."""
    found: dict[str, str] = {}
    for one in steps:
        operation = one.operation
        if operation.platform is not None:
            found[operation.identity] = platform_name(operation.platform)
        elif operation.inputs and operation.inputs[0].identity in found:
            found[operation.identity] = found[operation.inputs[0].identity]
    return found


def _line(one: BuildStep, prediction: Prediction, causes: Mapping[int, Cause], of: Mapping[str, BuildStep]) -> Line:
    label = one.operation.label
    step = prediction.step(one.record) if one.record is not None else None
    cause = causes.get(one.record) if one.record is not None else None
    unknown = tuple(unknown.reason for unknown in one.unknown)
    if step is None:
        executed: bool | None = True
        said, why = "runs", "it stands on a folder of the client, so it is in no cache and runs in every build"
    else:
        executed, said, why = step.executed, outcome(step), _reason(one, step, prediction, cause, of)
    return Line(
        line=label.start,
        name=label.name,
        stage=label.stage,
        record=one.record,
        executed=executed,
        outcome=said,
        reason=why,
        remedy=cause.remedy if cause else None,
        step=step,
        cause=cause,
        unknown=unknown,
    )


def _reason(
    one: BuildStep, step: Step, prediction: Prediction, cause: Cause | None, of: Mapping[str, BuildStep]
) -> str:
    if not prediction.caches and not prediction.not_imported and step.why in ("instruction", "input"):
        return ""  # nothing was asked, so nothing is wrong with the step
    if cause is not None and step.executed is not False:
        return cause.text
    if step.depends is not None and step.depends.cause == "unknown-step":
        below = _unknown_below(one, of)
        return f"{below} could not be worked out, and this step stands on it" if below else _NOT_WORKED_OUT
    if step.executed and step.why == "input" and not step.first:
        below = _missed_below(one, prediction, of)
        if below:
            return f"{below} is not cached, and this step stands on it"
    if step.executed is False:
        if step.loads is None:
            return ""
        size = "" if step.loads.bytes is None else f"{size_text(step.loads.bytes)} "
        return f"{size}from {step.source}"
    return reason(step, prediction)


def _called(label: Label) -> str:
    """Call a step by its line, or by its name where no Dockerfile is given; empty for BuildKit's own steps."""
    if label.start:
        return f"line {label.start}"
    if not label.name or label.name.startswith("[internal]"):
        return ""
    return label.name if len(label.name) <= _NAME else f"{label.name[: _NAME - 3]}..."


def _unknown_below(one: BuildStep, of: Mapping[str, BuildStep]) -> str:
    """Call the nearest step below that cannot be known for the same reasons; empty if it is this step."""
    for source in one.operation.inputs:
        below = of.get(source.identity)
        if below is not None and {*below.unknown} & {*one.unknown} and below.operation.inputs:
            return _called(below.operation.label) or _unknown_below(below, of)
    return ""


def _missed_below(one: BuildStep, prediction: Prediction, of: Mapping[str, BuildStep]) -> str:
    """Call the nearest step below that misses; empty if none has a line or a name."""
    for source in one.operation.inputs:
        below = of.get(source.identity)
        step = prediction.step(below.record) if below is not None and below.record is not None else None
        if below is not None and step is not None and step.why in ("instruction", "input", "asked-for"):
            return _called(below.operation.label) or _missed_below(below, prediction, of)
    return ""
