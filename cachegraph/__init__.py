"""See what a BuildKit cache export holds, why a build missed, and what can be deleted.

::

    import cachegraph as cg
    graph = cg.load(cg.sample("web-oci"))  # or any spec, path or image reference
    graph.verdict()  # what it is worth to a build, what is missing, and why
    graph.records  # a data frame; graph.plot() draws it

Read: `load`, `from_config`, `load_record`, `sample`. Before a build: `build`, `predict`, `simulate`, `blast_radius`,
`sources`, `inline_preview`. After it: `explain`, `diff`, `history`, `why`. In a database: `Neo4jStore`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cachegraph.building import build
    from cachegraph.builds.dockerbuild import BuildRecord, load_record
    from cachegraph.errors import CacheGraphError, CacheGraphWarning
    from cachegraph.graph import CacheGraph
    from cachegraph.reading import from_config, load
    from cachegraph.sampledata.taking import sample, samples
    from cachegraph.solver.blast import blast_radius
    from cachegraph.solver.diff import diff
    from cachegraph.solver.explain import explain
    from cachegraph.solver.history import history
    from cachegraph.solver.inline_preview import inline_preview
    from cachegraph.solver.predict import predict
    from cachegraph.solver.simulate import simulate
    from cachegraph.solver.sources import sources
    from cachegraph.solver.why import why
    from cachegraph.stores.neo4j import Neo4jStore

__all__ = [
    "BuildRecord",
    "CacheGraph",
    "CacheGraphError",
    "CacheGraphWarning",
    "Neo4jStore",
    "__version__",
    "blast_radius",
    "build",
    "diff",
    "explain",
    "from_config",
    "history",
    "inline_preview",
    "load",
    "load_record",
    "predict",
    "sample",
    "samples",
    "simulate",
    "sources",
    "why",
]

__version__ = "0.1.0"

_HOMES = {
    "BuildRecord": "cachegraph.builds.dockerbuild",
    "CacheGraph": "cachegraph.graph",
    "CacheGraphError": "cachegraph.errors",
    "CacheGraphWarning": "cachegraph.errors",
    "Neo4jStore": "cachegraph.stores.neo4j",
    "build": "cachegraph.building",
    "blast_radius": "cachegraph.solver.blast",
    "diff": "cachegraph.solver.diff",
    "explain": "cachegraph.solver.explain",
    "from_config": "cachegraph.reading",
    "history": "cachegraph.solver.history",
    "inline_preview": "cachegraph.solver.inline_preview",
    "load": "cachegraph.reading",
    "load_record": "cachegraph.builds.dockerbuild",
    "predict": "cachegraph.solver.predict",
    "sample": "cachegraph.sampledata.taking",
    "samples": "cachegraph.sampledata.taking",
    "simulate": "cachegraph.solver.simulate",
    "sources": "cachegraph.solver.sources",
    "why": "cachegraph.solver.why",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for, so that ``import cachegraph`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cachegraph' has no attribute {name!r}", name=name, obj=sys.modules[__name__])
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
