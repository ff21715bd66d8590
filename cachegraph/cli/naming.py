"""Names of what a command read: those of ``--names``, and those found beside it, unless ``--no-names``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cachegraph.cli.options import NAMES
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport, Names
from cachegraph.errors import CacheGraphError
from cachegraph.loaders.base import Options
from cachegraph.loaders.catalogue import Failure

if TYPE_CHECKING:
    from cachegraph.builds.plaintexts import Plaintext
    from cachegraph.builds.provenance import Texts

__all__ = ["Known", "known_names"]

_HERE = Path()


class Known:
    """What is known of digests, in the end names.

    Parameters
    ----------
    texts : Texts, optional
    """

    def __init__(self, texts: Texts | None = None) -> None:
        self._texts = texts

    @cached_property
    def names(self) -> Names:
        """Names of records, selectors and layers."""
        return Names() if self._texts is None else self._texts.named()

    @property
    def plaintexts(self) -> Mapping[str, Plaintext]:
        """Plaintexts by digest."""
        return {} if self._texts is None else self._texts.plaintexts

    @property
    def references(self) -> Mapping[str, str]:
        """How users call images and repositories, by manifest digest or commit."""
        return {} if self._texts is None else self._texts.references

    def graphs(self, exports: Iterable[CacheExport | ExportGraph]) -> list[ExportGraph]:
        """Name exports; one that has names already, as those from Neo4j, keeps them."""
        return [
            ExportGraph(export.export, export.names | self.names)
            if isinstance(export, ExportGraph)
            else ExportGraph(export, self.names)
            for export in exports
        ]


def known_names(
    how: Mapping[str, Any],
    options: Options,
    exports: Iterable[CacheExport | ExportGraph] = (),
    *,
    came: Mapping[str, Plaintext] | None = None,
    failures: list[Failure] | None = None,
    folder: Path | None = _HERE,
) -> Known:
    """Read the sources of ``--names``, and look beside the exports for more.

    Parameters
    ----------
    how : mapping
        Values of `cachegraph.cli.options.source_options`.
    options : Options
    exports : iterable of CacheExport or ExportGraph
        All that the command read.
    came : mapping of str to Plaintext, optional
        What came with a build that is given as such.
    failures : list of Failure, optional
        Takes the sources of ``--names`` that cannot be read; without it, the first is raised.
    folder : pathlib.Path, optional
        Where a Dockerfile may lie; with None, none is looked for.

    Returns
    -------
    Known
        Of a digest that several sources of ``--names`` name, the last counts; what was found counts least.

    Raises
    ------
    cachegraph.errors.CacheGraphError
        A source of ``--names`` cannot be read, and there is no list for it. Of what was looked for unasked, nothing
        that goes wrong is told.
    """
    given = _came_with(came) if came else None
    for source in how["names"]:
        from cachegraph.loaders.names.read import read_texts

        try:
            found = read_texts(source, options)
        except CacheGraphError as error:
            if failures is None:
                raise
            failures.append(Failure(spec=NAMES, error=error))
            continue
        given = found if given is None else given | found
    known = Known(given)
    plain = [export.export if isinstance(export, ExportGraph) else export for export in exports]
    beside = _texts_beside(plain, how, options, known.names, folder)
    if beside is None:
        return known
    return Known(beside if given is None else beside | given)


def _came_with(plaintexts: Mapping[str, Plaintext]) -> Texts:
    from cachegraph.builds.provenance import Texts

    texts = Texts()
    texts.plaintexts |= plaintexts
    return texts


def _texts_beside(
    exports: Sequence[CacheExport], how: Mapping[str, Any], options: Options, known: Names, folder: Path | None
) -> Texts | None:
    """Look for names that nobody asked for, where there is a place for them.

    Parameters
    ----------
    exports : sequence of CacheExport
    how : mapping
        Its ``no_names`` turns this off.
    options : Options
    known : Names
        What is named already: nothing more is looked for where that is enough.
    folder : pathlib.Path or None
    """
    beside = any(export.kind == "inline" or export.source.startswith("type=registry,") for export in exports)
    dockerfile = folder is not None and (folder / "Dockerfile").is_file()
    if how["no_names"] or not exports or not (beside or dockerfile):
        return None
    from cachegraph.loaders.names.found import found_texts

    return found_texts(exports, options, known=known, folder=folder)
