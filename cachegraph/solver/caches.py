"""The caches of a build, as the solver takes them: what BuildKit imports of each, and what the builder's version does.

Source: BuildKit ``cache/remotecache/v1/parse.go``; versions: its release notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from cachegraph.core.graph import ExportGraph
from cachegraph.errors import UsageError
from cachegraph.solver.keys import CacheKeys
from cachegraph.solver.loads import KeyLoads
from cachegraph.solver.prediction import NotImported

__all__ = ["Caches", "Graph", "prepare", "title"]

Graph: TypeAlias = Iterable[ExportGraph]
"""A `cachegraph.CacheGraph`, or anything else that gives exports."""

CHAINS_SINCE = (0, 10)
"""First version that reads ``chains``."""

LOSES_SINCE, LOSES_UNTIL = (0, 25), (0, 33)
"""Versions whose importer loses links at random, see `cachegraph.core.fragile`."""

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.\d{1,6})?(?:[-+].{0,80})?", re.ASCII)


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
    exports: list[ExportGraph] = []
    for item in caches:
        exports += [item] if isinstance(item, ExportGraph) else item
    good = [export for export in exports if export.import_error is None]
    chains = version is None or version >= CHAINS_SINCE
    loads = tuple(KeyLoads(CacheKeys(export), chains=chains) for export in good)
    lossy = loads
    if version is not None and LOSES_SINCE <= version < LOSES_UNTIL:
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
    from cachegraph.core.fragile import lost_links

    lost = lost_links(loads.keys.export)
    return KeyLoads(CacheKeys(loads.keys.export, lost=lost), chains=chains) if lost else loads


def parse_version(text: str | None) -> tuple[int, int] | None:
    """Read a version of BuildKit.

    Parameters
    ----------
    text : str or None
        Such as ``0.31`` or ``v0.31.2``; None for the newest.

    Raises
    ------
    UsageError
        Anything else.
    """
    if text is None:
        return None
    if match := _VERSION.fullmatch(text.strip()):
        return int(match[1]), int(match[2])
    raise UsageError(f"{text!r} is not a version of BuildKit", hint="write it as 0.31 or v0.31.2")


def title(export: ExportGraph) -> str:
    """Name an export: its source, and platform."""
    return f"{export.export.source} {export.export.platform or ''}".strip()
