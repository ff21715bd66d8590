"""The questions, in the order in which `check` asks them. A new one is a module and a line here."""

from __future__ import annotations

from difflib import get_close_matches

from cachegraph.errors import UnknownNameError
from cachegraph.queries import (
    duplicate_keys,
    import_errors,
    legacy_misses,
    merge_subsets,
    missing_results,
    orphan_blobs,
    orphan_layers,
    size_forecast,
    source_problems,
    unreachable_roots,
)
from cachegraph.queries.base import Query

__all__ = ["QUERIES", "get"]

QUERIES: tuple[Query, ...] = (
    import_errors.QUERY,
    source_problems.QUERY,
    missing_results.QUERY,
    unreachable_roots.QUERY,
    merge_subsets.QUERY,
    legacy_misses.QUERY,
    duplicate_keys.QUERY,
    orphan_layers.QUERY,
    orphan_blobs.QUERY,
    size_forecast.QUERY,
)


def get(name: str) -> Query:
    """Find a question by name.

    Parameters
    ----------
    name : str

    Raises
    ------
    UnknownNameError
        Names the nearest, or all.
    """
    known = {query.name: query for query in QUERIES}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"questions: {', '.join(known)}"
        raise UnknownNameError(f"there is no question {name!r}", hint=hint)
    return known[name]
