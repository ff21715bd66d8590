"""The questions, in the order in which `check` asks them. A new one is a module and a line here."""

from __future__ import annotations

from typing import Any

from cachegraph.core.versions import parse_version
from cachegraph.errors import UnknownNameError
from cachegraph.queries import (
    duplicate_keys,
    empty_exports,
    fragile_links,
    import_errors,
    legacy_misses,
    merge_subsets,
    missing_results,
    orphan_blobs,
    orphan_layers,
    shadowed_keys,
    size_forecast,
    source_problems,
    uncached_steps,
    unreachable_roots,
)
from cachegraph.queries.base import Query
from cachegraph.text.nearest import did_you_mean

__all__ = ["QUERIES", "TOGETHER", "asked", "get"]

QUERIES: tuple[Query[Any], ...] = (
    import_errors.QUERY,
    empty_exports.QUERY,
    source_problems.QUERY,
    uncached_steps.QUERY,
    missing_results.QUERY,
    unreachable_roots.QUERY,
    merge_subsets.QUERY,
    fragile_links.QUERY,
    legacy_misses.QUERY,
    duplicate_keys.QUERY,
    orphan_layers.QUERY,
    orphan_blobs.QUERY,
    size_forecast.QUERY,
)


TOGETHER: tuple[Query[Any], ...] = (shadowed_keys.QUERY,)
"""Questions about several exports that one build imports. Of a store with many refs, which of them a build imports is
not known: a file of the Cypher library asks there, about all of them."""


def asked(buildkit: str | None = None, *, together: bool = False) -> tuple[Query[Any], ...]:
    """Give the questions that are about a builder.

    Parameters
    ----------
    buildkit : str or None
        Its version, such as ``0.31``; None for the newest.
    together : bool
        Give the questions about several exports as well.

    Raises
    ------
    UsageError
        No version.
    """
    version = parse_version(buildkit)
    every = (*QUERIES, *TOGETHER) if together else QUERIES
    return tuple(query for query in every if query.builders.hold(version))


_BY_NAME = {query.name: query for query in (*QUERIES, *TOGETHER)}


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
