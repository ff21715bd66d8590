"""See what a BuildKit cache export holds, why a build missed, and what can be deleted.

::

    import cachegraph as cg
    graph = cg.load("type=local,src=./cache")
    graph.missing_results()
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cachegraph.errors import CacheGraphError, CacheGraphWarning
    from cachegraph.graph import CacheGraph
    from cachegraph.reading import from_config, load
    from cachegraph.stores.neo4j import Neo4jStore

__all__ = [
    "CacheGraph",
    "CacheGraphError",
    "CacheGraphWarning",
    "Neo4jStore",
    "__version__",
    "from_config",
    "load",
]

__version__ = "0.1.0"

_HOMES = {
    "CacheGraph": "cachegraph.graph",
    "CacheGraphError": "cachegraph.errors",
    "CacheGraphWarning": "cachegraph.errors",
    "Neo4jStore": "cachegraph.stores.neo4j",
    "from_config": "cachegraph.reading",
    "load": "cachegraph.reading",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for, so that ``import cachegraph`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cachegraph' has no attribute {name!r}", name=name, obj=sys.modules[__name__])
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
