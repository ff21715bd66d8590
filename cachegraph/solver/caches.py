"""The caches of a build, as the solver takes them: what BuildKit imports of each, and what the builder's version does.

Source: BuildKit ``cache/remotecache/v1/parse.go``; versions: its release notes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from cachegraph.core.graph import ExportGraph
from cachegraph.core.versions import LOSES_LINKS, NO_CHAINS, parse_version
from cachegraph.solver.keys import CacheKeys
from cachegraph.solver.loads import KeyLoads
from cachegraph.solver.prediction import NotImported
from cachegraph.solver.single import exports_of

__all__ = ["Caches", "Graph", "prepare", "title"]

Graph: TypeAlias = Iterable[ExportGraph]
"""A `cachegraph.CacheGraph`, or anything else that gives exports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caches:
    """The caches of a build.

    Attributes
    ----------
    loads : tuple of KeyLoads
        Those that BuildKit imports, in the order given.
    titles : tuple of str
        Of each of those: its source, and platform.
    given : tuple of str
        Titles of all.
    not_imported : tuple of NotImported
    lossy : tuple of KeyLoads
        The same caches without the links that the builder's importer can lose; the same objects where it loses none.
    """

    loads: tuple[KeyLoads, ...]
    titles: tuple[str, ...]
    given: tuple[str, ...]
    not_imported: tuple[NotImported, ...]
    lossy: tuple[KeyLoads, ...]


def prepare(caches: Graph | Iterable[Graph], buildkit: str | None = None) -> Caches:
    """Look at caches as a builder does that imports them.

    Parameters
    ----------
    caches : CacheGraph or iterable of CacheGraph
        Each export of each is a cache, such as the platforms of an image.
    buildkit : str, optional
        Version of the builder; by default the newest.

    Raises
    ------
    UsageError
        No version.
    """
    version = parse_version(buildkit)
    exports = exports_of(caches, "a cache")
    good = [export for export in exports if export.import_error is None]
    chains = not NO_CHAINS.hold(version)
    loads = tuple(KeyLoads(CacheKeys(export), chains=chains) for export in good)
    lossy = loads
    if LOSES_LINKS.hold(version):
        lossy = tuple(_without_lost(one, chains=chains) for one in loads)
    return Caches(
        loads=loads,
        lossy=lossy,
        titles=tuple(map(title, good)),
        given=tuple(map(title, exports)),
        not_imported=tuple(
            NotImported(source=title(export), error=export.import_error)
            for export in exports
            if export.import_error is not None
        ),
    )


def _without_lost(loads: KeyLoads, *, chains: bool) -> KeyLoads:
    """Give a cache without the links that can be lost, all at once."""
    from cachegraph.core.lost_links import lost_links

    lost = lost_links(loads.keys.export)
    return KeyLoads(CacheKeys(loads.keys.export, lost=lost), chains=chains) if lost else loads


def title(export: ExportGraph) -> str:
    """Name an export: its source, and platform."""
    return f"{export.export.source} {export.export.platform or ''}".strip()
