"""Whether BuildKit would refuse the export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cachegraph.core.graph import ExportGraph
from cachegraph.queries.base import Finding, Query, Title
from cachegraph.queries.severity import Severities
from cachegraph.schema.facts import whole
from cachegraph.schema.storage import PANIC

__all__ = ["QUERY", "ImportError_"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportError_(Finding):  # noqa: N801 - the builtin has the name
    """BuildKit's reason for refusing the export.

    Attributes
    ----------
    error : str
        BuildKit's words.
    """

    error: str


def ask(graph: ExportGraph) -> Iterator[ImportError_]:
    """Say whether BuildKit would refuse the export.

    Parameters
    ----------
    graph : ExportGraph

    Yields
    ------
    ImportError_
        One, if it would.
    """
    for export, error in whole(graph, "Export").each("id", "import_error"):
        if error is not None:
            yield ImportError_(query=QUERY.name, severity=_SEVERITIES.of(), export=export, error=error)


_SEVERITIES = Severities(otherwise="error")


def _sentence(finding: ImportError_, title: Title) -> str:  # noqa: ARG001 - about no record
    if finding.error.startswith(PANIC):
        return (
            f'importing this export ends buildkitd ("{finding.error}"), and every build on it fails. Take it out '
            "of --cache-from, and build the image again."
        )
    remedy = (
        "Export less (mode=min, fewer stages), or export to S3, Azure or GitHub, which have no such limit."
        if "too large" in finding.error
        else "Export again, to a new place."
    )
    return f'BuildKit refuses this export ("{finding.error}"), so every build that imports it starts cold. {remedy}'


QUERY = Query(
    name="import-errors",
    title="Would BuildKit refuse the export?",
    meaning=(
        "One broken link, slot or layer index is enough for BuildKit's importer to refuse the whole export, and so is "
        "a manifest or config over 1 MiB in a registry or a local directory. The build then goes on without this "
        "cache, and every step runs."
    ),
    severity="error",
    finding=ImportError_,
    heading="Refused exports",
    severities=_SEVERITIES,
    ask=ask,
    sentence=_sentence,
    example=(
        '{"records": [{"digest": "sha256:..", "inputs": [[{"link": 0}]]}]}\n'
        "Record 0 takes itself as an input. BuildKit says: invalid looping record."
    ),
    cure=(
        "Export again to a new place. If the config is too large, export less: mode=min, fewer stages, or one cache "
        "for each target. S3, Azure and GitHub have no limit."
    ),
)
