"""The graph that a user holds: any number of exports, their data frames, and the questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cachegraph.core.garbage import collection_paused
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport, Names
from cachegraph.errors import UnknownNameError
from cachegraph.loaders import catalogue
from cachegraph.loaders.base import Options
from cachegraph.loaders.config import export_from_config
from cachegraph.queries.base import Finding, Query
from cachegraph.queries.catalogue import QUERIES, get
from cachegraph.queries.findings import Findings
from cachegraph.schema.focus import Window, around, shown
from cachegraph.views.figures.plots import Plots

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

    from cachegraph.views.html.record import RecordView

__all__ = ["CacheGraph", "from_config", "load"]


class CacheGraph(Plots):
    """Cache exports as one graph.

    Parameters
    ----------
    exports : iterable of CacheExport
    names : Names, optional
        Plaintexts of digests, which give records their operation and name.

    See Also
    --------
    load : Read exports from wherever they lie.
    from_config : Make a graph of a cache config's bytes.
    """

    def __init__(self, exports: Iterable[CacheExport], names: Names | None = None) -> None:
        with collection_paused():
            self.graphs: tuple[ExportGraph, ...] = tuple(ExportGraph(export, names) for export in exports)
        self._by_id = {graph.id: graph for graph in self.graphs}
        self._frames: dict[str, pd.DataFrame] = {}

    def __repr__(self) -> str:
        """Count exports and records."""
        records = sum(len(shown(graph)) for graph in self.graphs)
        return f"<CacheGraph: {len(self.graphs):,} export(s), {records:,} record(s)>"

    def _repr_mimebundle_(self, **_: object) -> Mapping[str, str]:
        """Show it in a notebook."""
        from cachegraph.views.html.display import describe_graphs

        return describe_graphs(self.graphs)

    def __iter__(self) -> Iterator[ExportGraph]:
        """Go through the exports."""
        return iter(self.graphs)

    @property
    def import_error(self) -> str | None:
        """BuildKit's reason for refusing the first refused export; None if it imports all."""
        return next((graph.import_error for graph in self.graphs if graph.import_error is not None), None)

    def loadable_results(self, record: int, export: int = 0) -> list[tuple[str, ...]]:
        """Give the blobs of each loadable result of a record.

        Parameters
        ----------
        record : int
            Index in the export's own ``records``.
        export : int
            Position of the export in the graph.

        Returns
        -------
        list of tuple of str
            Blob digests, bottom first; in BuildKit's order, ``layers`` before ``chains``.

        Raises
        ------
        UnknownNameError
            No such export or record.

        Examples
        --------
        >>> config = b'{"layers": [{"blob": "sha256:a", "parent": -1}], "records": [{"layers": [{"layer": 0}]}]}'
        >>> from_config(config).loadable_results(0)
        [('sha256:a',)]
        """
        graph = self._graph(export)
        graph.record(record)
        return [graph.result_blobs(result) for result in graph.loadable_results(record)]

    def record(self, index: int, export: int = 0) -> RecordView:
        """Look at one record: its slots and alternatives, results, layers, and what hangs on it.

        Parameters
        ----------
        index : int
            Index in the export's own ``records``.
        export : int
            Position of the export in the graph.

        Returns
        -------
        cachegraph.views.html.record.RecordView

        Raises
        ------
        UnknownNameError
            No such export or record.
        """
        from cachegraph.views.html.record import look_at

        return look_at(self._graph(export), index)

    def focus(self, record: int, up: int = 2, down: int = 2, *, export: int = 0) -> CacheGraph:
        """Give a smaller graph, around a record, that every function takes.

        Records keep their indexes and ids, and every answer about one stays that of the whole export: a record whose
        dependents are out of sight is no dead end for that. Findings about the export itself stay as well.

        Parameters
        ----------
        record : int
            Index in the export's own ``records``.
        up : int
            Steps towards the records that depend on it.
        down : int
            Steps towards the records that it depends on.
        export : int
            Position of the export in the graph.

        Returns
        -------
        CacheGraph
            With this one export.

        Raises
        ------
        UnknownNameError
            No such export or record, or one that an earlier focus left out.
        """
        graph = self._graph(export)
        graph.record(record)
        if record not in shown(graph):
            raise UnknownNameError(f"record {record} is out of focus", hint="focus the whole graph on it")
        return CacheGraph._of(Window(graph, around(graph, record, up, down)))

    @classmethod
    def _of(cls, *graphs: ExportGraph) -> CacheGraph:
        made = cls(())
        made.graphs = graphs
        made._by_id = {graph.id: graph for graph in graphs}
        return made

    # --- Questions ---------------------------------------------------------------------------------------------------

    def query(self, name: str) -> Findings:
        """Ask a question of every export.

        Parameters
        ----------
        name : str
            Such as ``missing-results``; `cachegraph.queries.catalogue.QUERIES` lists all.

        Returns
        -------
        Findings

        Raises
        ------
        UnknownNameError
            No such question.
        """
        question = get(name)
        with collection_paused():
            return Findings(self._answers(question), question, self._worded)

    def check(self) -> Findings:
        """Ask every question of every export.

        Returns
        -------
        Findings
        """
        findings = (finding for question in QUERIES for finding in self._answers(question))
        return Findings(findings, word=self._worded)

    def _answers(self, question: Query) -> Iterator[Finding]:
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

    def _worded(self, finding: Finding) -> Finding:
        return get(finding.query).worded(finding, self._by_id[finding.export].title)

    def missing_results(self) -> Findings:
        """Ask which records have no loadable result."""
        return self.query("missing-results")

    def unreachable_roots(self) -> Findings:
        """Ask which roots can give nothing."""
        return self.query("unreachable-roots")

    def merge_subsets(self) -> Findings:
        """Ask which layers of a merged result each input brought."""
        return self.query("merge-subsets")

    # --- Views -------------------------------------------------------------------------------------------------------

    # Each call gives a frame of its own: what is written into one shows nowhere else.

    @property
    def exports(self) -> pd.DataFrame:
        """Data frame of the exports, with what each counts; columns as the schema's ``Export``."""
        return self._frame("exports")

    @property
    def records(self) -> pd.DataFrame:
        """Data frame of the records; columns as the schema's ``Record``, and ``export``, ``title``."""
        return self._frame("records")

    @property
    def inputs(self) -> pd.DataFrame:
        """Data frame of the inputs; columns as the schema's ``INPUT``, and ``record``, ``input``."""
        return self._frame("inputs")

    @property
    def results(self) -> pd.DataFrame:
        """Data frame of the results; columns as the schema's ``Result``, and ``record``, ``position``, ``blobs``."""
        return self._frame("results")

    @property
    def result_layers(self) -> pd.DataFrame:
        """Data frame of the layers of each result: ``result``, ``layer``, ``layer_position`` from the bottom."""
        return self._frame("result_layers")

    @property
    def layers(self) -> pd.DataFrame:
        """Data frame of the layers; columns as the schema's ``Layer``, and ``export``, ``parent``, ``blob``."""
        return self._frame("layers")

    @property
    def blobs(self) -> pd.DataFrame:
        """Data frame of the blobs; columns as the schema's ``Blob``, and ``export``, ``listed``, ``present``."""
        return self._frame("blobs")

    @property
    def problems(self) -> pd.DataFrame:
        """Data frame of what is wrong with the places that exports were read from; columns as ``Problem``."""
        return self._frame("problems")

    @property
    def strays(self) -> pd.DataFrame:
        """Data frame of the blobs that no manifest of an export's store reaches."""
        return self._frame("strays")

    def _frame(self, name: str) -> pd.DataFrame:
        if name not in self._frames:
            from cachegraph.views.frames import frame

            self._frames[name] = frame(self.graphs, name)
        return self._frames[name].copy()

    def to_networkx(self, kinds: Iterable[str] | None = None) -> nx.MultiDiGraph[str]:
        """Give the graph to NetworkX, with the schema's labels and properties.

        Parameters
        ----------
        kinds : iterable of str, optional
            Labels of the nodes to take, such as ``["Record"]``; by default all.

        Returns
        -------
        networkx.MultiDiGraph
            Nodes are named by their keys and have ``label``; edges have ``type``. Null properties are left out, times
            are nanoseconds since 1970 UTC, lists are JSON texts: ``networkx.write_graphml`` takes it as it is.

        Raises
        ------
        cachegraph.errors.UnknownNameError
            No such label.
        cachegraph.errors.MissingExtraError
            NetworkX is not installed.
        """
        from cachegraph.views.networkx import to_networkx

        return to_networkx(self.graphs, kinds)


def load(specs: str | Sequence[str], *, names: Names | None = None, options: Options | None = None) -> CacheGraph:
    """Read exports from wherever they lie.

    Parameters
    ----------
    specs : str or sequence of str
        What buildx takes for ``--cache-from``, a path, or an image reference; several give one graph.
    names : Names, optional
        Plaintexts of digests.
    options : Options, optional

    Returns
    -------
    CacheGraph

    Raises
    ------
    cachegraph.errors.CacheGraphError
        The first spec that could not be read. To go on without it, use `cachegraph.loaders.catalogue.load`.
    """
    loaded = catalogue.load([specs] if isinstance(specs, str) else specs, options)
    if loaded.failures:
        raise loaded.failures[0].error
    return CacheGraph(loaded.exports, names)


def from_config(config: bytes, blobs: Iterable[str] | None = None, *, names: Names | None = None) -> CacheGraph:
    """Make a graph of a bare cache config.

    Parameters
    ----------
    config : bytes
        JSON of ``application/vnd.buildkit.cacheconfig.v0``.
    blobs : iterable of str, optional
        Digests that the manifest lists; without, all of the config's layers.
    names : Names, optional

    Returns
    -------
    CacheGraph

    Raises
    ------
    cachegraph.errors.DecodeError
        No cache config.

    Examples
    --------
    >>> from_config(b'{"records": [{"inputs": [[{"link": 0}]]}]}').import_error
    'invalid looping record'
    """
    return CacheGraph([export_from_config(config, blobs=blobs)], names)
