"""Causes in the instruction itself: another text, another value of a variable, another platform."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import msgspec

from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.keys import key_of
from cachegraph.builds.llb import AnyOp, FileAction
from cachegraph.builds.operations import Operation
from cachegraph.builds.records import BuildStep
from cachegraph.builds.work import Work
from cachegraph.causes.model import Cause, Commit, History
from cachegraph.causes.neighbours import Neighbour, followers, neighbours, shares_nothing
from cachegraph.causes.sources import PLATFORMS, platform_name
from cachegraph.causes.words import age, is_secret
from cachegraph.errors import CacheGraphError
from cachegraph.solver.match import Matches

__all__ = ["InstructionSearch"]

_COMMITS = 50
_SEVERAL = 3
_TRIES = 5_000
_HASH = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class InstructionSearch:
    """Looks for what an instruction was when the cache was made.

    Parameters
    ----------
    every : sequence of Matches
    steps : sequence of BuildStep
    work : Work
    history : History or None
    deadline : float
        Of `time.monotonic`.
    name : callable
        Gives the name of a key of a cache, or an empty text.
    """

    every: Sequence[Matches]
    steps: Sequence[BuildStep]
    work: Work
    history: History | None
    deadline: float
    name: Callable[[Neighbour], str]

    def cause(self, record: int, operation: Operation) -> Cause:
        """Find out what differs; each answer is proven by a digest that the cache has at this place."""
        return (
            self._platform(record, operation)
            or self._frontend(record, operation)
            or self._argument(record, operation)
            or self._text(record)
            or self._beside(record)
        )

    def _is_cached(self, record: int, operation: Operation) -> bool:
        """Tell whether a cache has another operation in this place: on the same inputs, its content aside."""
        key = key_of(operation)
        if isinstance(key, Unknown) or not operation.inputs:
            return False
        return any(0 not in one.missed for one in neighbours(self.every, record, key.record))

    def _platform(self, record: int, operation: Operation) -> Cause | None:
        if not operation.op.exec or operation.platform is None:
            return None
        for platform in PLATFORMS:
            if platform != operation.platform and self._is_cached(record, replace(operation, platform=platform)):
                there, here = platform_name(platform), platform_name(operation.platform)
                return Cause(
                    record=record,
                    kind="platform",
                    text=f"the cache has this step for {there}, and this build is for {here}",
                    remedy=f"export a cache for {here} as well",
                    was=there,
                )
        return None

    def _frontend(self, record: int, operation: Operation) -> Cause | None:
        """Try what other frontends, and other versions of this one, write for the same line."""
        for other in _other_frontends(operation):
            if self._is_cached(record, other):
                return Cause(
                    record=record,
                    kind="frontend",
                    text="the cache has this line as another frontend writes it: another # syntax= or BuildKit",
                    remedy="build with the frontend that the cache was made with, or export the cache again",
                )
        return None

    def _argument(self, record: int, operation: Operation) -> Cause | None:
        """Try other values of variables, of one and then of several: none, the default, those of older commits."""
        meta = operation.op.exec.meta if operation.op.exec else None
        if meta is None:
            return None
        others = {
            place: list(dict.fromkeys((None, *self._values(*entry.partition("=")[::2]))))
            for place, entry in enumerate(meta.env)
        }
        for tried, changed in enumerate(_choices(others)):
            if tried >= _TRIES or time.monotonic() > self.deadline:
                return None
            env = [(entry.partition("=")[0], entry) for entry in meta.env]
            kept = [
                entry if place not in changed else f"{name}={changed[place]}"
                for place, (name, entry) in enumerate(env)
                if place not in changed or changed[place] is not None
            ]
            if self._is_cached(record, _with_env(operation, tuple(kept))):
                return _argument_cause(
                    record, [(*meta.env[place].partition("=")[::2], changed[place]) for place in changed]
                )
        return None

    def _values(self, name: str, value: str) -> Iterator[str]:
        """Give values that a variable may have had: its default, and of a commit's hash those of earlier commits."""
        pattern = rb"(?im)^\s*ARG\s+" + re.escape(name.encode("utf-8", "surrogateescape")) + rb"=(\S+)\s*$"
        for default in re.findall(pattern, self.work.data):
            yield default.decode("utf-8", "surrogateescape").strip("\"'")
        if self.history is None or not _HASH.fullmatch(value):
            return
        for commit in self._commits():
            if commit.name[: len(value)] != value:
                yield commit.name[: len(value)]

    def _commits(self) -> list[Commit]:
        if self.history is None:
            return []
        try:
            return list(self.history.commits(_COMMITS))
        except CacheGraphError:
            return []

    def _text(self, record: int) -> Cause | None:
        """Look at what the Dockerfile was."""
        if self.history is None or self.work.dockerfile is None:
            return None
        seen = {self.work.data}
        mine = {step.operation.identity for step in self.steps}
        for commit in self._commits():
            data = self.history.file(commit.name, str(self.work.dockerfile))
            if data is None or data in seen or time.monotonic() > self.deadline:
                continue
            seen.add(data)
            try:
                operations = self.work.convert(data)
            except CacheGraphError:
                continue
            for other in operations:
                if other.identity not in mine and self._is_cached(record, other):
                    return Cause(
                        record=record,
                        kind="instruction",
                        text=f"cached for commit {commit.name[:7]} ({age(commit.seconds)}) as {other.label.name!r}",
                        commit=commit.name,
                        was=other.label.name,
                    )
        return None

    def _beside(self, record: int) -> Cause:
        """Name what the cache has in this place, as far as it has names."""
        others = followers(self.every, record)
        names = [name for one in others if (name := self.name(one))]
        if names:
            text = f"the cache has another step in this place: {names[0]!r}"
            return Cause(record=record, kind="instruction", text=text, was=names[0])
        if others:
            text = "the cache has another step in this place: its text, its environment or its options are others"
            return Cause(record=record, kind="instruction", text=text)
        if shares_nothing(self.every):
            return Cause(
                record=record,
                kind="new",
                text="the cache has nothing of this build: no base image, no file and no step of it",
                remedy="check that --cache-from names a cache of this build",
            )
        return Cause(record=record, kind="new", text="the cache ends before this step: it was made without it")


def _with_env(operation: Operation, env: tuple[str, ...]) -> Operation:
    """Give an exec another environment."""
    operands = operation.op.exec
    if not operands or not operands.meta:
        return operation
    meta = msgspec.structs.replace(operands.meta, env=env)
    return replace(operation, op=AnyOp(exec=msgspec.structs.replace(operands, meta=meta)))


def _choices(others: Mapping[int, Sequence[str | None]]) -> Iterator[dict[int, str | None]]:
    """Give what to try instead of the values that stand there, the fewest changes first."""
    for count in range(1, min(_SEVERAL, len(others)) + 1):
        for places in combinations(others, count):
            for values in product(*(others[place] for place in places)):
                yield dict(zip(places, values, strict=True))


def _other_frontends(operation: Operation) -> Iterator[Operation]:
    """Give an operation as frontends write it that do not know all of its fields.

    Source: ``pb.Meta.removeMountStubsRecursive`` of a RUN, ``pb.FileActionCopy.required_paths`` of COPY --parents.
    """
    run, file = operation.op.exec, operation.op.file
    if run and run.meta:
        meta = run.meta
        other = msgspec.structs.replace(meta, remove_mount_stubs_recursive=not meta.remove_mount_stubs_recursive)
        yield replace(operation, op=AnyOp(exec=msgspec.structs.replace(run, meta=other)))
    if file and any(action.action.copy and action.action.copy.required_paths for action in file.actions):
        actions = tuple(_without_required(action) for action in file.actions)
        yield replace(operation, op=AnyOp(file=msgspec.structs.replace(file, actions=actions)))


def _without_required(action: FileAction) -> FileAction:
    copy = action.action.copy
    if copy is None:
        return action
    bare = msgspec.structs.replace(copy, required_paths=())
    return msgspec.structs.replace(action, action=msgspec.structs.replace(action.action, copy=bare))


def _value(name: str, value: str | None) -> str:
    """Say what a variable was."""
    if value is None:
        return f"without {name}"
    return f"with another value of {name}" if is_secret(name) else f"with {name}={value}"


def _argument_cause(record: int, changed: Sequence[tuple[str, str, str | None]]) -> Cause:
    """Say what variables were; of each its name, its value, and what it was or None."""
    was = [_value(name, other) for name, _, other in changed]
    shown = [name if is_secret(name) else f"{name}={value}" for name, value, _ in changed]
    if len(changed) == 1 and changed[0][2] is None:
        was = ["without it"]
    names = " and ".join(name for name, _, _ in changed)
    one = len(changed) == 1
    return Cause(
        record=record,
        kind="argument",
        text=f"cached {' and '.join(was)}, and this build has {' and '.join(shown)}",
        remedy=f"declare ARG {names} as late as {'it is' if one else 'they are'} needed: "
        f"{'it counts' if one else 'they count'} for every RUN behind {'it' if one else 'them'}",
        was=None if not one or is_secret(changed[0][0]) else changed[0][2],
    )
