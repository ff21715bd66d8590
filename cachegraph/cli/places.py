"""Where somebody changes something about an export: the line that names it, a path, the workflow that runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cachegraph.cli.answer import unread_of
from cachegraph.cli.reading import Read
from cachegraph.core.model import CacheExport
from cachegraph.errors import NoCacheError, SpecError
from cachegraph.loaders.specs.identity import spec_of
from cachegraph.reports.model import Place, Unread
from cachegraph.reports.uris import repository_root

if TYPE_CHECKING:
    Type = click.ParamType[Place]
else:
    Type = click.ParamType

__all__ = ["at_option", "named_places", "unread_sources"]

F = TypeVar("F", bound=Callable[..., Any])

_PATHS = {"local": "src", "config": "src", "daemon": "db"}


class FileAndLine(Type):
    """A file, or a file and a line: ``Dockerfile``, ``.github/workflows/build.yml:31``."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:  # noqa: ANN401 - click's signature
        """Read one value."""
        if isinstance(value, Place):
            return value
        file, colon, line = str(value).rpartition(":")
        if not colon or not line.isascii() or not line.isdigit():
            file, line = str(value), ""
        if not os.path.lexists(file):
            self.fail(f"{file}: there is no such file", param, ctx)
        if line and not 0 < int(line[:9]) < 10_000_000:
            self.fail(f"{value}: lines begin with 1", param, ctx)
        return Place(file=file, line=int(line[:9]) if line else None)


def at_option(command: F) -> F:
    """Add ``--at``."""
    decorate: Callable[[F], F] = click.option(
        "--at",
        type=FileAndLine(),
        metavar="FILE[:LINE]",
        help="Where sarif and github point for caches that no --from-file names; by default their path.",
    )
    return decorate(command)


def named_places(read: Read, at: Place | None) -> Mapping[str, tuple[Place, ...]]:
    """Give the places that name each export, by its id.

    Parameters
    ----------
    read : Read
    at : Place or None
        Of exports that no file names. Without, it is the export's own path, else the workflow that runs.
    """
    workflow = _workflow()
    found = {}
    for graph in read.graph:
        places = read.origins.of(graph.export.given)
        if not places:
            places = tuple(place for place in (at or _path(graph.export) or workflow,) if place)
        found[graph.id] = places
    return found


def _path(export: CacheExport) -> Place | None:
    """Give the file or folder that an export lies in; the index of a folder, as reports are about files."""
    try:
        spec = spec_of(export.given or export.source)
    except SpecError:
        return None
    path = spec.attrs.get(_PATHS.get(spec.type, ""), "")
    if not path or path == "-":
        return None
    try:
        inside = Path(path).expanduser() / "index.json"
        return Place(file=str(inside if inside.is_file() else Path(path).expanduser()))
    except (OSError, ValueError, RuntimeError):
        return None


def _workflow() -> Place | None:
    """Give the workflow file that runs this, where GitHub's runner names it and it is checked out."""
    named, repository = os.environ.get("GITHUB_WORKFLOW_REF", ""), os.environ.get("GITHUB_REPOSITORY", "")
    root = repository_root(str(Path.cwd()))
    file = named.removeprefix(f"{repository}/").partition("@")[0]
    if not (root and repository and file != named and file.startswith(".github/")):
        return None
    path = Path(root) / file
    return Place(file=str(path)) if path.is_file() else None


def unread_sources(read: Read) -> tuple[Unread, ...]:
    """Give what could not be read, with the line that names it.

    Parameters
    ----------
    read : Read
    """
    any_read = bool(read.graph.graphs)
    found = []
    for failure in read.failures:
        place = next(iter(read.origins.of(failure.spec)), None)
        found.append(unread_of(failure, place, fails=not (any_read and isinstance(failure.error, NoCacheError))))
    return (*found, *read.origins.unresolved)
