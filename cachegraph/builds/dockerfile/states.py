"""Where a stage is: what it has made so far, and what its next instruction starts with (``client/llb``: ``State``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cachegraph.builds import llb
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.dockerfile.vertices import Vertex

__all__ = ["State"]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state. It is never changed; an instruction gives a new one.

    Attributes
    ----------
    output : Vertex or None
        None on scratch.
    env : mapping of str to str
        In the order in which BuildKit writes it. Never changed.
    unknown : Unknown or None
        Why what comes next cannot be known.
    """

    output: Vertex | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = ""
    hostname: str = ""
    network: int = 0
    platform: llb.Platform | None = None
    unknown: Unknown | None = None

    def with_env(self, pairs: Iterable[tuple[str, str]]) -> State:
        """Set variables, which moves them to the end."""
        env = dict(self.env)
        for name, value in pairs:
            env.pop(name, None)
            env[name] = value
        return replace(self, env=env)
