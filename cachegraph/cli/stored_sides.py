"""Earlier exports from Neo4j: what `diff`, `explain` and `history` compare with when they are told ``--neo4j``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from cachegraph.cli.options import open_store
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport
from cachegraph.errors import NotFoundError
from cachegraph.loaders.previous import split_version
from cachegraph.loaders.specs.identity import place_of, spec_of

if TYPE_CHECKING:
    from cachegraph.stores.neo4j import Neo4jStore, StoredExport

__all__ = ["coverage", "stored_before", "stored_history"]

_HINT = (
    "cachegraph load SPEC --neo4j each time that the cache is exported; cachegraph neo4j contents lists what is there"
)


def stored_before(
    specs: Iterable[str], new: Iterable[CacheExport], uri: str | None, database: str | None
) -> list[ExportGraph]:
    """Read from Neo4j what was there before: the current export, or its predecessor if the current one is the new one.

    Parameters
    ----------
    specs : iterable of str
        The places; ``SPEC^1`` goes further back by one.
    new : iterable of CacheExport
        What is compared with it.
    uri, database : str or None

    Raises
    ------
    cachegraph.errors.NotFoundError
        The store holds none.
    """
    ids = {ExportGraph(export).id for export in new}
    found: list[ExportGraph] = []
    missing: list[str] = []
    with open_store(uri, database) as store:
        for spec in specs:
            text, back = split_version(spec)
            before = list(_before(store, place_of(spec_of(text)), ids, back))
            found += before
            missing += [] if before else [spec]
    if missing and not found:
        raise NotFoundError(f"{missing[0]}: Neo4j holds no earlier export of it to compare with", hint=_HINT)
    return found


def _before(store: Neo4jStore, place: str, ids: set[str], back: int) -> Iterator[ExportGraph]:
    for _, versions in groupby(store.versions(place), key=_key):
        ordered = [version.id for version in versions]
        at = back + (1 if ordered[0] in ids else 0)
        if at < len(ordered):
            yield store.graph(ordered[at])


def stored_history(spec: str, uri: str | None, database: str | None) -> list[ExportGraph]:
    """Read from Neo4j every export of a place, of each source and platform the oldest first.

    Raises
    ------
    cachegraph.errors.NotFoundError
        The store holds none.
    """
    with open_store(uri, database) as store:
        versions = store.versions(place_of(spec_of(spec)))
        groups = [list(group)[::-1] for _, group in groupby(versions, key=_key)]
        found = [store.graph(version.id) for group in groups for version in group]
    if not found:
        raise NotFoundError(f"{spec}: Neo4j holds no export of it", hint=_HINT)
    return found


def coverage(uri: str | None, database: str | None) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Ask how much of its build each export of each source covered.

    Returns
    -------
    tuple of (columns, rows)
    """
    from cachegraph.queries import library

    with open_store(uri, database) as store:
        table = store.run(*library.get("coverage-over-time").bound())
    return table.columns, list(table)


def _key(export: StoredExport) -> tuple[str, str]:
    return export.source, export.platform or ""
