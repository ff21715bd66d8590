"""Predictions in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachegraph.text.words import cut_at_word, plural, size_text

if TYPE_CHECKING:
    from cachegraph.solver.blast import Blast
    from cachegraph.solver.prediction import Depends, Prediction, Step, Totals
    from cachegraph.solver.sources import SourceShare

__all__ = ["between", "blast_cells", "depends_text", "outcome", "prediction_summary", "reason", "step_title"]


def prediction_summary(prediction: Prediction) -> str:
    """Say in one line what becomes of the steps: ``2 of 12 steps run, 3 are loaded, 7 need not ..``.

    Parameters
    ----------
    prediction : Prediction
    """
    best, worst = prediction.best, prediction.worst
    count = len(prediction)
    if not count:
        return "no steps"
    said = [f"{between(best.runs, worst.runs)} of {plural(count, 'step')} run"]
    if loaded := _counted(best, worst):
        said.append(loaded)
    said.append(f"{between(worst.not_needed, best.not_needed)} need not be looked at")
    return ", ".join(said)


def _counted(best: Totals, worst: Totals) -> str | None:
    low, high = sorted((best.loaded, worst.loaded))
    if not high:
        return None
    size = "" if best.bytes is None or worst.bytes is None else f" ({between_sizes(best.bytes, worst.bytes)})"
    return f"{between(low, high)} {'is' if low == high == 1 else 'are'} loaded{size}"


def between(low: int, high: int) -> str:
    """Write a number, or two if they differ: ``3``, ``3 to 5``."""
    low, high = sorted((low, high))
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def between_sizes(low: int, high: int) -> str:
    """Write a number of bytes, or two if they differ."""
    first, last = map(size_text, sorted((low, high)))
    return first if first == last else f"{first} to {last}"


def step_title(record: int, name: str | None, digest: str) -> str:
    """Name a step for a sentence: ``RUN make (record 7)``."""
    shown = cut_at_word(name, 60) if name else digest[:19]
    return f"{shown} (record {record})" if shown else f"record {record}"


def outcome(step: Step) -> str:
    """Say what becomes of a step: ``runs``, ``cached``, ``cached, loaded``, ``may run``."""
    if step.executed is None:
        return "may run"
    return {"runs": "runs", "loaded": "cached, loaded", "not-needed": "cached"}[step.worst]


def reason(step: Step, prediction: Prediction) -> str:
    """Say why a step runs, or what decides; empty for one that does not run.

    Parameters
    ----------
    step : Step
    prediction : Prediction
        That it belongs to.
    """
    if step.depends is not None:
        return depends_text(step.depends, prediction)
    return "; ".join(part for part in (_why(step, prediction), _needed(step, prediction)) if part)


def _why(step: Step, prediction: Prediction) -> str:
    match step.why:
        case "instruction":
            return "the step itself is another one: what it takes is cached, this step is not"
        case "input" if step.first:
            slots = ", ".join(str(slot.slot) for slot in step.slots)
            return f"what it takes in slot {slots} is not cached: other files, or another source such as the base image"
        case "input":
            return _stands_on(step, prediction)
        case "no-result":
            return "its key is cached, but the cache has no result for it to load"
        case "blob-missing" if step.fails:
            return "the store no longer has a blob of its result, so the build fails here: export the cache again"
        case "blob-missing":
            return "the store no longer has a blob of its result"
        case "source-not-read":
            return "BuildKit could import no cache"
        case "asked-for":
            return "the build was told to run it (no-cache)"
    return ""


def _stands_on(step: Step, prediction: Prediction) -> str:
    """Say which uncached step a step takes, the first of several."""
    record = next((slot.record for slot in step.slots if slot.record is not None), None)
    taken = None if record is None else prediction.step(record)
    if taken is None:
        return "a step that it takes is not cached either"
    return f"{step_title(taken.record, taken.name, taken.digest)} is not cached, and this step stands on it"


def _needed(step: Step, prediction: Prediction) -> str:
    if step.why not in ("no-result", "blob-missing") or step.needed is None:
        return ""
    other = prediction.step(step.needed.by)
    name = f"record {step.needed.by}" if other is None else step_title(other.record, other.name, other.digest)
    match step.needed.why:
        case "input":
            return f"{name} runs and needs it"
        case "hash":
            return f"{name} is cached by its content, so BuildKit has to look at it"
        case "hash-again":
            return f"{name} runs, and BuildKit then looks at the content before it as well"
    return ""


def depends_text(depends: Depends, prediction: Prediction) -> str:
    """Say what decides whether a step runs.

    Parameters
    ----------
    depends : Depends
    prediction : Prediction
        That it belongs to.
    """
    found = prediction.step(depends.record)
    name = f"record {depends.record}" if found is None else step_title(found.record, found.name, found.digest)
    caches = " and ".join(depends.caches)
    match depends.cause:
        case "content":
            return f"depends on what {name} makes: cached if that is what the cache was made with"
        case "unknown-step":
            return f"depends on {name}, which could not be worked out"
        case "first-answer":
            return f"depends on which cache answers first from {name} on: {caches}"
        case "collision":
            return f"depends on which cache answers first for {name}: one of {caches} has no result for it"
        case "results":
            return f"cannot be told: {caches} says which keys are there, not what can be loaded"
        case "lost-link":
            return f"depends on chance: this version of BuildKit loses links to {name} when it imports the cache"


def blast_cells(row: Blast) -> tuple[str, str, str, str, str, str, str]:
    """Put a row of a blast radius into cells: record, what changes, steps, seconds, bytes, what is kept and how."""
    runs = between(row.runs if row.least is None else row.least, row.runs)
    seconds = "" if row.seconds is None else f"{row.seconds:,.1f}"
    size = "" if row.bytes is None else size_text(row.bytes)
    kept = "" if row.fix is None or row.saved is None else f"{plural(row.saved, 'step')}{_saved_size(row)}"
    return str(row.record), row.name or row.digest[:19], runs, seconds, size, kept, _fix_name(row) if kept else ""


def fix_text(row: Blast) -> str:
    """Say what would cut a blast radius most; empty where nothing does."""
    if row.fix is None or row.saved is None:
        return ""
    return f"if {_fix_name(row)} did not take it, {plural(row.saved, 'step')}{_saved_size(row)} would stay cached"


def _saved_size(row: Blast) -> str:
    return f" ({size_text(row.saved_bytes)})" if row.saved_bytes else ""


def _fix_name(row: Blast) -> str:
    return f"{row.fix_name} (record {row.fix})" if row.fix_name else f"record {row.fix}"


def source_cells(row: SourceShare) -> tuple[str, str, str, str, str, str]:
    """Put what a cache brings into cells: rank, steps saved, bytes loaded, steps only here, steps hidden, cache."""
    if row.error is not None:
        return str(row.rank), "", "", "", "", f"{row.source} (refused: {row.error})"
    saves = "unknown" if row.saves is None else f"{row.saves:,}"
    size = "" if row.bytes is None else size_text(row.bytes)
    return str(row.rank), saves, size, f"{row.only:,}", f"{row.collides:,}", row.source
