"""Flags of instructions, such as ``--link`` and ``--from=base`` (BuildKit ``instructions``: ``BFlags``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from cachegraph.builds.dockerfile.errors import DockerfileError

__all__ = ["Flags", "Kind", "read_flags"]

Kind = Literal["switch", "text", "texts"]
"""What a flag takes: true or false, one value, or values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags that were given."""

    switches: Mapping[str, bool] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """Give the value of a flag that takes one."""
        return self.values.get(name, (default,))[0]

    def texts(self, name: str) -> tuple[str, ...]:
        """Give the values of a flag that takes several."""
        return self.values.get(name, ())

    def switch(self, name: str) -> bool | None:
        """Tell how a switch is set; None where it was not given."""
        return self.switches.get(name)


def read_flags(given: Iterable[str], known: Mapping[str, Kind]) -> Flags:
    """Read an instruction's flags.

    Raises
    ------
    DockerfileError
        A flag that the instruction does not have, twice the same, or one without its value.
    """
    switches: dict[str, bool] = {}
    values: dict[str, list[str]] = {}
    for flag in given:
        name, equals, value = flag.removeprefix("--").partition("=")
        kind = known.get(name)
        if kind is None:
            raise DockerfileError(f"unknown flag: --{name}")
        if kind != "texts" and (name in switches or name in values):
            raise DockerfileError(f"duplicate flag specified: --{name}")
        if kind == "switch":
            switches[name] = _switch(name, equals, value)
        elif not equals:
            raise DockerfileError(f"missing a value on flag: --{name}")
        else:
            values.setdefault(name, []).append(value)
    return Flags(switches=switches, values={name: tuple(found) for name, found in values.items()})


def _switch(name: str, equals: str, value: str) -> bool:
    if equals and not value:
        raise DockerfileError(f"missing a value on flag: --{name}")
    match value.lower():
        case "" | "true":
            return True
        case "false":
            return False
    raise DockerfileError(f"expecting boolean value for flag --{name}, not: {value}")
