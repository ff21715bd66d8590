"""From a Dockerfile and caches to an answer: ``cachegraph predict`` as a function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cachegraph.building import BuildGraph
from cachegraph.causes.explain import explain
from cachegraph.causes.lines import Line, predicted_lines
from cachegraph.causes.model import Cause, History
from cachegraph.core.graph import ExportGraph
from cachegraph.loaders.sources.history import GitHistory
from cachegraph.schema.refs import short_ref
from cachegraph.solver.display import describe
from cachegraph.solver.predict import predict
from cachegraph.solver.prediction import Prediction

__all__ = ["Forecast", "forecast"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a build will get out of its caches, line by line.

    Attributes
    ----------
    build : BuildGraph
    prediction : Prediction
    lines : tuple of Line
        In the Dockerfile's order.
    causes : dict of int to Cause
        Of the first misses, by record.
    """

    build: BuildGraph
    prediction: Prediction
    lines: tuple[Line, ...]
    causes: dict[int, Cause]

    def __repr__(self) -> str:
        """Say it in one line."""
        return f"<{type(self).__name__}: {self.prediction.summary}>"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show it in a notebook."""
        rows = [(str(line.line or ""), line.name, line.outcome, _briefly(line)) for line in self.lines]
        columns = ("line", "step", "outcome", "why")
        return describe(f"{self.build.file}: {self.prediction.summary}", columns, rows, notes=self.build.notes)


def _briefly(line: Line) -> str:
    """Give the reason, with the cache by its short name."""
    source = None if line.step is None else line.step.source
    return line.reason if source is None else line.reason.replace(source, short_ref(source))


def forecast(
    build: BuildGraph,
    caches: Iterable[ExportGraph],
    *,
    buildkit: str | None = None,
    history: History | None = None,
    seconds: float = 10.0,
) -> Forecast:
    """Predict a build, and look for the causes of its misses.

    Parameters
    ----------
    build : BuildGraph
        Of `cachegraph.build`.
    caches : iterable of ExportGraph
        A `cachegraph.CacheGraph`.
    buildkit : str, optional
        Version of the builder.
    history : History, optional
        The commits to look through; by default those of the repository that the context is in.
    seconds : float
        How long to look for causes, such as commits.
    """
    exports = list(caches)
    prediction = predict(build, exports, buildkit=buildkit)
    causes: dict[int, Cause] = {}
    work = build.work
    if work is not None and build.graphs and exports:  # without a cache there is nothing to have missed
        found = GitHistory.of(work.context, work.dockerfile) if history is None and work.context is not None else None
        try:
            looked = history or found
            causes = explain(build.graphs[0], build.steps, exports, prediction, work, looked, seconds=seconds)
        finally:
            if found is not None:
                found.close()
    lines = predicted_lines(build.steps, prediction, causes)
    return Forecast(build=build, prediction=prediction, lines=tuple(lines), causes=causes)
