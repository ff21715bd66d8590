"""The questions, in the order in which `check` asks them. A new one is a module and a line here."""

from __future__ import annotations

from typing import Any

from cachegraph.errors import UnknownNameError
from cachegraph.queries import (
    duplicate_keys,
    empty_exports,
    import_errors,
    legacy_misses,
    merge_subsets,
    missing_results,
    orphan_blobs,
    orphan_layers,
    size_forecast,
    source_problems,
    uncached_steps,
    unreachable_roots,
)
from cachegraph.queries.base import Query
from cachegraph.text.nearest import did_you_mean

__all__ = ["QUERIES", "get"]

QUERIES: tuple[Query[Any], ...] = (
    import_errors.QUERY,
    empty_exports.QUERY,
    source_problems.QUERY,
    uncached_steps.QUERY,
    missing_results.QUERY,
    unreachable_roots.QUERY,
    merge_subsets.QUERY,
    legacy_misses.QUERY,
    duplicate_keys.QUERY,
    orphan_layers.QUERY,
    orphan_blobs.QUERY,
    size_forecast.QUERY,
)


_BY_NAME = {query.name: query for query in QUERIES}


def get(name: str) -> Query[Any]:
    """Find a question by name.

    Parameters
    ----------
    name : str

    Raises
    ------
    UnknownNameError
        Names the nearest, or all.
    """
    if name not in _BY_NAME:
        hint = did_you_mean(name, _BY_NAME, "questions")
        raise UnknownNameError(f"there is no question {name!r}", hint=hint)
    return _BY_NAME[name]
