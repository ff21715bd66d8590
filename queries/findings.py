"""A list of findings that a notebook, a script and the command line all like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints, overload

from cachegraph.errors import MissingExtraError
from cachegraph.queries.base import SEVERITIES, Finding, Query, Severity

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Findings"]

Word = Callable[[Finding], Finding]


def _as_it_is(finding: Finding) -> Finding:
    return finding


class Findings(Sequence[Finding]):
    """Findings, in the order of the questions, exports and records.

    Parameters
    ----------
    findings : iterable of Finding
        Those without a message get it when they are looked at: most lists are counted, few are read.
    query : Query, optional
        The question that they answer; None for those of several.
    word : callable, optional
        Gives a finding its message.
    """

    def __init__(self, findings: Iterable[Finding], query: Query | None = None, word: Word = _as_it_is) -> None:
        self._findings = tuple(findings)
        self.query = query
        self._word = word

    def __len__(self) -> int:
        """Count the findings."""
        return len(self._findings)

    @overload
    def __getitem__(self, index: int) -> Finding: ...

    @overload
    def __getitem__(self, index: slice) -> Findings: ...

    def __getitem__(self, index: int | slice) -> Finding | Findings:
        """Give one, or a stretch of them."""
        if isinstance(index, slice):
            return Findings(self._findings[index], self.query, self._word)
        return self._word(self._findings[index])

    def __iter__(self) -> Iterator[Finding]:
        """Go through them."""
        return map(self._word, self._findings)

    def __eq__(self, other: object) -> bool:
        """Compare findings, in order."""
        return isinstance(other, Findings) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        """Hash by content."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        """Count them by severity."""
        counts = ", ".join(f"{count} {severity}" for severity, count in self.counts().items())
        return f"<Findings: {counts}>"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show them in a notebook, long lists folded."""
        from cachegraph.queries.display import describe_findings

        return describe_findings(self, self.query)

    def counts(self) -> dict[Severity, int]:
        """Count the findings of each severity, worst first."""
        return {severity: sum(f.severity == severity for f in self._findings) for severity in SEVERITIES}

    def worst(self) -> Severity | None:
        """Worst severity among them; None if there are none."""
        return next((severity for severity, count in self.counts().items() if count), None)

    def to_frame(self) -> pd.DataFrame:
        """Give the findings as a data frame.

        Returns
        -------
        pandas.DataFrame
            A row for each, a column for each field; of findings of several questions, only the common ones. Nullable
            dtypes, categories for words from a fixed set. ``export`` and ``record`` join it with ``graph.records``
            (its ``export`` and ``index``).

        Raises
        ------
        cachegraph.errors.MissingExtraError
            pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("a data frame", "notebook") from None
        declared = get_type_hints(self.query.finding if self.query else Finding)
        rows = [finding.to_dict() for finding in self]
        return pd.DataFrame(
            {name: pd.Series([row[name] for row in rows], dtype=_dtype(declared[name])) for name in declared}
        )


def _dtype(hint: Any) -> Any:  # noqa: ANN401 - a type or what stands for one, to a dtype or its name
    """Give the dtype for a field: nullable, a category where its type is a list of words."""
    import pandas as pd

    if get_origin(hint) is UnionType:
        return _dtype(next(one for one in get_args(hint) if one is not type(None)))
    if get_origin(hint) is Literal:
        return pd.CategoricalDtype(list(get_args(hint)))
    return {str: "string", int: "Int64", bool: "boolean"}.get(hint, "object")
