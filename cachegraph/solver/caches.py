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

__all__ = ["Caches", "Graph", "one_export", "prepare", "title"]

Graph: TypeAlias = Iterable[ExportGraph]
"""A `cachegraph.CacheGraph`, or anything else that gives exports."""

CHAINS_SINCE = (0, 10)
"""First version that reads ``chains``."""

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
    """

    loads: tuple[KeyLoads, ...]
    titles: tuple[str, ...]
    given: tuple[str, ...]
    not_imported: tuple[NotImported, ...]


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
    return Caches(
        loads=tuple(KeyLoads(CacheKeys(export), chains=version is None or version >= CHAINS_SINCE) for export in good),
        titles=tuple(map(title, good)),
        given=tuple(map(title, exports)),
        not_imported=tuple(
            NotImported(source=title(export), error=export.import_error)
            for export in exports
            if export.import_error is not None
        ),
    )


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


def one_export(build: Graph) -> ExportGraph:
    """Give the one export that a build's keys come from.

    Parameters
    ----------
    build : CacheGraph

    Raises
    ------
    UsageError
        None, or several.
    """
    exports = list(build)
    if len(exports) == 1:
        return exports[0]
    if not exports:
        raise UsageError("the build has no keys: nothing was read", hint="give one export, or a build")
    found = ", ".join(map(title, exports[:5]))
    raise UsageError(
        f"a build is one export, and this graph has {len(exports):,}: {found}",
        hint="choose one: CacheGraph([graph.graphs[0].export])",
    )


def title(export: ExportGraph) -> str:
    """Name an export: its source, and platform."""
    return f"{export.export.source} {export.export.platform or ''}".strip()
