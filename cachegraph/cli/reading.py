"""The reading of what the command line names: specs, files of them, names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cachegraph.cli.app import complain
from cachegraph.cli.progress import progress
from cachegraph.core.model import Name, Names
from cachegraph.core.progress import Report
from cachegraph.errors import CacheGraphError, NoCacheError, NotFoundError, SpecError
from cachegraph.graph import CacheGraph
from cachegraph.lint.found import FoundSpec
from cachegraph.loaders import catalogue
from cachegraph.loaders.base import Options, Spec
from cachegraph.loaders.specs.parse import IRRELEVANT, canonical, parse

__all__ = ["Read", "exit_code", "loader_options", "named_specs", "read_names", "read_specs"]


class Read:
    """What came of the specs.

    Attributes
    ----------
    graph : CacheGraph
    failures : tuple of Failure
    """

    def __init__(self, loaded: catalogue.Loaded, names: Names) -> None:
        self.graph = CacheGraph(loaded.exports, names)
        self.failures = loaded.failures

    @property
    def exit_code(self) -> int:
        """Exit code as far as reading goes."""
        return exit_code(self.failures, any_read=bool(self.graph.graphs))


def exit_code(failures: Iterable[catalogue.Failure], *, any_read: bool) -> int:
    """Give the exit code that failures mean: 0 without, else that of the worst.

    An image without a cache among others that have one is no failure.
    """
    real = [f.error for f in failures if not (any_read and isinstance(f.error, NoCacheError))]
    return max((error.exit_code for error in real), default=0)


def read_specs(specs: Iterable[str], how: Mapping[str, Any]) -> Read:
    """Read what the specs name; complain about what cannot be read, and go on with the rest.

    Parameters
    ----------
    specs : iterable of str
    how : mapping
        Values of `cachegraph.cli.options.source_options`.

    Returns
    -------
    Read
    """
    every = named_specs(specs, how)
    with progress() as report:
        options = loader_options(how, report)
        names, nameless = read_names(how["names"], options)
        loaded = catalogue.load(every, options)
        read = Read(replace(loaded, failures=(*nameless, *loaded.failures)), names)
    for failure in read.failures:
        complain(failure.error, failure.spec)
    return read


def named_specs(specs: Iterable[str], how: Mapping[str, Any]) -> list[str | Spec]:
    """Give the specs of the command line and those in its files."""
    every: list[str | Spec] = [*specs, *_specs_in_files(how["files"])]
    if not every and not how["files"]:
        raise click.UsageError("Missing argument 'SPEC...'.")
    if not every:
        raise NotFoundError("no cache entry that can be read", hint="give what cannot be resolved as a SPEC")
    return every


def loader_options(how: Mapping[str, Any], report: Report) -> Options:
    """Make the loaders' options of `source_options`."""
    return Options(
        probe=how["probe"],
        verify=how["verify"],
        timeout=how["timeout"],
        concurrency=how["concurrency"],
        insecure_registries=frozenset(how["insecure_registry"]),
        tag_glob=how["tags"] or ("*" if how["all_tags"] else None),
        report=report,
    )


def _specs_in_files(files: Iterable[Path]) -> list[Spec]:
    """Give the places that the cache entries of files name, each once; say which are not read and why."""
    places: dict[str, Spec] = {}
    for path in files:
        from cachegraph.lint.files import specs_in_file

        found = specs_in_file(path)
        if not found:
            click.echo(f"cachegraph: {path}: no cache entry in it", err=True)
        for entry in found:
            spec = _spec_of(entry)
            if isinstance(spec, Spec):
                # The same place is often read with one set of keys and written with another.
                attrs = {key: value for key, value in sorted(spec.attrs.items()) if key not in IRRELEVANT}
                places.setdefault(canonical(spec.type, attrs), spec)
            else:
                click.echo(f"cachegraph: {entry.place}: not read: {spec}", err=True)
    return list(places.values())


def _spec_of(entry: FoundSpec) -> Spec | str | None:
    """Give the spec of a file's entry, or why there is none to read."""
    if entry.text is None:
        return entry.reason
    try:
        # Without key=value it is a reference, whatever lies beside the file (buildx: ParseCacheEntry).
        spec = parse(entry.text if "=" in entry.text else f"type=registry,ref={entry.text}")
    except SpecError as error:
        return str(error)
    return "the cache goes into the image itself, so give its reference" if spec.type == "inline" else spec


def read_names(sources: Iterable[str], options: Options) -> tuple[Names, list[catalogue.Failure]]:
    """Read names, as far as they can be read; of a digest that several sources name, the last counts."""
    records: dict[str, Name] = {}
    selectors: dict[str, str] = {}
    failures: list[catalogue.Failure] = []
    for source in sources:
        from cachegraph.loaders.names import read as names

        try:
            found = names.read_names(source, options)
        except CacheGraphError as error:
            failures.append(catalogue.Failure(spec="--names", error=error))
        else:
            records |= found.records
            selectors |= found.selectors
    return Names(records=records, selectors=selectors), failures
