"""What rules ask about builds: whether two differ, whether both run, what they push."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from cachegraph.lint.folders import folder_of
from cachegraph.lint.model import Build, Job, Trigger
from cachegraph.lint.rules.places import Use, known_reference
from cachegraph.lint.values import Condition, Value

__all__ = ["difference", "is_true", "may_run_together", "pushed_images", "target_of", "title"]


def title(build: Build) -> str:
    """Name a build for a sentence: its job, target or service, and its combination."""
    name = build.name or (build.job.name if build.job else "") or build.runner.name or build.kind
    kind = "" if build.job and not build.name else {"bake": "target ", "compose": "service "}.get(build.runner.kind, "")
    return f"{'job ' if build.job and not build.name else kind}{name}"


def is_true(value: Value | None) -> bool:
    """Whether a setting is certainly switched on."""
    return value is not None and (value.text or "").strip().lower() == "true"


def difference(one: Build, other: Build) -> str:
    """Name what differs between two builds for certain; empty if nothing does."""
    context_one, context_other = _context(one), _context(other)
    if context_one != context_other and None not in (context_one, context_other):
        return "context"
    file_one, file_other = _path(one.settings.dockerfile, ""), _path(other.settings.dockerfile, "")
    if file_one and file_other and file_one != file_other and _known(one, other, "dockerfile"):
        return "Dockerfile"
    if _known(one, other, "target") and _text(one.settings.target) != _text(other.settings.target):
        return "target"
    if _platforms_differ(one, other):
        return "platform"
    if one.job is not None and one.job == other.job and one.step == other.step and _architecture_differs(one, other):
        return "platform (that of the runner)"
    if one.step is not None and one.step == other.step:
        for name in sorted(one.settings.args.keys() & other.settings.args.keys()):
            first, second = one.settings.args[name].text, other.settings.args[name].text
            if first is not None and second is not None and first != second:
                return f"{name} (a build argument)"
    return ""


def _known(one: Build, other: Build, key: str) -> bool:
    return all(value is None or value.is_known for value in (getattr(b.settings, key) for b in (one, other)))


def _text(value: Value | None) -> str:
    return value.text or "" if value is not None else ""


def _path(value: Value | None, default: str) -> str:
    text = _text(value) or default
    return posixpath.normpath(text) if text and "://" not in text else text


def _context(build: Build) -> str | None:
    """Give a build's context, to compare with that of others; None if it is not known."""
    context, start = build.settings.context, folder_of(build.directory)
    if start is None or (context is not None and not context.is_known):
        return None
    text = _path(context, ".")
    return text if "://" in text else posixpath.normpath(posixpath.join(start, text))


def _platforms(build: Build) -> frozenset[str] | None:
    texts = [value.text for value in build.settings.platforms]
    if any(text is None for text in texts):
        return None
    return frozenset(part.strip() for text in texts for part in (text or "").split(",") if part.strip())


def _platforms_differ(one: Build, other: Build) -> bool:
    first, second = _platforms(one), _platforms(other)
    if not first or not second or first == second:
        return False
    # The same job builds more platforms later, and begins with what it built before.
    return one.step == other.step or not (first <= second or second <= first)


def _architecture_differs(one: Build, other: Build) -> bool:
    first, second = _architecture(one), _architecture(other)
    return bool(first and second and first != second and not one.settings.platforms and not other.settings.platforms)


def _architecture(build: Build) -> str:
    """Tell the architecture of GitHub's own runners by their names; empty for others."""
    if build.job is None:
        return ""
    for value in build.job.runs_on:
        text = value.text or _filled(value, build)
        if text.startswith("ubuntu-") and all(part in "0123456789.-armlatest" for part in text[7:]):
            return "arm64" if text.endswith("-arm") else "amd64"
    return ""


def _filled(value: Value, build: Build) -> str:
    """Fill in values of the matrix; empty if more is unknown."""
    parts = []
    for part in value.parts:
        if isinstance(part, str):
            parts.append(part)
        else:
            known = build.combination.values.get(part.name.removeprefix("matrix."))
            if known is None or not part.name.startswith("matrix."):
                return ""
            parts.append(known)
    return "".join(parts)


def may_run_together(one: Use, other: Use) -> bool:
    """Whether one run, or two runs of one branch, can certainly have both uses; False where that is open."""
    if one.build is other.build:
        return False
    if one.build.kind != other.build.kind or (one.build.job is None) != (other.build.job is None):
        return False
    if one.build.job is None or other.build.job is None:
        return one.build.place.file == other.build.place.file
    if not _same_conditions(one, other):
        return False
    events = one.events & other.events
    if one.build.job.system == "gitlab":
        return one.build.job.file == other.build.job.file
    if not events:
        return False
    if one.build.job.file == other.build.job.file:
        return True
    return any(_triggers_meet(one.build.job, other.build.job, event) for event in events)


def _same_conditions(one: Use, other: Use) -> bool:
    """Whether both have the same conditions, so that these do not exclude each other."""
    return _texts(one) == _texts(other) and not any("matrix" in text for text in _texts(one))


def _texts(use: Use) -> list[str]:
    conditions: tuple[Condition, ...] = (*use.build.conditions, *use.entry.conditions)
    return sorted({" ".join(condition.text.split()) for condition in conditions} - {"always()", "success()"})


def _triggers_meet(one: Job, other: Job, event: str) -> bool:
    """Whether an event can start both workflows on one branch or tag; False where filters leave that open."""
    first = [trigger for trigger in one.triggers if trigger.event == event]
    second = [trigger for trigger in other.triggers if trigger.event == event]
    return any(_meet(a, b) for a in first for b in second)


def _meet(one: Trigger, other: Trigger) -> bool:
    for first, second in ((one, other), (other, one)):
        if first.branches_ignore or first.tags_ignore or first.paths:
            return False
        if first.tags and not first.branches and second.branches and not second.tags:
            return False
    if one.branches and other.branches:
        return bool(set(one.branches) & set(other.branches))
    if one.tags and other.tags:
        return bool(set(one.tags) & set(other.tags))
    return True


def pushed_images(build: Build) -> Iterator[str]:
    """Give the references of images that a build certainly names, and may push."""
    pushes = build.settings.push is not None and (not build.settings.push.is_known or is_true(build.settings.push))
    if not pushes and not any("push=true" in value.pattern for value in build.settings.outputs):
        return
    yield from filter(None, map(known_reference, build.settings.tags))


def target_of(build: Build) -> str:
    """Give the stage that a build asks for; a name that no stage has where that is unknown."""
    target = build.settings.target
    return "" if target is None else target.text or "?"
