"""Typed rows that give JSON and a data frame: what every answer of this package is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

from cachegraph.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Rows", "as_json"]

R = TypeVar("R")


def as_json(value: object) -> Any:  # noqa: ANN401 - whatever JSON knows
    """Turn a row, or what is in one, into what JSON knows: dataclasses and named tuples become objects.

    Parameters
    ----------
    value : object
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: as_json(item) for name, item in value._asdict().items()}
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    return value


class Rows(Sequence[R], Generic[R]):
    """Rows of one type, in order.

    Parameters
    ----------
    rows : iterable
        Of frozen dataclasses of type `row`.
    """

    row: ClassVar[type]

    def __init__(self, rows: Iterable[R]) -> None:
        self._rows = tuple(rows)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> R: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[R]: ...

    def __getitem__(self, index: int | slice) -> R | Sequence[R]:
        """Give one, or a stretch of them."""
        return self._rows[index]

    def __iter__(self) -> Iterator[R]:
        """Go through them."""
        return iter(self._rows)

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the fields."""
        return tuple(field.name for field in fields(cls.row))

    def to_dicts(self) -> list[dict[str, Any]]:
        """Give the rows as JSON objects."""
        return [as_json(row) for row in self._rows]

    def to_frame(self) -> pd.DataFrame:
        """Give the rows as a data frame.

        Returns
        -------
        pandas.DataFrame
            A row for each, a column for each field; nullable dtypes, categories for words from a fixed set.

        Raises
        ------
        cachegraph.errors.MissingExtraError
            pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("a data frame", "notebook") from None
        hints = get_type_hints(self.row)
        rows = self.to_dicts()
        return pd.DataFrame(
            {name: pd.Series([row[name] for row in rows], dtype=_dtype(hints[name])) for name in self.columns()}
        )


def _dtype(hint: Any) -> Any:  # noqa: ANN401 - a type or what stands for one, to a dtype or its name
    """Give the dtype for a field: nullable, a category where its type is a list of words."""
    import pandas as pd

    if get_origin(hint) in (Union, UnionType):
        return _dtype(next(one for one in get_args(hint) if one is not type(None)))
    if get_origin(hint) is Literal:
        return pd.CategoricalDtype(list(get_args(hint)))
    return {str: "string", int: "Int64", bool: "boolean", float: "Float64"}.get(hint, "object")
