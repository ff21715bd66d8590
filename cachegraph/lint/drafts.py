"""A build while it is read: what a step, a command or a target says of it so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cachegraph.lint.model import Build, Combination, Entry, Job, Kind, Runner, Settings, Step
from cachegraph.lint.values import Condition, Place, Value

__all__ = ["BuildDraft", "SettingsDraft"]


class SettingsDraft:
    """Settings that are being gathered."""

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def put(self, name: str, value: Value) -> None:
        """Set a single one; the last counts."""
        self._found[name] = value

    def add(self, name: str, value: Value) -> None:
        """Add to a list."""
        self._found.setdefault(name, []).append(value)

    def pair(self, name: str, key: str, value: Value) -> None:
        """Set an argument or a named context."""
        self._found.setdefault(name, {})[key] = value

    def made(self) -> Settings:
        """Give them."""
        found: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in self._found.items()}
        return Settings(**found)


@dataclass(slots=True)
class BuildDraft:
    """A build of a command line, or of a step with ``uses:``."""

    runner: Runner
    line: int
    entries: list[Entry] = field(default_factory=list)
    settings: SettingsDraft = field(default_factory=SettingsDraft)
    targets: list[Value] = field(default_factory=list)
    files: list[Value] = field(default_factory=list)
    conditions: tuple[Condition, ...] = ()
    ignores_failure: bool = False
    env: dict[str, Value] = field(default_factory=dict)
    directory: Value | None = None
    unread: list[Value] = field(default_factory=list)

    def made(
        self,
        kind: Kind,
        place: Place,
        *,
        job: Job | None = None,
        step: Step | None = None,
        combination: Combination | None = None,
        conditions: tuple[Condition, ...] = (),
        env: Mapping[str, Value] | None = None,
        ignores_failure: bool = False,
    ) -> Build:
        """Make the build.

        Parameters
        ----------
        kind : str
            Of the file.
        place : Place
        job, step, combination
            What it runs in.
        conditions : tuple of Condition
            Of what is around it.
        env : mapping of str to Value
            What is set around it.
        ignores_failure : bool
            Whether what is around it goes on when it fails.
        """
        return Build(
            runner=self.runner,
            place=place,
            kind=kind,
            job=job,
            step=step,
            combination=combination or Combination(),
            targets=tuple(self.targets),
            files=tuple(self.files),
            entries=tuple(self.entries),
            settings=self.settings.made(),
            env={**(env or {}), **self.env},
            directory=self.directory,
            conditions=(*conditions, *self.conditions),
            unread=tuple(self.unread),
            ignores_failure=self.ignores_failure or ignores_failure,
        )
