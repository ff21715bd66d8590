"""What a build's keys were computed with, kept to look for the causes of misses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cachegraph.builds.operations import Operation
from cachegraph.builds.trees import Trees

__all__ = ["Work"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a build's keys were computed with.

    Attributes
    ----------
    trees : Trees
    data : bytes
        The Dockerfile; empty of a build that is given as its operations.
    convert : callable
        Gives all operations that another text of the Dockerfile asks for, inputs first; raises what a build raises.
    context, dockerfile : pathlib.Path or None
        None where they are in a repository that was fetched, or where there is none.
    patterns : tuple of str or None
        What is left out of the context of any commit; None where a commit's own .dockerignore says it.
    """

    trees: Trees
    data: bytes
    convert: Callable[[bytes], list[Operation]]
    context: Path | None
    dockerfile: Path | None
    patterns: tuple[str, ...] | None = None
