"""What a prediction says: each step, what becomes of it and why, and what cannot be told before the build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from cachegraph.solver.rows import Rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Cause",
    "Depends",
    "HowText",
    "Loads",
    "MissedSlot",
    "Needed",
    "NotImported",
    "Prediction",
    "Step",
    "Totals",
    "Why",
]

HowText = Literal["loaded", "not-needed", "runs"]
"""What becomes of a step: it is loaded, it need not be looked at, or it runs."""

Why = Literal["instruction", "input", "no-result", "blob-missing", "source-not-read", "asked-for"]
"""Why a step that runs is not loaded.

``instruction``: what it takes is cached, the step itself is another one. ``input``: what it takes is not cached.
``no-result``: its key is cached, and the cache has nothing to load for it. ``blob-missing``: the store has lost a blob
of it. ``source-not-read``: no cache could be imported. ``asked-for``: the build was told to run it (``--no-cache``).
"""

Cause = Literal["content", "unknown-step", "first-answer", "collision", "results", "lost-link"]
"""What a range comes from.

``content``: what a step will make decides. ``unknown-step``: the step itself is not known. ``first-answer``: of several
caches, only the one that answers first counts from there on. ``collision``: a cache that holds the key without a result
can hide the one that has it. ``results``: the source tells keys, not results. ``lost-link``: the builder's importer
drops links at random.
"""


class MissedSlot(NamedTuple):
    """A slot in which nothing matched, what it takes, and the record of the step that it takes."""

    slot: int
    kind: Literal["step", "content-or-source"]
    record: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Why the result of a step is needed.

    Attributes
    ----------
    why : {"wanted", "input", "hash", "hash-again"}
        The build is for it; a step that runs takes it; a cached step matched by its content, which must be looked at; a
        step above runs, and BuildKit then looks at content even where that changes nothing.
    by : int
        Record that needs it.
    """

    why: Literal["wanted", "input", "hash", "hash-again"]
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """What loading a step takes.

    Attributes
    ----------
    blobs : tuple of str
        Digests, bottom first.
    bytes : int or None
        Their sizes together; None where one is unknown.
    """

    blobs: tuple[str, ...]
    bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Depends:
    """What cannot be told before the build, and decides.

    Attributes
    ----------
    cause : Cause
    record : int
        The step whose content, or whose key in several caches, decides.
    caches : tuple of str
        The caches concerned.
    """

    cause: Cause
    record: int
    caches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the build.

    Attributes
    ----------
    record : int
        Index in the build's own ``records``.
    digest : str
    name : str or None
        What it does; None where that is unknown.
    executed : bool or None
        Whether it runs; None where that depends.
    how : {"loaded", "not-needed", "runs"}, or None
        None where it depends whether it runs.
    best, worst : {"loaded", "not-needed", "runs"}
        At best and at worst. Equal where nothing is open.
    why : Why or None
        Why it runs, or runs at worst; None if it does not.
    slots : tuple of MissedSlot
        Of ``input``: the slots in which nothing matched.
    first : bool or None
        Whether the miss begins here and does not follow from one below; None if it does not miss: of ``no-result`` and
        ``blob-missing``, whose keys match.
    needed : Needed or None
        None of a step that nothing needs.
    loads : Loads or None
        Of a step that is loaded, at worst or at best.
    source : str or None
        The cache that it is loaded from.
    depends : Depends or None
        What decides, where `executed` is None.
    fails : bool
        Whether the build ends here with an error: the blob is gone, and this kind of store is asked too late to run the
        step instead.
    """

    record: int
    digest: str
    name: str | None
    executed: bool | None
    how: HowText | None
    best: HowText
    worst: HowText
    why: Why | None = None
    slots: tuple[MissedSlot, ...] = ()
    first: bool | None = None
    needed: Needed | None = None
    loads: Loads | None = None
    source: str | None = None
    depends: Depends | None = None
    fails: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Steps counted by what becomes of them.

    Attributes
    ----------
    loaded, not_needed, runs : int
    bytes : int or None
        Sizes of the distinct blobs that are loaded; None where one is unknown.
    """

    loaded: int
    not_needed: int
    runs: int
    bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotImported:
    """A cache that BuildKit refuses, in its own words."""

    source: str
    error: str


class Prediction(Rows[Step]):
    """What a build gets out of its caches: its steps, what each takes first.

    Parameters
    ----------
    steps : sequence of Step
    build : str
        Source of the build's keys.
    caches : tuple of str
        Sources of the caches, as given.
    not_imported : tuple of NotImported
        Those of them that give nothing, because BuildKit refuses them.
    best, worst : Totals

    Examples
    --------
    >>> import cachegraph as cg
    >>> build = cg.from_config(b'{"records": [{"digest": "a"}, {"digest": "b", "inputs": [[{"link": 0}]]}]}')
    >>> [(step.record, step.how, step.why) for step in cg.predict(build, build)]
    [(1, 'runs', 'no-result')]
    """

    row = Step

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        build: str,
        caches: tuple[str, ...],
        not_imported: tuple[NotImported, ...],
        best: Totals,
        worst: Totals,
    ) -> None:
        super().__init__(steps)
        self.build = build
        self.caches = caches
        self.not_imported = not_imported
        self.best = best
        self.worst = worst
        self._by_record = {step.record: step for step in self}

    def step(self, record: int) -> Step | None:
        """Give the step of a record; None for a record that is not a step of this build, such as a source."""
        return self._by_record.get(record)

    @property
    def exact(self) -> bool:
        """Whether nothing is open: best and worst are the same."""
        return all(step.best == step.worst for step in self)

    @property
    def runs(self) -> tuple[Step, ...]:
        """Steps that run whatever happens."""
        return tuple(step for step in self if step.executed)

    @property
    def open(self) -> tuple[Step, ...]:
        """Steps of which it depends whether they run."""
        return tuple(step for step in self if step.executed is None)

    @property
    def differences(self) -> dict[Depends, int]:
        """What makes the difference between best and worst, and in how many steps."""
        found: dict[Depends, int] = {}
        for step in self:
            if step.depends is not None:
                found[step.depends] = found.get(step.depends, 0) + 1
        return found

    def to_frame(self) -> pd.DataFrame:
        """Give the steps as a data frame.

        Returns
        -------
        pandas.DataFrame
            A row for each step. Columns as the fields of `Step`, but what is an object there is flat here:
            ``needed_why``, ``needed_by``, ``blobs``, ``bytes``, ``depends_cause``, ``depends_record``.

        Raises
        ------
        cachegraph.errors.MissingExtraError
            pandas is not installed.
        """
        frame = super().to_frame()
        import pandas as pd

        flat = {
            "needed_why": ("string", [step.needed and step.needed.why for step in self]),
            "needed_by": ("Int64", [step.needed and step.needed.by for step in self]),
            "blobs": ("object", [step.loads and list(step.loads.blobs) for step in self]),
            "bytes": ("Int64", [step.loads and step.loads.bytes for step in self]),
            "depends_cause": ("string", [step.depends and step.depends.cause for step in self]),
            "depends_record": ("Int64", [step.depends and step.depends.record for step in self]),
        }
        frame = frame.drop(columns=["needed", "loads", "depends"])
        for name, (dtype, values) in flat.items():
            frame[name] = pd.Series(values, dtype=dtype)
        return frame

    @property
    def summary(self) -> str:
        """The answer in a line."""
        from cachegraph.solver.words import prediction_summary

        return prediction_summary(self)

    def __repr__(self) -> str:
        """Say it in one line."""
        return f"<{type(self).__name__}: {self.summary}>"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show it in a notebook."""
        from cachegraph.solver.display import describe_prediction

        return describe_prediction(self)
