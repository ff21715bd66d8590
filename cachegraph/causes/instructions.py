"""Causes in the instruction itself: another text, another value of a variable, another platform."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.keys import key_of
from cachegraph.builds.llb import AnyOp
from cachegraph.builds.operations import Operation
from cachegraph.builds.records import BuildStep
from cachegraph.builds.work import Work
from cachegraph.causes.model import Cause, Commit, History
from cachegraph.causes.neighbours import Neighbour, followers, neighbours
from cachegraph.causes.sources import PLATFORMS, platform_name
from cachegraph.causes.words import age
from cachegraph.errors import CacheGraphError
from cachegraph.solver.match import Matches

__all__ = ["InstructionSearch"]

_COMMITS = 50
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

    def _argument(self, record: int, operation: Operation) -> Cause | None:
        """Try other values of single variables: none, and those that name an older commit."""
        meta = operation.op.exec.meta if operation.op.exec else None
        if meta is None:
            return None
        for place, entry in enumerate(meta.env):
            name, _, value = entry.partition("=")
            for other in (None, *self._values(name, value)):
                if time.monotonic() > self.deadline:
                    return None
                env = (*meta.env[:place], *([f"{name}={other}"] if other is not None else []), *meta.env[place + 1 :])
                if self._is_cached(record, _with_env(operation, env)):
                    return _argument_cause(record, name, value, other)
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
        return Cause(record=record, kind="new", text="the cache ends before this step: it was made without it")


def _with_env(operation: Operation, env: tuple[str, ...]) -> Operation:
    """Give an exec another environment."""
    operands = operation.op.exec
    if not operands or not operands.meta:
        return operation
    meta = msgspec.structs.replace(operands.meta, env=env)
    return replace(operation, op=AnyOp(exec=msgspec.structs.replace(operands, meta=meta)))


def _argument_cause(record: int, name: str, value: str, other: str | None) -> Cause:
    shown = name if _is_secret(name) else f"{name}={value}"
    was = (
        "without it"
        if other is None
        else f"with another value of {name}"
        if _is_secret(name)
        else f"with {name}={other}"
    )
    return Cause(
        record=record,
        kind="argument",
        text=f"cached {was}, and this build has {shown}",
        remedy=f"declare ARG {name} as late as it is needed: it counts for every RUN behind it",
        was=None if _is_secret(name) else other,
    )


def _is_secret(name: str) -> bool:
    """Tell a variable that may hold a password by its name."""
    return re.search(r"(?i)token|secret|passw|key|credential|auth", name) is not None
