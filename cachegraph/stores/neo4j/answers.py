"""Findings from the server: the Cypher of a question runs there, and its rows become what the core would have found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from cachegraph.core.graph import record_title
from cachegraph.errors import UsageError
from cachegraph.queries import library
from cachegraph.queries.base import Finding, Query
from cachegraph.queries.catalogue import get
from cachegraph.queries.findings import Findings
from cachegraph.schema.refs import short_ref
from cachegraph.stores.neo4j.connection import Connection

__all__ = ["ask", "ask_all"]

_TITLES = """
UNWIND $records AS index
MATCH (r:Record {id: $export + '/r' + toString(index)})
RETURN r.index, r.name, r.digest
"""


_EXPORTS = """
UNWIND $exports AS id
MATCH (e:Export {id: id})
RETURN e.id, e.source, e.platform
"""


def ask(connection: Connection, name: str, export: str | None) -> Findings[Any]:
    """Ask a question of the server.

    Parameters
    ----------
    connection : Connection
    name : str
    export : str or None
        Id of an export, or source of current ones; None for all current ones.

    Raises
    ------
    UsageError
        The question is about several exports together.
    """
    question = get(name)
    if question.ask_together is not None:
        raise UsageError(
            f"{name} is about the exports that one build imports, which a store of many refs does not know",
            hint=f"cachegraph cypher {name} asks about all of them",
        )
    text, params = library.get(name).bound({"export": export})
    rows = connection.read(text, params)
    names = library.get(name).columns
    found = [_finding(question, dict(zip(names, row, strict=True))) for row in rows]
    worded = list(_worded(connection, question, found))
    return Findings(worded, question, title=_short_names(connection, worded))


def ask_all(connection: Connection, questions: Iterable[Query[Any]], export: str | None) -> Findings[Any]:
    """Ask several questions of the server, as `ask` does each."""
    every = [finding for question in questions for finding in ask(connection, question.name, export)]
    return Findings(every, title=_short_names(connection, every))


def _short_names(connection: Connection, found: Iterable[Finding]) -> Callable[[str], str]:
    """Give the short names of the exports that findings are about."""
    exports = list(dict.fromkeys(finding.export for finding in found))
    rows = connection.read(_EXPORTS, {"exports": exports}) if exports else []
    return {export: short_ref(source, platform) for export, source, platform in rows}.__getitem__


def _finding(question: Query[Any], row: dict[str, Any]) -> Finding:
    """Build the typed finding."""
    found: Finding = msgspec.convert({"query": question.name, **row}, question.finding)
    return found


def _worded(connection: Connection, question: Query[Any], found: list[Finding]) -> Iterator[Finding]:
    named: defaultdict[str, set[int]] = defaultdict(set)
    for finding in found:
        question.sentence(finding, _Listener(named[finding.export]))
    titles = {export: _titles(connection, export, records) for export, records in named.items()}
    for finding in found:
        yield question.worded(finding, titles[finding.export].__getitem__)


class _Listener:
    """Takes the place of a title, to learn which records a sentence names."""

    def __init__(self, heard: set[int]) -> None:
        self.heard = heard

    def __call__(self, record: int) -> str:
        self.heard.add(record)
        return ""


def _titles(connection: Connection, export: str, records: set[int]) -> dict[int, str]:
    if not records:
        return {}
    rows = connection.read(_TITLES, {"export": export, "records": sorted(records)})
    return {index: record_title(index, name or "", digest) for index, name, digest in rows}
