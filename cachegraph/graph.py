"""The graph that a user holds: any number of exports, their data frames, and the questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from cachegraph.core.garbage import collection_paused
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport, Names
from cachegraph.errors import UnknownNameError
from cachegraph.loaders.catalogue import Failure
from cachegraph.lookup import ExportRef, Lookup, RecordRef
from cachegraph.questions import Questions
from cachegraph.schema.focus import Window, around, shown
from cachegraph.text.words import plural
from cachegraph.views.figures.plots import Plots

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

    from cachegraph.views.html.record import RecordView

__all__ = ["CacheGraph"]


class CacheGraph(Questions, Plots):
    """Cache exports as one graph.

    Parameters
    ----------
    exports : iterable of CacheExport
    names : Names, optional
        Plaintexts of digests, which give records their operation and name.
    failures : iterable of Failure
        Sources that were named and could not be read.

    Attributes
    ----------
    graphs : tuple of ExportGraph
        The exports, in order.
    failures : tuple of Failure

    See Also
    --------
    load : Read exports from wherever they are.
    from_config : Make a graph of a cache config's bytes.
    """

    def __init__(
        self, exports: Iterable[CacheExport], names: Names | None = None, *, failures: Iterable[Failure] = ()
    ) -> None:
        with collection_paused():
            super().__init__(ExportGraph(export, names) for export in exports)
        self.failures = tuple(failures)
        self._frames: dict[str, pd.DataFrame] = {}

    def __repr__(self) -> str:
        """Count exports, records, and what could not be read."""
        records = sum(len(shown(graph)) for graph in self.graphs)
        failed = f", {plural(len(self.failures), 'source')} not read" if self.failures else ""
        return f"<CacheGraph: {plural(len(self.graphs), 'export')}, {plural(records, 'record')}{failed}>"

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

    def loadable_results(self, record: RecordRef, export: ExportRef = 0) -> list[tuple[str, ...]]:
        """Give the blobs of each loadable result of a record.

        Parameters
        ----------
        record : int, str, Finding or tuple
            Index in the export's own ``records``; or the record's id, a finding about it, or (export, index).
        export : int or str
            Position, id or source of the export, where ``record`` is an index alone.

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
        graph, index = self._located(record, export)
        return [graph.result_blobs(result) for result in graph.loadable_results(index)]

    def record(self, record: RecordRef, export: ExportRef = 0) -> RecordView:
        """Look at one record: its slots and alternatives, results, layers, and the records that depend on it.

        Parameters
        ----------
        record : int, str, Finding or tuple
            Index in the export's own ``records``; or the record's id, a finding about it, or (export, index).
        export : int or str
            Position, id or source of the export, where ``record`` is an index alone.

        Returns
        -------
        cachegraph.views.html.record.RecordView

        Raises
        ------
        UnknownNameError
            No such export or record.
        """
        from cachegraph.views.html.record import look_at

        return look_at(*self._located(record, export))

    def matched(self, *changed: RecordRef, export: ExportRef = 0) -> set[int]:
        """Find the records that a build still matches when some records' steps changed.

        A record matches when its own step did not change and, in every slot, at least one alternative matches. Whether
        a matched record can also be loaded is another question: see ``graph.record(index).loadable``.

        Parameters
        ----------
        *changed : int, str, Finding or tuple
            Records whose own step changed, so that their keys are new.
        export : int or str
            Position, id or source of the export.

        Returns
        -------
        set of int
            Indexes of the records that still match.

        Raises
        ------
        UnknownNameError
            No such export or record, or a record of another export.

        Examples
        --------
        The second record takes either root; the third needs both.

        >>> config = b'''{"records": [{"digest": "a"}, {"digest": "b"},
        ...     {"digest": "either", "inputs": [[{"link": 0}, {"link": 1}]]},
        ...     {"digest": "both", "inputs": [[{"link": 0}], [{"link": 1}]]}]}'''
        >>> sorted(from_config(config).matched(0))
        [1, 2]
        """
        graph = self._graph(export)
        found = set()
        for one in changed:
            owner, index = self._located(one, export)
            if owner is not graph:
                raise UnknownNameError(f"record {index} is of another export", hint="ask for each export by itself")
            found.add(index)
        return graph.matched(set(graph.roots), found)

    def lost_links(self, export: ExportRef = 0) -> set[tuple[int, int, int]]:
        """Find the links that builders from BuildKit 0.25.0 to 0.32 can lose, at random, when they import an export.

        Parameters
        ----------
        export : int or str
            Position, id or source of the export.

        Returns
        -------
        set of (int, int, int)
            Record, slot and alternative.

        Raises
        ------
        UnknownNameError
            No such export.

        Notes
        -----
        Half a second for 3,000 records, two for 10,000, on one core; it grows with the square of their number where
        many targets share many records.

        Examples
        --------
        Another target on the base (record 0) may be read first; then the second link to the base is dropped.

        >>> config = b'''{"records": [{"digest": "base"}, {"digest": "step", "inputs": [[{"link": 0}]]},
        ...     {"digest": "target", "inputs": [[{"link": 0}], [{"link": 1}]]},
        ...     {"digest": "other", "inputs": [[{"link": 0}]]}]}'''
        >>> from_config(config).lost_links()
        {(1, 0, 0)}
        """
        from cachegraph.core.lost_links import lost_links

        return lost_links(self._graph(export))

    def focus(self, record: RecordRef, up: int = 2, down: int = 2, *, export: ExportRef = 0) -> CacheGraph:
        """Give a smaller graph, around a record, that every function takes.

        Records keep their indexes and ids, and every answer about one stays that of the whole export: a record whose
        dependents are out of sight is no dead end for that. Findings about the export itself stay as well.

        Parameters
        ----------
        record : int, str, Finding or tuple
            Index in the export's own ``records``; or the record's id, a finding about it, or (export, index).
        up : int
            Steps towards the records that depend on it.
        down : int
            Steps towards the records that it depends on.
        export : int or str
            Position, id or source of the export, where ``record`` is an index alone.

        Returns
        -------
        CacheGraph
            With this one export.

        Raises
        ------
        UnknownNameError
            No such export or record, or one that an earlier focus left out.
        """
        graph, index = self._located(record, export)
        if index not in shown(graph):
            raise UnknownNameError(f"record {index} is out of focus", hint="focus the whole graph on it")
        return CacheGraph._of(Window(graph, around(graph, index, up, down)))

    @classmethod
    def _of(cls, *graphs: ExportGraph) -> CacheGraph:
        made = cls(())
        Lookup.__init__(made, graphs)
        return made

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
