"""A cache's history in words: what to call its exports, and what happened from one to the next in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from cachegraph.core.graph import ExportGraph
from cachegraph.schema.refs import short_ref
from cachegraph.schema.uncached import asked, uncached
from cachegraph.solver.causes import Cause, Miss
from cachegraph.solver.diff import measure
from cachegraph.solver.since import Since
from cachegraph.text.words import plural, size_text

if TYPE_CHECKING:
    from cachegraph.solver.history_rows import Event, History, Point

__all__ = ["QUIET", "CauseWord", "cause_word", "labels", "story", "summary"]

CauseWord = Literal[
    "base image",
    "files",
    "instruction",
    "variable",
    "source",
    "files or image",
    "no result",
    "lost blob",
    "not imported",
    "unclear",
]
"""Why most of the steps ran that did.

``base image``, ``files``, ``instruction``, ``variable``: that is another one. ``source``: another base image,
repository or download. ``files or image``: one of the two. ``no result``: the export before holds the key only. ``lost
blob``: the store lost what the result needs. ``not imported``: steps ran that the export before has. ``unclear``:
cannot tell.
"""

QUIET = "nothing ran"
"""The whole sentence of an export at which nothing happened."""

_GREW = 0.25
"""Share of its size by which an export grows or shrinks before its sentence says so."""
_SAID = 2  # causes that a sentence names


def labels(exports: Sequence[tuple[str, str | None]]) -> tuple[str, ...]:
    """Name each export for a sentence: the short name, or its number from 1 on where several have the same.

    Parameters
    ----------
    exports : sequence of (str, str or None)
        Source and platform of each.

    Examples
    --------
    >>> labels([("type=local,src=/cache/monday", None), ("type=local,src=/cache/tuesday", None)])
    ('monday', 'tuesday')
    >>> labels([("type=local,src=/cache,digest=sha256:0a", None), ("type=local,src=/cache", None)])
    ('export 1', 'export 2')
    """
    short = [short_ref(source, platform) for source, platform in exports]
    if len(set(short)) == len(short):
        return tuple(short)
    return tuple(f"export {number}" for number in range(1, len(short) + 1))


def cause_word(since: Since) -> CauseWord | None:
    """Say in a word what made most steps run; None where none did.

    Parameters
    ----------
    since : Since
    """
    if not since.ran:
        return None
    if since.anew:
        return "not imported"
    if not since.causes:
        return "unclear"
    return _word(max(since.causes, key=lambda cause: cause.steps), since)


def _word(cause: Cause, since: Since) -> CauseWord:
    if cause.kind == "key-without-result":
        return "no result"
    if cause.kind == "blob-gone":
        return "lost blob"
    miss = since.miss(cause)
    if miss is None or cause.kind not in ("key-absent", "input-differs"):
        return "unclear"
    match miss.topic:
        case "image":
            return "base image"
        case "files" | "source":
            return miss.topic
        case "variables":
            return "variable"
        case "either":
            return "files or image"
        case "step":
            return "instruction"
    return "unclear"


def story(graph: ExportGraph, old: ExportGraph | None, since: Since | None, *, gone: Sequence[Event], same: str) -> str:
    """Say what happened since the export before, in a sentence without a full stop.

    Parameters
    ----------
    graph : ExportGraph
    old : ExportGraph or None
        The export before.
    since : Since or None
        What became of the steps.
    gone : sequence of Event
        What the sequence shows at this export.
    same : str
        What an earlier export is called that has the same keys and results; empty where none has.
    """
    if old is None or since is None:
        steps = asked(graph)
        return f"the first: {sum(graph.loadable[step] for step in steps)} of {plural(len(steps), 'step')} can be loaded"
    said = [_ran(since)]
    if any(event.kind == "alternates" for event in gone):
        said.append(f"the same as {same} again: two contents take turns")
    said += _left(graph, since, gone)
    said += _grown(old, graph, since, gone)
    return "; ".join(said)


def _ran(since: Since) -> str:
    """Say how many steps ran, and why."""
    ran, unknown = len(since.ran), len(since.unknown)
    count = ran + unknown + len(since.kept)
    open_ = f"cannot tell of {unknown}" if ran else f"cannot tell of {plural(unknown, 'step')} whether they ran"
    if not ran:
        return open_ if unknown else QUIET
    part = f"all {plural(count, 'step')}" if ran == count and count > 1 else f"{ran} of {plural(count, 'step')}"
    said = f"{part} ran" + (f" ({open_})" if unknown else "")
    if since.anew:
        them = "it" if ran == 1 else "them"
        what = f"the export before has {them if since.anew == ran else f'{since.anew} of them'}"
        return f"{said} though {what}: it was not imported, or --no-cache"
    if not since.fits:
        return f"{said}, cannot tell why: the build imported something else than the export before"
    causes = [_why(cause, since) for cause in since.causes]
    if not causes:
        return said
    more = f"; and {plural(len(causes) - _SAID, 'more cause')}" if len(causes) > _SAID else ""
    return f"{said}: {'; '.join(causes[:_SAID])}{more}"


def _why(cause: Cause, since: Since) -> str:
    """Say a cause in a few words."""
    others = f" and {plural(cause.steps - 1, 'other step')}" if cause.steps > 1 else ""
    if cause.kind == "key-without-result":
        return f"the export before has no result of {cause.title}{others}"
    if cause.kind == "blob-gone":
        return f"the store had lost a blob of {cause.title}{others}"
    miss = since.miss(cause)
    if miss is None or cause.kind not in ("key-absent", "input-differs"):
        return f"cannot tell why {cause.title} did"
    return _changed(cause, miss)


def _changed(cause: Cause, miss: Miss) -> str:
    title = cause.title
    match miss.topic:
        case "image":
            return f"another base image under {title}"
        case "files":
            return f"other files for {title}"
        case "source":
            return f"another base image or other source under {title}"
        case "either":
            return f"other files or another base image for {title}"
        case "variables":
            return f"another variable in {title}"
        case "step" if cause.kind == "key-absent":
            return f"new or changed: {title}"
        case "step":
            return f"{title} stands on other steps than before"
    return f"something that {title} takes is not the same"


def _left(graph: ExportGraph, since: Since, gone: Sequence[Event]) -> Iterator[str]:
    """Say what of the steps cannot be loaded that could be before, or that just ran."""
    lost = [event for event in gone if event.kind == "result gone"]
    blobs = {event.blob for event in lost if event.blob is not None}
    if blobs:
        is_one = len(blobs) == 1
        size = f" ({size_text(graph.sizes[next(iter(blobs))])})" if is_one and next(iter(blobs)) in graph.sizes else ""
        steps = plural(sum(event.blob is not None for event in lost), "step")
        yield f"then the store lost {'a blob' if is_one else f'{len(blobs)} blobs'}{size}: {steps} cannot be loaded"
    if left := sum(event.blob is None for event in lost):
        yield f"{plural(left, 'result')} went though nothing changed for {'it' if left == 1 else 'them'}"
    causes = uncached(graph)
    unsaved = sum(step in causes and causes[step].blob is None for step in since.ran)
    if unsaved:
        yield f"{unsaved} of them left no result, as with mode=min"
    back = sum(event.kind == "result back" for event in gone)
    if back:
        yield f"{plural(back, 'result')} {'is' if back == 1 else 'are'} there again"


def _grown(old: ExportGraph, new: ExportGraph, since: Since, gone: Sequence[Event]) -> Iterator[str]:
    """Say by how much the export grew or shrank, if that is much, and which step grew."""
    before, now = measure(old).bytes, measure(new).bytes
    if not before or now is None or abs(now - before) < _GREW * before:
        return
    if now < before:
        if not any(event.kind == "result gone" for event in gone):
            yield f"{size_text(before - now)} less than before"
        return
    own = {step: _own_bytes(new, step) for step in since.ran}
    largest = max(own, key=lambda step: own[step], default=None)
    most = largest is not None and own[largest] * 2 > now - before
    name = new.naming(largest).name or f"step {largest}" if largest is not None else ""
    yield f"{size_text(now - before)} more than before" + (f", most of it {name}" if most else "")


def _own_bytes(graph: ExportGraph, step: int) -> int:
    """Give the size of the uppermost layer of a step's newest result."""
    result = graph.newest_result(step)
    blobs = () if result is None else graph.result_blobs(result)
    return (graph.sizes.get(blobs[-1]) or 0) if blobs else 0


def summary(history: History) -> str:
    """Give the answer in a line.

    Parameters
    ----------
    history : History
    """
    if not history:
        return "No exports."
    first, last = history[0], history[-1]
    said = [f"{plural(len(history), 'export')}: {_covered(first)} loadable at first, {_covered(last)} now."]
    told = [point for point in history if point.ran is not None and not point.unknown and point.steps]
    if told:
        ran, steps = sum(point.ran or 0 for point in told), sum(point.steps for point in told)
        builds = f"{sum(bool(point.ran) for point in told):,} of {plural(len(told), 'build')}"
        what = f"steps ran in {builds}, {ran:,} of {plural(steps, 'step')} in all" if ran else QUIET
        said.append(f"After the first, {what}.")
    turns = sum(event.kind == "alternates" for event in history.events)
    if turns:
        said.append(
            f"Two contents take turns ({turns} times): the cache fits every other build; "
            "give each its own scope, tag or name."
        )
    gone = [event.blob for event in history.events if event.kind == "result gone"]
    if lost := sum(blob is not None for blob in gone):
        blobs = plural(len(set(gone) - {None}), "blob")
        said.append(f"{plural(lost, 'result')} went because the store lost {blobs}: look at what deletes there.")
    if left := sum(blob is None for blob in gone):
        said.append(
            f"{plural(left, 'result')} went though nothing changed: mode=min, or a blob that cannot be loaded "
            "(`cachegraph check` says which)."
        )
    if wrong := _backwards(history):
        which = "an export is" if wrong == 1 else f"{wrong} exports are"
        said.append(f"By the times of their results {which} older than the one before: give the oldest first.")
    return " ".join(said)


def _backwards(history: History) -> int:
    """Count the exports that were written before the one they are compared with."""
    newest: dict[str | None, str] = {}
    wrong = 0
    for point in history:
        if point.at is not None:
            # Contents that take turns bring an old export back as it was.
            again = point.same_as is not None and history[point.same_as].at == point.at
            wrong += point.at < newest.get(point.platform, "") and not again
            newest[point.platform] = point.at
    return wrong


def _covered(point: Point) -> str:
    return f"{point.loadable} of {plural(point.steps, 'step')}"
