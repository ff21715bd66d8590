"""The sentences of an explanation. They say only what is known: what changed where plaintexts tell, else where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport
from cachegraph.solver.causes import Miss, MissKind, Topic
from cachegraph.solver.counterparts import MAX_OTHERS, Counterparts
from cachegraph.solver.meanings import Meaning, differences
from cachegraph.text.words import plural

__all__ = ["NAMELESS", "Said", "advice", "first_miss", "inputs_said", "paths_text", "sentence"]

NAMELESS = (
    "Cannot tell all of what changed: not all names are known. Give --names with a daemon's cache-debug.db, an image "
    "with provenance, or the record of the build that wrote the cache."
)
_MAX_DETAILS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What can be said of the step with which a miss begins.

    Attributes
    ----------
    topic : Topic or None
        What changed.
    changed : tuple of str
        One thing each; empty where nothing can be said.
    was, now : str or None
    """

    topic: Topic | None = None
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
    if kind == "key-absent":
        return _instruction(found, step.record, new_inputs=bool(missed))
    return inputs_said(found, step.record, missed) if kind == "input-differs" else Said()


def _instruction(found: Counterparts, record: int, *, new_inputs: bool) -> Said:
    """Compare a step with the one that the cache has in its place."""
    now = found.meaning(found.build, record)
    title = now.title if now is not None else None
    if new_inputs:
        return Said(topic="step", changed=("what it takes is not in the cache either",), now=title)
    candidates, was = found.instruction(record)
    if was is not None and now is not None:
        changed = differences(was, now) if was.facts and now.facts else ()
        if not changed and was.title != now.title:
            changed = (f"it was {was.title}, is now {now.title}",)
        variables = bool(changed) and all(change.startswith("env ") for change in changed)
        topic: Topic = "variables" if variables else "step"
        return Said(topic=topic, changed=changed[:_MAX_DETAILS], was=was.title, now=title)
    if not candidates:
        return Said(topic="step", changed=("the cache has no step in its place",), now=title)
    named = [meaning.title for meaning in (found.meaning(keys.export, key) for keys, key in candidates) if meaning]
    if now is not None and len(named) == len(candidates) == 1:
        return Said(topic="step", changed=(f"in its place the cache has {named[0]}",), now=title)
    return Said(topic="step", now=title)


def inputs_said(found: Counterparts, record: int, missed: Sequence[int]) -> Said:
    """Compare what a step takes with what the cache has in those slots.

    Parameters
    ----------
    found : Counterparts
    record : int
    missed : sequence of int
        Slots that take files or a source, and no step.
    """
    if not missed:
        together = (
            "the cache has this instruction and what it takes, but not the one on the other: another order of steps"
        )
        return Said(topic="step", changed=(together,))
    changed: list[str] = []
    topics: list[Topic] = []
    was: str | None = None
    now: str | None = None
    for slot in missed:
        topics.append(found.root_kind(record, slot))
        ours = [found.meaning(found.build, root) for root in found.roots(record, slot)]
        others = found.others(record, slot)
        pair = _pair(ours, others)
        if pair is not None:
            changed += _compared(*pair)
            was, now = pair[0].title, pair[1].title
            continue
        known = [meaning for meaning in ours if meaning is not None]
        now = known[0].title if len(known) == 1 else now
        changed.append(_unnamed(found, record, slot, known, len(others)))
    topic = topics[0] if len(set(topics)) == 1 else "either"
    return Said(topic=topic, changed=tuple(changed[:_MAX_DETAILS]), was=was, now=now)


def _pair(ours: Sequence[Meaning | None], others: Sequence[Sequence[Meaning | None]]) -> tuple[Meaning, Meaning] | None:
    """Put what a step took beside what it takes, if the cache has it on one thing only and both are known.

    A slot often has two keys for one thing: the content, and the step or image that it is from. Of those the first
    that is known on both sides counts.
    """
    if len(others) != 1:
        return None
    for meaning in ours:
        if meaning is not None:
            same = [other for other in others[0] if other is not None and other.kind == meaning.kind]
            if len(same) == 1:
                return same[0], meaning
    known, before = [m for m in ours if m is not None], [m for m in others[0] if m is not None]
    return (before[0], known[0]) if len(known) == len(ours) == len(before) == len(others[0]) == 1 else None


def _compared(was: Meaning, now: Meaning) -> list[str]:
    if was.kind != now.kind:
        return [f"it took {was.title}, and takes {now.title} now"]
    if now.kind == "image" and was.title == now.title:  # names alone tell no digests
        return [f"the base image {now.title} is another one"]
    if now.kind == "image":
        return [f"the base image was {was.title}, is now {now.title}"]
    return list(differences(was, now)) or [f"it took {was.title}, and takes {now.title} now"]


def _unnamed(found: Counterparts, record: int, slot: int, known: Collection[Meaning], others: int) -> str:
    """Say that a slot differs where it cannot be said how."""
    kind = found.root_kind(record, slot)
    titles = ", ".join(meaning.title for meaning in known)
    if kind == "files":
        where = titles or paths_text(found.build, record, slot) or f"the files in slot {slot}"
        what = f"the content of {where} differs"
    else:
        what = {
            "image": "the base image is another one",
            "source": f"the base image or other source in slot {slot} is another one",
            "either": f"what it takes in slot {slot} differs: other files, or another base image",
        }[kind] + (f" (now {titles})" if titles else "")
    if others >= MAX_OTHERS:
        what += "; the cache has many other versions"
    elif others > 1:
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
    "input-differs": "nothing, if it was meant to change; else copy what changes often last, and pin base images.",
    "key-without-result": "export the cache with mode=max; if it is, `cachegraph check` says which results it lacks.",
    "blob-gone": "export the cache again, and keep the store from deleting its blobs.",
    "another-source": "import one cache, or put the one that fits best last.",
    "cache-missing": "check the reference and the right to read it, and that some build writes it with --cache-to.",
    "cache-refused": "export the cache again; `cachegraph check` says what is wrong with it.",
    "no-cache": "give the build a cache with --cache-from, and write one with --cache-to.",
    "asked-for": "leave out --no-cache or --no-cache-filter.",
    "unknown": "give the cache that the build imported with --cache-from.",
}
_TOPIC_ADVICE: dict[Topic, str] = {
    "variables": "set the variable (ARG, ENV) behind the steps that do not need it.",
    "files": "leave out with .dockerignore what the step does not need, and copy what changes often last.",
    "image": "pin the base image by its digest (FROM name@sha256:..), if it should change only when you say so.",
    "source": "pin the base image by its digest (FROM name@sha256:..), if it should change only when you say so.",
}


def advice(lead: Miss, caches: Iterable[CacheExport]) -> str:
    """Say what to change, so that it does not happen again.

    Parameters
    ----------
    lead : Miss
    caches : iterable of CacheExport
    """
    caches = list(caches)
    if lead.kind == "unknown" and caches:
        return "check that the build imports the cache with --cache-from, and what its log says of the import."
    if lead.kind == "key-without-result" and any(cache.kind == "inline" for cache in caches):
        return "inline cache keeps the image's own layers only: export with mode=max to a cache of its own."
    if lead.kind in ("key-absent", "input-differs") and lead.topic in _TOPIC_ADVICE:
        return _TOPIC_ADVICE[lead.topic]
    return _ADVICE[lead.kind]
