"""What is asked of a graph: one question, all of them, and the verdict that their answers come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar, overload

from cachegraph.core.garbage import collection_paused
from cachegraph.lookup import Lookup
from cachegraph.queries import merge_subsets, missing_results, unreachable_roots
from cachegraph.queries.base import Finding, Query
from cachegraph.queries.catalogue import asked, get
from cachegraph.queries.findings import Findings
from cachegraph.queries.merge_subsets import MergeSubset
from cachegraph.queries.missing_results import MissingResult
from cachegraph.queries.unreachable_roots import UnreachableRoot
from cachegraph.schema.focus import shown
from cachegraph.schema.refs import short_ref
from cachegraph.schema.summary import summarise

if TYPE_CHECKING:
    from cachegraph.verdict.verdicts import Verdicts

__all__ = ["Questions"]

F = TypeVar("F", bound=Finding)


class Questions(Lookup):
    """The questions of a graph, by method."""

    @overload
    def query(self, name: Query[F]) -> Findings[F]: ...

    @overload
    def query(self, name: str) -> Findings[Any]: ...

    def query(self, name: str | Query[Any]) -> Findings[Any]:
        """Ask a question of every export.

        Parameters
        ----------
        name : str or Query
            Such as ``missing-results``; `cachegraph.queries.catalogue.QUERIES` lists all.

        Returns
        -------
        Findings

        Raises
        ------
        UnknownNameError
            No such question.
        """
        question = get(name) if isinstance(name, str) else name
        with collection_paused():
            return Findings(self._answers(question), question, self._worded, self._called)

    def check(self, buildkit: str | None = None) -> Findings[Finding]:
        """Ask every question of every export that is about a builder.

        Parameters
        ----------
        buildkit : str, optional
            Its version, such as ``0.31``; by default the newest. Some questions are about certain builders only.

        Returns
        -------
        Findings

        Raises
        ------
        UsageError
            No version.
        """
        findings = (finding for question in asked(buildkit, together=True) for finding in self._answers(question))
        return Findings(findings, word=self._worded, title=self._called)

    def verdict(self, findings: Findings[Any] | None = None) -> Verdicts:
        """Judge every export: how much of a build is cached, what is not, why, what it costs, and what to change.

        Parameters
        ----------
        findings : Findings, optional
            What `check` found, where it was asked already.

        Returns
        -------
        cachegraph.verdict.verdicts.Verdicts
            In the order of the exports. Whether blobs are there is known as far as the loader asked (`Options.probe`).

        Examples
        --------
        >>> config = b'''{"records": [{"digest": "a"}, {"digest": "b", "inputs": [[{"link": 0}]]}]}'''
        >>> import cachegraph as cg
        >>> cg.from_config(config).verdict()[0].word
        'COLD'
        """
        from cachegraph.verdict.judge import build_order, judge, step_name
        from cachegraph.verdict.verdicts import Verdicts

        own = (self.check() if findings is None else findings).by_export()
        return Verdicts(
            judge(summarise(graph), own.get(graph.id, ()), step_name(graph), rank=build_order(graph))
            for graph in self.graphs
        )

    def _answers(self, question: Query[F]) -> Iterator[F]:
        if question.ask_together is not None:
            yield from question.ask_together(self.graphs)
            return
        stores: set[str] = set()
        for graph in self.graphs:
            store = graph.export.store
            if question.scope == "store" and store:
                if store in stores:
                    continue
                stores.add(store)
            in_focus = shown(graph)
            for finding in question.ask(graph):
                if finding.record is None or finding.record in in_focus:
                    yield finding

    def _worded(self, finding: F) -> F:
        question: Query[F] = get(finding.query)
        return question.worded(finding, self._by_id[finding.export].title)

    def _called(self, export: str) -> str:
        """Give the short name of an export."""
        found = self._by_id[export].export
        return short_ref(found.source, found.platform)

    def missing_results(self) -> Findings[MissingResult]:
        """Ask which steps have no cached result."""
        return self.query(missing_results.QUERY)

    def unreachable_roots(self) -> Findings[UnreachableRoot]:
        """Ask which roots lead to no cached result."""
        return self.query(unreachable_roots.QUERY)

    def merge_subsets(self) -> Findings[MergeSubset]:
        """Ask which layers of a merged result each input brought."""
        return self.query(merge_subsets.QUERY)
