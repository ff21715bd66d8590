"""What the commands share that ask about a build: its one export, its caches, its target, the builder's version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

from cachegraph.cli.reading import Read, read_specs
from cachegraph.errors import UnknownNameError
from cachegraph.graph import CacheGraph
from cachegraph.solver.prediction import Prediction
from cachegraph.solver.rows import as_json
from cachegraph.solver.words import outcome, reason

__all__ = ["STEP_COLUMNS", "build_options", "prediction_json", "read_build", "read_caches", "step_rows"]

F = TypeVar("F", bound=Callable[..., Any])

STEP_COLUMNS = ("outcome", "record", "name", "digest", "why", "first", "bytes", "source", "reason")
"""Columns of the steps of a prediction."""


def build_options(command: F) -> F:
    """Add ``--target``, ``--platform`` and ``--buildkit``."""
    decorators: list[Callable[[Any], Any]] = [
        click.option(
            "--target", metavar="STEP", help="What the build is for: a record, digest, name or stage (default: all)."
        ),
        click.option("--platform", metavar="OS/ARCH", help="Which platform of the build, where it has several."),
        click.option("--buildkit", metavar="VERSION", help="Version of the builder (default: the newest)."),
    ]
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def read_build(specs: Iterable[str], how: Mapping[str, Any], platform: str | None) -> tuple[CacheGraph, Read]:
    """Read the build that a command is about.

    Parameters
    ----------
    specs : iterable of str
    how : mapping
        Values of `cachegraph.cli.options.source_options`.
    platform : str or None
        Keep the export of this platform.

    Raises
    ------
    UnknownNameError
        No export of that platform.
    """
    read = read_specs(specs, how)
    if platform is None or not read.graph.graphs:
        return read.graph, read
    kept = [graph for graph in read.graph if graph.export.platform == platform]
    if not kept:
        there = sorted({graph.export.platform or "one export of no known platform" for graph in read.graph})
        raise UnknownNameError(f"no export of platform {platform!r}", hint=f"there is {', '.join(there)}")
    return CacheGraph((graph.export for graph in kept), kept[0].names), read


def read_caches(specs: Iterable[str], how: Mapping[str, Any]) -> Read:
    """Read the caches that a build imports, with the same options."""
    return read_specs(specs, how)


def step_rows(prediction: Prediction) -> list[dict[str, Any]]:
    """Give the steps as rows of `STEP_COLUMNS`.

    Parameters
    ----------
    prediction : Prediction
    """
    return [
        {
            "outcome": outcome(step),
            "record": step.record,
            "name": step.name or "",
            "digest": step.digest,
            "why": step.why,
            "first": step.first,
            "bytes": None if step.loads is None else step.loads.bytes,
            "source": step.source,
            "reason": reason(step, prediction),
        }
        for step in prediction
    ]


def prediction_json(prediction: Prediction) -> dict[str, Any]:
    """Give a prediction as JSON.

    Parameters
    ----------
    prediction : Prediction
    """
    return {
        "summary": prediction.summary,
        "build": prediction.build,
        "caches": list(prediction.caches),
        "not_imported": as_json(prediction.not_imported),
        "best": as_json(prediction.best),
        "worst": as_json(prediction.worst),
        "steps": [{**as_json(step), "reason": reason(step, prediction)} for step in prediction],
    }
