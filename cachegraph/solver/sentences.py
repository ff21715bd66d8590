"""The sentences of an explanation. They say only what is known: what changed where plaintexts tell, else where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport
from cachegraph.solver.causes import Miss, MissKind
from cachegraph.solver.counterparts import Counterparts
from cachegraph.solver.meanings import Meaning, differences
from cachegraph.text.words import plural

__all__ = ["Said", "advice", "first_miss", "paths_text", "sentence"]

_MAX_DETAILS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What can be said of the step with which a miss begins.

    Attributes
    ----------
    changed : tuple of str
        One thing each; empty where nothing can be said.
    was, now : str or None
    """

    changed: tuple[str, ...] = ()
    was: str | None = None
    now: str | None = None


class Missed(Protocol):
    """A step that missed, and the slots in which it did."""

    @property
    def record(self) -> int:
        """Index in the build."""

    @property
    def slots(self) -> Sequence[MissedIn]:
        """The slots in which nothing matched."""


class MissedIn(Protocol):
    """A slot in which nothing matched."""

    @property
    def slot(self) -> int:
        """Its number."""


def first_miss(found: Counterparts, step: Missed, kind: MissKind) -> Said:
    """Say what changed at the step with which a miss begins.

    Parameters
    ----------
    found : Counterparts
    step : Missed
    kind : MissKind
    """
    missed = [slot.slot for slot in step.slots]
    if kind == "key-absent" and not missed:
        return _instruction(found, step.record)
    if kind not in ("key-absent", "input-differs"):
        return Said()
    if kind == "key-absent":
        now = found.meaning(found.build, step.record)
        title = now.title if now else "this step"
        return Said(changed=(f"{title} is in no cache, and neither is what it takes",), now=now.title if now else None)
    return _inputs(found, step.record, missed)


def _instruction(found: Counterparts, record: int) -> Said:
    """Compare a step with the one that the cache has in its place."""
    candidates, was = found.instruction(record)
    now = found.meaning(found.build, record)
    if was is not None and now is not None:
        changed = differences(was, now) if was.facts and now.facts else ()
        if not changed and was.title != now.title:
            changed = (f"it was {was.title}, is now {now.title}",)
        return Said(changed=changed[:_MAX_DETAILS], was=was.title, now=now.title)
    if now is None:
        return Said()
    if not candidates:
        return Said(changed=("it is new: the cache has no other step in its place",), now=now.title)
    named = [meaning.title for meaning in (found.meaning(keys.export, key) for keys, key in candidates) if meaning]
    if len(named) == 1 == len(candidates):
        return Said(changed=(f"in its place the cache has {named[0]}",), now=now.title)
    return Said(changed=(), now=now.title)


def _inputs(found: Counterparts, record: int, missed: Sequence[int]) -> Said:
    """Compare what a step takes with what the cache has in those slots."""
    theirs = found.inputs(record, missed)
    changed: list[str] = []
    was: str | None = None
    now: str | None = None
    for slot in missed:
        ours = [found.meaning(found.build, root) for root in found.roots(record, slot)]
        known = [meaning for meaning in ours if meaning is not None]
        others = [found.meaning(found.caches[number].export, key) for number, key in sorted(theirs[slot])]
        before = [meaning for meaning in others if meaning is not None]
        if len(known) == len(ours) == 1 and len(before) == len(others) == 1:
            changed += _compared(before[0], known[0])
            was, now = before[0].title, known[0].title
            continue
        now = known[0].title if len(known) == len(ours) == 1 else now
        changed.append(_unnamed(found, record, slot, known if len(known) == len(ours) else (), len(others)))
    return Said(changed=tuple(changed[:_MAX_DETAILS]), was=was, now=now)


def _compared(was: Meaning, now: Meaning) -> list[str]:
    if was.kind != now.kind:
        return [f"it took {was.title}, and takes {now.title} now"]
    if now.kind == "content":
        return list(differences(was, now))
    if now.kind == "image":
        return [f"the base image was {was.title}, is now {now.title}"]
    return list(differences(was, now)) or [f"it took {was.title}, and takes {now.title} now"]


def _unnamed(found: Counterparts, record: int, slot: int, known: Collection[Meaning], others: int) -> str:
    """Say that a slot differs where it cannot be said how."""
    what = {
        "files": f"the content of {paths_text(found.build, record, slot) or 'the files that it takes'} differs",
        "image": "the base image is another one",
        "source": "the image or source that it stands on is another one",
        "either": f"what it takes in slot {slot} differs: other files, or another source such as the base image",
    }[found.root_kind(record, slot)]
    if known:
        what += f" (now {', '.join(meaning.title for meaning in known)})"
    if others > 1:
        what += f"; the cache has {plural(others, 'other version')}"
    return what


def paths_text(build: ExportGraph, record: int, slot: int) -> str:
    """Name the paths that a slot is narrowed to, where a name is known; empty where not."""
    alternatives = build.export.config.records[record].inputs[slot]
    names = [build.names.selectors.get(alternative.selector, "") for alternative in alternatives]
    return next((name for name in names if name), "")


def sentence(lead: Miss, members: Sequence[Miss], needer: Miss | None) -> str:
    """Say what happened to the step with which a cause begins.

    Parameters
    ----------
    lead : Miss
    members : sequence of Miss
        All that belong to the cause.
    needer : Miss or None
        The step for whose sake the first one is needed.
    """
    ran = "ran" if lead.certain else "may run"
    match lead.kind:
        case "key-absent":
            return f"{lead.title} {ran}: no cache has this instruction."
        case "input-differs" if lead.first:
            return f"{lead.title} {ran}: the instruction is in the cache, what it takes is not."
        case "input-differs":
            return f"{lead.title} {ran}: the instruction is in the cache, on other inputs."
        case "key-without-result":
            because = f", and {needer.title} needed it" if needer is not None else ""
            return f"{_several(lead, members)} {ran}: the key is in the cache without a result to load{because}."
        case "blob-gone":
            return f"{_several(lead, members)} {ran}: the cache had a result, and its blobs are gone."
        case "another-source":
            return f"{_several(lead, members)} {ran}: one cache has the result, another that has none answers first."
        case "cache-missing":
            return f"{_several(lead, members)} {ran}: no cache could be read."
        case "cache-refused":
            return f"{_several(lead, members)} {ran}: BuildKit refuses the cache."
        case "no-cache":
            return f"{_several(lead, members)} {ran}: no cache was given."
        case "asked-for":
            return f"{_several(lead, members)} {ran}: the build was told not to use the cache for it."
        case "unknown":
            return f"{_several(lead, members)} {ran}: cannot tell why from what is given."


def _several(lead: Miss, members: Sequence[Miss]) -> str:
    return lead.title if len(members) == 1 else f"{lead.title} and {plural(len(members) - 1, 'other step')}"


_ADVICE: dict[MissKind, str] = {
    "key-absent": "nothing, if the step was meant to change; else put what changes often behind what seldom does.",
    "input-differs": "leave out with .dockerignore what the step does not need, and copy what changes often last.",
    "key-without-result": "export the cache with mode=max; if it is, `cachegraph check` says which results it lacks.",
    "blob-gone": "export the cache again, and keep the store from deleting its blobs.",
    "another-source": "import one cache, or put the one that fits best last.",
    "cache-missing": "check the reference and the right to read it, and that some build writes it with --cache-to.",
    "cache-refused": "export the cache again; `cachegraph check` says what is wrong with it.",
    "no-cache": "give the build a cache with --cache-from, and write one with --cache-to.",
    "asked-for": "leave out --no-cache or --no-cache-filter.",
    "unknown": "give the cache that the build imported with --cache-from.",
}


def advice(lead: Miss, caches: Iterable[CacheExport]) -> str:
    """Say what to change, so that it does not happen again.

    Parameters
    ----------
    lead : Miss
    caches : iterable of CacheExport
    """
    if lead.kind == "key-absent" and lead.changed and all(change.startswith("env ") for change in lead.changed):
        return "set the variable (ARG, ENV) behind the steps that do not need it."
    if lead.kind == "input-differs" and any("base image" in change for change in lead.changed):
        return "pin the base image by its digest (FROM name@sha256:..), if it should change only when you say so."
    if lead.kind == "key-without-result" and any(cache.kind == "inline" for cache in caches):
        return "inline cache keeps the image's own layers only: export with mode=max to a cache of its own."
    return _ADVICE[lead.kind]
