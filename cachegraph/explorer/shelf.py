"""What is served: exports in memory, and, with a Neo4j, the questions about a fleet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UnknownNameError
from cachegraph.queries.base import Finding
from cachegraph.queries.findings import Findings
from cachegraph.schema.refs import short_ref
from cachegraph.text.clean import one_line
from cachegraph.verdict.model import Verdict
from cachegraph.views.html.record import RecordView, look_at
from cachegraph.views.html.report import Unread
from cachegraph.views.states import states

if TYPE_CHECKING:
    from cachegraph.graph import CacheGraph

__all__ = ["Shelf", "Shown"]


@dataclass(frozen=True)
class Shown:
    """An export on the shelf.

    Attributes
    ----------
    graph : ExportGraph
    verdict : Verdict
    findings : Findings
        Worst first.
    """

    graph: ExportGraph
    verdict: Verdict
    findings: Findings[Any]

    @property
    def title(self) -> str:
        """What people call it."""
        return one_line(short_ref(self.graph.export.source, self.graph.export.platform))

    @cached_property
    def states(self) -> Sequence[str]:
        """State of each record, as drawings and frames name it."""
        return tuple(states(self.graph))

    @cached_property
    def _words(self) -> tuple[str, ...]:
        """What a search looks through, by record."""
        records = self.graph.export.config.records
        return tuple(
            f"{index} {record.digest} {self.graph.naming(index).name or ''}".lower()
            for index, record in enumerate(records)
        )

    def found(self, search: str) -> Iterator[int]:
        """Give the records whose number, digest or name holds a text, in their order.

        Parameters
        ----------
        search : str
            In any case; empty for all.
        """
        wanted = search.strip().lower()
        return (index for index in range(len(self.graph)) if not wanted or wanted in self._words[index])

    def look(self, record: int) -> RecordView:
        """Look at a record.

        Raises
        ------
        cachegraph.errors.UnknownNameError
            There is none of that number.
        """
        if not 0 <= record < len(self.graph):
            raise UnknownNameError(
                f"{self.title} has no record {record}", hint=f"its records are 0 to {len(self.graph) - 1}"
            )
        return look_at(self.graph, record)

    def findings_about(self, severity: str | None) -> list[Finding]:
        """Give the findings, those of one severity if that is asked for."""
        return [finding for finding in self.findings if severity in (None, finding.severity)]


class Shelf:
    """Exports by their ids, worst first.

    Parameters
    ----------
    graph : CacheGraph
    unread : sequence of Unread
        What could not be read, which the first page says.
    """

    def __init__(self, graph: CacheGraph, unread: Sequence[Unread] = ()) -> None:
        self.unread = tuple(unread)
        findings = graph.check()
        own = findings.by_export()
        none: Findings[Any] = Findings(())
        shown = [
            Shown(graph=one, verdict=verdict, findings=own.get(one.id, none).worst_first())
            for one, verdict in zip(graph, graph.verdict(findings), strict=True)
        ]
        self._shown = {one.graph.id: one for one in sorted(shown, key=lambda one: one.verdict.rank)}

    def __iter__(self) -> Iterator[Shown]:
        """Go through the exports, worst first."""
        return iter(self._shown.values())

    def __len__(self) -> int:
        """Count them."""
        return len(self._shown)

    def get(self, export: str) -> Shown:
        """Give an export.

        Parameters
        ----------
        export : str
            Its id, or so much of its beginning that it is the only one.

        Raises
        ------
        cachegraph.errors.UnknownNameError
            There is none, or more than one.
        """
        if export in self._shown:
            return self._shown[export]
        found = [one for name, one in self._shown.items() if len(export) >= 6 and name.startswith(export)]
        if len(found) == 1:
            return found[0]
        raise UnknownNameError(f"no export has the id {export!r}", hint="/api/exports lists them")
