"""A list of findings that a notebook, a script and the command line all like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import UnionType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints, overload

from cachegraph.errors import MissingExtraError
from cachegraph.queries.base import SEVERITIES, Finding, Query, Severity
from cachegraph.text.words import plural

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Findings"]

F = TypeVar("F", bound=Finding)
F_co = TypeVar("F_co", bound=Finding, covariant=True)


def _as_it_is(finding: F) -> F:
    return finding


def _first_digits(export: str) -> str:
    return export[:8]


class _Words(Generic[F]):
    """Findings that get their message when it is first read, and keep it: most lists are counted, few are read."""

    def __init__(self, findings: Iterable[F], word: Callable[[F], F]) -> None:
        self.findings = list(findings)
        self.word = word
        self._done = bytearray(len(self.findings))

    def read(self, index: int) -> F:
        if not self._done[index]:
            self.findings[index] = self.word(self.findings[index])
            self._done[index] = True
        return self.findings[index]


class Findings(Sequence[F_co], Generic[F_co]):
    """Findings, in the order of the questions, exports and records.

    Parameters
    ----------
    findings : iterable of Finding
    query : Query, optional
        The question that they answer; None for those of several.
    word : callable, optional
        Gives a finding its message.
    title : callable, optional
        Gives the short name of an export, by its id, for people; by default the first digits of the id.
    """

    def __init__(
        self,
        findings: Iterable[F_co],
        query: Query[Any] | None = None,
        word: Callable[[Any], Any] = _as_it_is,
        title: Callable[[str], str] = _first_digits,
    ) -> None:
        self._words: _Words[F_co] = _Words(findings, word)
        self.title = title
        self._indexes: Sequence[int] = range(len(self._words.findings))
        self.query = query

    def _part(self, indexes: Sequence[int], query: Query[Any] | None) -> Findings[F_co]:
        """Give some of the findings; their messages are shared."""
        part: Findings[F_co] = Findings((), query, title=self.title)
        part._words, part._indexes = self._words, indexes
        return part

    def _raw(self) -> Iterator[Finding]:
        """Go through the findings without wording them."""
        return (self._words.findings[index] for index in self._indexes)

    def __len__(self) -> int:
        """Count the findings."""
        return len(self._indexes)

    @overload
    def __getitem__(self, index: int) -> F_co: ...

    @overload
    def __getitem__(self, index: slice) -> Findings[F_co]: ...

    def __getitem__(self, index: int | slice) -> F_co | Findings[F_co]:
        """Give one, or a stretch of them."""
        if isinstance(index, slice):
            return self._part(self._indexes[index], self.query)
        return self._words.read(self._indexes[index])

    def __iter__(self) -> Iterator[F_co]:
        """Go through them."""
        return map(self._words.read, self._indexes)

    def __eq__(self, other: object) -> bool:
        """Compare findings, in order."""
        return isinstance(other, Findings) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        """Hash by content."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        """Count them by severity."""
        counts = ", ".join(plural(count, severity) for severity, count in self.counts().items() if count)
        return f"<Findings{f' of {self.query.name}' if self.query else ''}: {counts or 'none'}>"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show them in a notebook, long lists folded."""
        from cachegraph.queries.display import describe_findings

        return describe_findings(self)

    @cached_property
    def _counts(self) -> dict[Severity, int]:
        counts: dict[Severity, int] = dict.fromkeys(SEVERITIES, 0)
        for finding in self._raw():
            counts[finding.severity] += 1
        return counts

    def counts(self) -> dict[Severity, int]:
        """Count the findings of each severity, worst first."""
        return dict(self._counts)

    def worst(self) -> Severity | None:
        """Worst severity among them; None if there are none."""
        return next((severity for severity, count in self._counts.items() if count), None)

    def worst_first(self) -> Findings[F_co]:
        """Sort by severity; within one, the order stays."""
        ranks = [SEVERITIES.index(finding.severity) for finding in self._raw()]
        order = sorted(range(len(ranks)), key=ranks.__getitem__)
        return self._part([self._indexes[position] for position in order], self.query)

    def of(self, *severities: Severity) -> Findings[F_co]:
        """Keep those of some severities."""
        kept = [index for index in self._indexes if self._words.findings[index].severity in severities]
        return self._part(kept, self.query)

    def parted(self, part: Callable[[Finding], tuple[str, Finding]]) -> Mapping[str, Findings[F_co]]:
        """Divide them by what a function says of each, and keep each as it gives it back.

        Parameters
        ----------
        part : callable
            From a finding, whose message may not be there yet, to the name of its part and the finding to keep.
        """
        parts: dict[str, list[Any]] = {}
        for finding in self._raw():
            name, kept = part(finding)
            parts.setdefault(name, []).append(kept)
        return {name: Findings(kept, self.query, self._words.word, self.title) for name, kept in parts.items()}

    def by_export(self) -> Mapping[str, Findings[F_co]]:
        """Group by the id of the export; exports without a finding are left out. Made once."""
        return self._by_export

    def by_query(self) -> Mapping[str, Findings[F_co]]:
        """Group by the name of the question; questions without a finding are left out. Made once."""
        return self._by_query

    @cached_property
    def _by_export(self) -> Mapping[str, Findings[F_co]]:
        return self._grouped("export")

    @cached_property
    def _by_query(self) -> Mapping[str, Findings[F_co]]:
        return self._grouped("query")

    def _grouped(self, field: Literal["export", "query"]) -> Mapping[str, Findings[F_co]]:
        groups: dict[str, list[int]] = {}
        for index in self._indexes:
            groups.setdefault(getattr(self._words.findings[index], field), []).append(index)
        return {key: self._part(indexes, self.query) for key, indexes in groups.items()}

    def to_frame(self) -> pd.DataFrame:
        """Give the findings as a data frame.

        Returns
        -------
        pandas.DataFrame
            A row for each, a column for each field and ``code``; of several questions, the fields of all, null where a
            question has no such field. Nullable dtypes, categories for words from a fixed set. ``export`` and
            ``record`` join it with ``graph.records`` (its ``export`` and ``record_index``).

        Raises
        ------
        cachegraph.errors.MissingExtraError
            pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("a data frame", "notebook") from None
        declared = self._declared()
        rows = [finding.to_dict() for finding in self]
        return pd.DataFrame(
            {name: pd.Series([row.get(name) for row in rows], dtype=_dtype(hints)) for name, hints in declared.items()}
        )

    def _declared(self) -> dict[str, list[Any]]:
        """Give the types of each column: one, or those that several questions give it."""
        from cachegraph.queries.catalogue import QUERIES, TOGETHER

        kinds = [self.query.finding] if self.query else [query.finding for query in (*QUERIES, *TOGETHER)]
        declared: dict[str, list[Any]] = {}
        for kind in (Finding, *kinds):
            for name, hint in get_type_hints(kind).items():
                declared.setdefault(name, []).append(hint)
            declared.setdefault("code", [str])
        return declared


def _dtype(hints: Sequence[Any]) -> Any:  # noqa: ANN401 - types or what stands for them, to a dtype or its name
    """Give the dtype for a field: nullable, a category where its type is a list of words."""
    import pandas as pd

    bare = [_without_none(hint) for hint in hints]
    if all(get_origin(hint) is Literal for hint in bare):
        return pd.CategoricalDtype(list(dict.fromkeys(word for hint in bare for word in get_args(hint))))
    kinds = {str if get_origin(hint) is Literal else hint for hint in bare}
    only = kinds.pop()
    return {str: "string", int: "Int64", bool: "boolean"}.get(only, "object") if not kinds else "object"


def _without_none(hint: Any) -> Any:  # noqa: ANN401 - as above
    if get_origin(hint) is UnionType:
        return next(one for one in get_args(hint) if one is not type(None))
    return hint
